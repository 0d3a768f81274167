"""The .ts files of the UCR/UEA archive: `#` comments, `@` headers, after `@data` one case a line.

Dimensions are parted by ":", their values by ",", the class or the value to be found stands after the last ":"
    15.2,15.1,?:0.3,0.2,0.1:up
is a case of two dimensions, three steps, one missing value and the class up (sktime's description of the format).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from rnncli.errors import DataError, unknown
from rnncli.inputs.files import OnBadRow, lines, place
from rnncli.inputs.time_series.numbers import numbers
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.whole_target import give_target


def read(
    source: Path | BinaryIO, settings: TimeSeriesSettings, with_target: bool, on_bad_row: OnBadRow | None
) -> Iterator[Series]:
    """The cases of a file, as they are read; named by their number from 1."""
    name, headers, started = place(source), _Headers(), False
    dimensions: int | None = None
    case = 0
    for line, raw in lines(source, settings.encoding, on_bad_row):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        if not started:
            started = headers.take(text, name, line)
            if started and with_target:
                headers.check(settings.target.kind, name, line)
            continue
        case += 1
        try:
            series = _case(text, case, line, name, headers, settings if with_target else None)
            dimensions = dimensions or headers.dimensions or series.values.shape[1]
            if series.values.shape[1] != dimensions:
                raise DataError(
                    f"a case of {series.values.shape[1]} dimensions where others have {dimensions}", name, line
                )
        except DataError as error:
            if on_bad_row is None:
                raise
            on_bad_row(error)
            continue
        yield series
    if not started:
        raise DataError("has no line @data, so no cases", name)


class _Headers:
    """The lines that begin with @."""

    def __init__(self) -> None:
        self.dimensions: int | None = None
        self.classes: list[str] | None = None
        self.target = False

    def take(self, text: str, place: str, line: int) -> bool:
        """Notes one header; True where the data begin."""
        key, _, rest = text.partition(" ")
        words = rest.split()
        yes = bool(words) and words[0].lower() == "true"
        match key.lower():
            case "@data":
                return True
            case "@timestamps" if yes:
                raise DataError("@timeStamps true: cases with time stamps are not read, only plain values", place, line)
            case "@classlabel" if yes:
                self.classes = words[1:]
            case "@targetlabel" if yes:
                self.target = True
            case "@dimension" | "@dimensions" if words and words[0].isdigit():
                self.dimensions = int(words[0])
            case _ if not key.startswith("@"):
                raise DataError("a case before the line @data", place, line)
        return False

    def check(self, kind: str, place: str, line: int) -> None:
        """Raises a DataError where the file has no target of this kind."""
        if kind in ("class", "labels") and self.classes is None:
            raise DataError(f"holds no classes (no @classLabel true), but data.target.kind is {kind}", place, line)
        if kind == "value" and not self.target:
            raise DataError("holds no values to be found (no @targetLabel true), but data.target.kind is value", place)


def _case(
    text: str, case: int, line: int, place: str, headers: _Headers, settings: TimeSeriesSettings | None
) -> Series:
    parts = text.split(":")
    target = parts.pop().strip() if headers.classes is not None or headers.target else ""
    if not parts:
        raise DataError("has a target and no values", place, line)
    texts = [part.split(",") if part.strip() else [] for part in parts]
    lengths = sorted({len(dimension) for dimension in texts})
    if len(lengths) > 1:
        raise DataError(f"its dimensions differ in length: {', '.join(map(str, lengths))}", place, line)
    if lengths == [0]:
        raise DataError("a case without values", place, line)
    flat = [text for dimension in texts for text in dimension]
    values, wrong = numbers(pa.array(flat, pa.string()))
    if wrong.any():
        dimension, step = divmod(int(wrong.argmax()), lengths[0])
        raise DataError(
            f"dimension {dimension + 1}, step {step + 1}: {texts[dimension][step]!r} is no finite number", place, line
        )
    lines_of = np.full(lengths[0], line)
    series = Series(str(case), place, lines_of, None, None, values.reshape(len(texts), lengths[0]).T.copy())
    if settings is not None:
        if headers.classes and target not in headers.classes:
            raise DataError(unknown("class", target, headers.classes), place, line)
        give_target(series, [target], settings, place, line)
    return series
