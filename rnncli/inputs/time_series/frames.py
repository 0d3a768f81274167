"""Pieces as lists of active pitches, in JSON: a list of pieces, or an object with one such list for each part.

    {"train": [[[60, 64, 67], [60, 65], []], ...], "valid": [...], "test": [...]}
is a piece of three steps: three notes, two notes, silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, damage, open_binary, place
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings

PARTS = ("train", "valid", "test")


def columns(settings: TimeSeriesSettings) -> list[str]:
    """The names of the values: the pitches."""
    lowest, highest = settings.pitches
    return [str(pitch) for pitch in range(lowest, highest + 1)]


def parts(path: Path) -> list[str]:
    """The parts that a file holds; none where it is a plain list of pieces."""
    content = _content(path)
    return [name for name in PARTS if name in content] if isinstance(content, dict) else []


def read(
    source: Path | BinaryIO, settings: TimeSeriesSettings, part: str | None, on_bad_row: OnBadRow | None
) -> Iterator[Series]:
    """The pieces of a part, 0 and 1 for each pitch; of all parts where none is named. Named by their number from 1."""
    content, name = _content(source), place(source)
    if isinstance(content, dict):
        chosen = [key for key in PARTS if key in content] if part is None else [part]
        if not chosen or chosen[0] not in content:
            raise DataError(f"has no part {part or 'train, valid or test'}; its keys: {', '.join(content)}", name)
        pieces = [(key, number, piece) for key in chosen for number, piece in enumerate(_list(content[key], name), 1)]
    else:
        pieces = [("", number, piece) for number, piece in enumerate(_list(content, name), 1)]
    for key, number, piece in pieces:
        where = f"piece {number} of {key}" if key else f"piece {number}"
        try:
            values = _values(piece, settings.pitches, where, name)
        except DataError as error:
            if on_bad_row is None:
                raise
            on_bad_row(error)
            continue
        lines = np.full(len(values), number)
        yield Series(str(number), name, lines, None, None, values)


def _list(pieces: Any, name: str) -> list[Any]:
    if not isinstance(pieces, list):
        raise DataError(f"holds {type(pieces).__name__} where a list of pieces is needed", name)
    return pieces


def _values(piece: Any, pitches: tuple[int, int], where: str, name: str) -> np.ndarray:
    if not isinstance(piece, list) or not all(isinstance(step, list) for step in piece):
        raise DataError(f"{where} is no list of steps, each a list of pitches", name)
    if not piece:
        raise DataError(f"{where} has no steps", name)
    lowest, highest = pitches
    values = np.zeros((len(piece), highest - lowest + 1))
    for number, step in enumerate(piece):
        for pitch in step:
            # JSON's true would pass as the integer 1.
            if type(pitch) is not int or not lowest <= pitch <= highest:
                raise DataError(
                    f"{where}, step {number + 1}: {pitch!r} is no pitch from {lowest} to {highest} (data.pitches)", name
                )
            values[number, pitch - lowest] = 1
    return values


def _content(source: Path | BinaryIO) -> Any:
    if not isinstance(source, Path):
        return _parsed(source.read(), place(source))
    try:
        with open_binary(source) as file:
            data = file.read()
    except damage() as error:
        raise DataError(f"is damaged or can't be read ({error})", source) from None
    return _parsed(data, str(source))


def _parsed(data: bytes, name: str) -> Any:
    try:
        return json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except json.JSONDecodeError as error:
        raise DataError(f"is no valid JSON: {error.msg}", name, error.lineno) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"is no valid JSON: {error}", name) from None
