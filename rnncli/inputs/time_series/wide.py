"""Wide tables: one series a row, first its name, then its values; empty cells after the last value are its end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.tables import require, rows
from rnncli.inputs.time_series.numbers import numbers
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.table import TableFormat, TableSource, place_of
from rnncli.inputs.time_series.whole_target import give_target


def read(
    source: TableSource,
    format: TableFormat,
    settings: TimeSeriesSettings,
    with_target: bool,
    on_bad_row: OnBadRow | None,
) -> Iterator[Series]:
    """The series of a table, as they are read; the kinds class, labels and value take their target from the columns
    that the target names, which are then no values."""
    place = place_of(source)
    separate = [] if settings.target.kind in ("forecast", "next") else settings.target.names
    seen: dict[str, int] = {}
    for row in rows(
        source,
        format,
        columns=settings.columns,
        without=() if with_target else separate,
        separator=settings.separator,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    ):
        if with_target:
            require(row.values, separate, place, "data.target.columns")
        if settings.series is not None:
            require(row.values, [settings.series], place, "data.series")
        named = settings.series or next(name for name in row.values if name not in separate)
        name = row.values[named]
        try:
            if name in seen:
                raise DataError(f"series {name} stands here again, first in line {seen[name]}", place, row.line)
            cells = {column: text for column, text in row.values.items() if column not in (named, *separate)}
            series = _series(name, cells, row.line, place)
            if with_target and separate:
                give_target(series, [row.values[column] for column in separate], settings, place, row.line)
        except DataError as error:
            if on_bad_row is None:
                raise
            on_bad_row(error)
            continue
        seen[name] = row.line
        series.rows = [{named: name}]
        yield series


def _series(name: str, cells: dict[str, str], line: int, place: str) -> Series:
    columns, texts = list(cells), list(cells.values())
    while texts and not texts[-1].strip():
        texts.pop()
    if not texts:
        raise DataError(f"series {name} has no values", place, line)
    values, wrong = numbers(pa.array(texts, pa.string()))
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(f"column {columns[at]} holds {texts[at]!r} where a finite number is needed", place, line)
    lines = np.full(len(values), line)
    return Series(name, place, lines, None, None, values[:, None])
