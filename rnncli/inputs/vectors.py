"""Pretrained word vectors in the text formats of GloVe and word2vec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.files import lines


def read(path: Path, words: Mapping[str, int], size: int) -> np.ndarray:
    """(size, width) float32: the vector of each word at its id, NaN where the file has none.

    One vector a line, the word first, parted by spaces; word2vec's first line with the number of vectors and their
    width is passed over. A word may itself hold spaces (GloVe 840B). Of a word that stands twice the first counts.

    Raises:
        DataError: the file is absent or empty, or a line has another width than the first or no numbers.
    """
    table: np.ndarray | None = None
    width = 0
    for line, text in lines(path):
        fields = text.rstrip(" ").split(" ")
        if line == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            continue
        if table is None:
            width = len(fields) - 1
            if width == 0:
                raise DataError("has no numbers after the word", path, line)
            table = np.full((size, width), np.nan, np.float32)
        if len(fields) != width + 1:
            if len(fields) <= width or _is_number(fields[1]):
                raise DataError(f"has {len(fields) - 1} numbers, the first vector has {width}", path, line)
            fields = [" ".join(fields[:-width]), *fields[-width:]]
        position = words.get(fields[0])
        if position is not None and np.isnan(table[position, 0]):
            try:
                table[position] = fields[1:]
            except ValueError:
                wrong = next(field for field in fields[1:] if not _is_number(field))
                raise DataError(f"{wrong!r} is no number", path, line) from None
    if table is None:
        raise DataError("holds no vectors", path)
    return table


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
