"""Arrays of numbers in the format of NumPy."""

from __future__ import annotations

import tokenize
import warnings
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.features import LARGEST

DAMAGE = (OSError, EOFError, ValueError, TypeError, MemoryError, tokenize.TokenError, BadZipFile)
"""What a damaged header of such a file may raise."""


def read_npy(source: BinaryIO, place: str | Path) -> np.ndarray:
    """The numbers of a .npy file, of any shape and type, all of them finite as float32.

    Args:
        place: what messages call it.

    Raises:
        DataError: it holds none.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # Its header is read as Python, which warns of odd numbers.
            values = np.load(source, allow_pickle=False)
    except DAMAGE as error:
        raise DataError(f"can't be read as an array of numbers ({error})", place) from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        found = values.dtype if isinstance(values, np.ndarray) else "an archive of arrays"
        raise DataError(f"holds {found} where an array of numbers is needed", place)
    if not (np.abs(values) <= LARGEST).all():
        row = next(row for row, one in enumerate(np.atleast_1d(values), 1) if not (np.abs(one) <= LARGEST).all())
        raise DataError(f"row {row} has a number that is not finite", place)
    return values
