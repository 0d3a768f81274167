"""What a model must know of its inputs, by name: the key under which a batch carries them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PADDING, UNKNOWN = 0, 1
"""The first two entries of every vocabulary."""

LARGEST = float(np.finfo(np.float32).max)
"""The model's numbers are float32: larger ones would be infinite there."""


@dataclass(frozen=True)
class Tokens:
    """Ids of words, characters or pieces, (batch, time) int64.

    Attributes:
        size: entries of the vocabulary, PADDING and UNKNOWN included.
        vectors: (size, width) pretrained vectors, NaN in rows that have none.
    """

    size: int
    vectors: np.ndarray | None = None


@dataclass(frozen=True)
class Spelling:
    """Positions in the batch's `spellings`, (batch, time) int64: which of its distinct words stands here.

    Attributes:
        size: entries of the vocabulary of characters.
    """

    size: int


@dataclass(frozen=True)
class Categories:
    """Ids of one categorical column, (batch, time) int64.

    Attributes:
        size: distinct values, PADDING and UNKNOWN included.
    """

    size: int


@dataclass(frozen=True)
class Values:
    """Numbers, (batch, time, width) float32, scaled as the loader was told.

    Attributes:
        width: columns.
        targets: which of these columns are forecast, in the order of the target's names.
    """

    width: int
    targets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Images:
    """Pictures, (batch, 1, 3, height, width) uint8."""

    height: int
    width: int


Feature = Tokens | Spelling | Categories | Values | Images
