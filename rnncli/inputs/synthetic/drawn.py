"""What a generator gives, and what it draws from."""

from __future__ import annotations

from typing import NamedTuple
from zlib import crc32

import numpy as np


class Drawn(NamedTuple):
    """Examples of one part.

    Attributes:
        inputs: numbers, (examples, steps, width) float32; symbols, (examples, steps) uint8; or the ASCII characters of
            a stream, (characters,) uint8.
        targets: values, (examples, values) float32; classes, (examples,) or (examples, steps) int8, NO_TARGET where
            nothing is asked; or which characters of a stream are to be predicted, (characters,) bool.
    """

    inputs: np.ndarray
    targets: np.ndarray

    def followed_by(self, other: Drawn) -> Drawn:
        """These examples and then those of the other."""
        return Drawn(
            np.concatenate([self.inputs, other.inputs]),
            np.concatenate([self.targets, other.targets]),
        )


def generator(seed: int, name: str, part: str) -> np.random.Generator:
    """Random numbers of one part of a task, apart from those of all others."""
    return np.random.default_rng([seed, crc32(f"{name} {part}".encode())])
