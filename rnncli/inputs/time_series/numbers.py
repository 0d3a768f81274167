"""Cells of text to numbers, a whole column at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rnncli.inputs.features import LARGEST

MISSING = ("", "?", "na", "n/a", "nan", "none", "null")
"""How a missing number is written, in lower case."""

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def numbers(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The values of texts, float64 and NaN where missing, and a mask of those that are no number up to LARGEST."""
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(MISSING))
    try:
        values = _cast(pc.if_else(missing, None, trimmed))
        wrong = np.abs(values) > LARGEST
    except pa.ArrowInvalid:
        readable = pc.and_(pc.match_substring_regex(trimmed, _NUMBER), pc.invert(missing))
        values = _cast(pc.if_else(readable, trimmed, None))
        wrong = ~pc.or_(readable, missing).to_numpy(zero_copy_only=False) | (np.abs(values) > LARGEST)
    values[wrong] = np.nan
    return values, wrong


def _cast(texts: pa.Array) -> np.ndarray:
    values: np.ndarray = pc.cast(texts, pa.float64()).to_numpy(zero_copy_only=False)
    # Arrow may hand out its own memory, which can't be written to.
    return values if values.flags.writeable else values.copy()
