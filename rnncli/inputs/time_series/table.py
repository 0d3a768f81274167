"""Long tables: one step a row; a column says which series it belongs to, another when it was."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, damage, open_binary
from rnncli.inputs.tables import Row, rows
from rnncli.inputs.time_series.numbers import numbers
from rnncli.inputs.time_series.roles import Roles, roles
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.times import parse

TableSource = Path | BinaryIO | pd.DataFrame
TableFormat = Literal["csv", "tsv", "parquet"]


def place_of(source: TableSource) -> str:
    """What a message calls the source."""
    if isinstance(source, Path):
        return str(source)
    return "the frame" if isinstance(source, pd.DataFrame) else "standard input"


ROWS = 4096
"""Rows that are decoded together where rows are read one by one."""

BYTES = 2**20
"""Bytes of a table that are decoded together where many rows are read at once."""


@dataclass
class Table:
    """Some rows, by columns of text.

    Attributes:
        lines: (rows,) where each row begins in its file.
        records: the rows with all their columns; None where only the needed columns were read.
    """

    columns: dict[str, pa.Array]
    lines: np.ndarray
    records: list[dict[str, str]] | None = None


def tables(
    source: TableSource,
    format: TableFormat,
    parts: Roles,
    settings: TimeSeriesSettings,
    on_bad_row: OnBadRow | None,
    *,
    limit: int | None = None,
    keep_rows: bool = False,
) -> Iterator[Table]:
    """The rows of a source, some thousand at a time.

    Args:
        limit: rows in all.
        keep_rows: keep the columns that are not needed too.
    """
    given = 0
    if isinstance(source, Path) and format != "parquet" and limit is None and not keep_rows:
        for table in _plain(source, format, parts, settings):
            yield table
            given += len(table.lines)
    left_out = [name for name in roles(settings, True).only_targets if name not in parts.needed]
    stream = rows(
        source,
        format,
        columns=settings.columns,
        without=left_out,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    )
    stream = islice(stream, given, limit)
    while block := list(islice(stream, ROWS)):
        parts.check(list(block[0].values), place_of(source))
        yield _table(block, parts, keep_rows)


def _table(block: list[Row], parts: Roles, keep_rows: bool) -> Table:
    columns = {name: pa.array([row.values[name] for row in block], pa.string()) for name in parts.needed}
    lines = np.array([row.line for row in block])
    return Table(columns, lines, [row.values for row in block] if keep_rows else None)


def _plain(path: Path, format: TableFormat, parts: Roles, settings: TimeSeriesSettings) -> Iterator[Table]:
    """The tables of a CSV or TSV from its start, fast, as long as each line is a row and nothing is wrong; what comes
    then is left to the reader that can say where and what."""
    if settings.encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "utf8sig"):
        return
    quote = b'"' if format == "csv" else None
    line, names = 1, settings.columns
    with open_binary(path) as file:
        while True:
            try:
                data = file.read(BYTES)
                data += file.readline()
            except damage():
                return
            if not data:
                return
            if line == 1:
                first = _first_row(data, format, settings)
                if first is None:
                    return
                names = list(first)
                parts.check(names, path)
                if settings.columns is None:
                    data, line = data[data.find(b"\n") + 1 :], 2
            count = data.count(b"\n") + (not data.endswith(b"\n"))
            if quote is not None and data.count(quote) % 2:
                return
            try:
                read = pyarrow.csv.read_csv(
                    pa.BufferReader(data),
                    read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
                    parse_options=pyarrow.csv.ParseOptions(
                        delimiter="," if format == "csv" else "\t", quote_char='"' if quote else False
                    ),
                    convert_options=pyarrow.csv.ConvertOptions(
                        include_columns=parts.needed,
                        column_types=dict.fromkeys(parts.needed, pa.string()),
                        strings_can_be_null=False,
                    ),
                )
            except pa.ArrowInvalid:
                return
            if read.num_rows != count:
                return
            columns = {name: read.column(name).combine_chunks() for name in parts.needed}
            yield Table(columns, np.arange(line, line + count))
            line += count


def _first_row(data: bytes, format: TableFormat, settings: TimeSeriesSettings) -> dict[str, str] | None:
    """The first row of a table, read from its first two lines; None where that is not enough."""
    end = data.find(b"\n", data.find(b"\n") + 1) + 1
    head = io.BytesIO(data[:end] if end else data)
    try:
        row = next(rows(head, format, columns=settings.columns, encoding=settings.encoding), None)
    except DataError:
        return None
    return None if row is None else row.values


@dataclass
class Block:
    """Decoded rows, not yet parted into series.

    Attributes:
        steps: all rows, as if they were one series.
        ids: (rows,) the series of each row; None without such a column.
    """

    steps: Series
    ids: np.ndarray | None


class Decoder:
    """Text to numbers and times, one table of a source after another."""

    def __init__(
        self, source: TableSource, parts: Roles, settings: TimeSeriesSettings, on_bad_row: OnBadRow | None
    ) -> None:
        self.source, self.parts, self.settings, self.on_bad_row = source, parts, settings, on_bad_row
        self.place = place_of(source)
        self._zone: tuple[str, int] | None = None
        self._plain: bool | None = None

    def decode(self, table: Table) -> Block:
        """The rows that can be used.

        Raises:
            DataError: a cell is not what its column must hold and nobody takes bad rows, or the source writes two
                time zones.
        """
        wrong: dict[int, str] = {}

        def numeric(name: str) -> np.ndarray:
            values, bad = numbers(table.columns[name])
            for row in np.flatnonzero(bad).tolist():
                text = table.columns[name][row].as_py()
                wrong.setdefault(row, f"column {name} holds {text!r} where a finite number is needed")
            return values

        def matrix(names: Sequence[str]) -> np.ndarray:
            return np.stack([numeric(name) for name in names], axis=1) if names else np.empty((len(table.lines), 0))

        def objects(name: str) -> np.ndarray:
            return np.asarray(pc.utf8_trim_whitespace(table.columns[name]).to_numpy(zero_copy_only=False), object)

        parts = self.parts
        times, form = self._times(table, wrong) if parts.time is not None else (None, None)
        values, targets = matrix(parts.inputs), matrix(parts.targets)
        label = None if parts.label is None else objects(parts.label)
        if label is not None and self.settings.target.kind == "class":
            for row in np.flatnonzero(label == "").tolist():
                wrong.setdefault(row, f"column {parts.label} holds no class")
        steps = Series(
            name="",
            source=self.source if isinstance(self.source, Path) else None,
            lines=table.lines,
            times=times,
            zone=(self._zone[0] or None) if self._zone else None,
            values=values,
            categories=[objects(name) for name in parts.categories],
            label=None if label is None else label.tolist(),
            target_values=targets if parts.targets else None,
            rows=table.records,
            form=form,
        )
        ids = None if parts.series is None else objects(parts.series)
        if ids is not None:
            for row in np.flatnonzero(ids == "").tolist():
                wrong.setdefault(row, f"column {parts.series} names no series")
        if wrong:
            self._report(wrong, table.lines)
            kept = np.setdiff1d(np.arange(len(table.lines)), list(wrong))
            steps, ids = steps.take(kept), None if ids is None else ids[kept]
        return Block(steps, ids)

    def _report(self, wrong: dict[int, str], lines: np.ndarray) -> None:
        for row in sorted(wrong):
            error = DataError(wrong[row], self.place, int(lines[row]))
            if self.on_bad_row is None:
                raise error
            self.on_bad_row(error)

    def _times(self, table: Table, wrong: dict[int, str]) -> tuple[np.ndarray, str | None]:
        texts = table.columns[self.parts.time or ""]
        parsed = parse(texts, self.settings.time_format, self._plain)
        self._plain = parsed.form is None
        for row in np.flatnonzero(parsed.wrong).tolist():
            wrong[row] = f"column {self.parts.time} holds {_not_understood(texts[row].as_py(), parsed.form)}"
        for zone, row in parsed.zones.items():
            line = int(table.lines[row])
            self._zone = self._zone or (zone, line)
            if zone != self._zone[0]:
                raise DataError(
                    f"a time with {_zone(zone)}, but line {self._zone[1]} has {_zone(self._zone[0])}; "
                    f"column {self.parts.time} must keep to one",
                    self.place,
                    line,
                )
        return parsed.values, parsed.form


def _not_understood(text: str, form: str | None) -> str:
    if not text.strip():
        return "no time"
    if form is None:
        return f"{text!r} where a number is needed, as in the rows before"
    return f"{text!r}, not understood as a time from 1678 to 2261 (data.time_format can say how times are written)"


def _zone(zone: str) -> str:
    return f"the time zone {zone}" if zone else "no time zone"
