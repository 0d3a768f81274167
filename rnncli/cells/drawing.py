"""Draws the numbers that parameters start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

import torch
from torch import Tensor, nn

from rnncli.cells.initializers import (
    ChronoSettings,
    ConstantStartSettings,
    IdentitySettings,
    InitializerSettings,
    KaimingSettings,
    NormalSettings,
    OrthogonalSettings,
    UniformSettings,
    XavierSettings,
)


class Streams:
    """Random numbers by name: each name has a stream of its own.

    They take one number from torch's generator, and on it and the name alone depends what a stream gives. So with the
    same seed what bears the same name starts alike, whatever else is drawn beside it.
    """

    def __init__(self) -> None:
        self._seed = int(torch.randint(2**63 - 1, (), device="cpu"))

    @contextmanager
    def named(self, name: str) -> Iterator[None]:
        """Inside, torch draws from the stream of that name on the CPU; afterwards its generator is where it was."""
        generator, digest = torch.default_generator, sha256(f"{self._seed} {name}".encode()).digest()
        before = generator.get_state()
        # Not torch.manual_seed, which would also seed the generators of GPUs.
        generator.manual_seed(int.from_bytes(digest[:8], "big"))
        try:
            yield
        finally:
            generator.set_state(before)


def draw(block: Tensor, way: InitializerSettings, hidden_size: int) -> None:
    """Fills parameters of (rows, columns) or (rows,) in place.

    Args:
        hidden_size: units of the cell, by which a uniform way measures.
    """
    match way:
        case UniformSettings():
            block.uniform_(*way.ends(hidden_size))
        case NormalSettings():
            block.normal_(std=way.std)
        case XavierSettings(distribution="uniform"):
            nn.init.xavier_uniform_(block, way.gain)
        case XavierSettings():
            nn.init.xavier_normal_(block, way.gain)
        case KaimingSettings(distribution="uniform"):
            nn.init.kaiming_uniform_(block, nonlinearity="relu")
        case KaimingSettings():
            nn.init.kaiming_normal_(block, nonlinearity="relu")
        case OrthogonalSettings():
            nn.init.orthogonal_(block, way.gain)
        case IdentitySettings():
            block.zero_().fill_diagonal_(way.scale)
        case ChronoSettings():
            block.uniform_(1, way.longest - 1).log_()
        case ConstantStartSettings():
            block.fill_(way.value)
        case _:
            raise TypeError(f"nothing draws {type(way).__name__}")
