"""Draws the numbers that parameters start from."""

from __future__ import annotations

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


def draw(block: Tensor, way: InitializerSettings) -> None:
    """Fills one block of parameters, (hidden, columns) or (hidden,), in place."""
    match way:
        case UniformSettings():
            block.uniform_(*way.ends(len(block)))
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
