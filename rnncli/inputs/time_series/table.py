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
from rnncli.inputs.time_series.roles import Roles
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
    size: int,
    limit: int | None = None,
    keep_rows: bool = False,
) -> Iterator[Table]:
    """The rows of a source, `size` at a time."""
    stream = rows(
        source,
        format,
        columns=settings.columns,
        without=[] if parts.label or parts.targets else _spare(settings),
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    )
    stream = islice(stream, limit)
    while block := list(islice(stream, size)):
        parts.check(list(block[0].values), place_of(source))
        yield _table(block, parts, keep_rows)


def _spare(settings: TimeSeriesSettings) -> Sequence[str]:
    """Columns that a file without header need not have where no target is wanted."""
    if settings.target.kind in ("forecast", "next") or settings.target.columns is None:
        return ()
    columns = settings.target.columns
    return [columns] if isinstance(columns, str) else columns


def _table(block: list[Row], parts: Roles, keep_rows: bool) -> Table:
    columns = {name: pa.array([row.values[name] for row in block], pa.string()) for name in parts.needed}
    lines = np.array([row.line for row in block])
    return Table(columns, lines, [row.values for row in block] if keep_rows else None)


def whole(path: Path, format: TableFormat, parts: Roles, settings: TimeSeriesSettings) -> Table | None:
    """A whole CSV or TSV read at once and fast; None where it is not one row a line, or anything is wrong with it,
    which `tables` then locates."""
    if format == "parquet" or settings.encoding.lower().replace("_", "-") not in ("utf-8", "utf-8-sig"):
        return None
    try:
        with open_binary(path) as file:
            data = file.read()
    except damage():
        return None
    end = data.find(b"\n", data.find(b"\n") + 1) + 1
    try:
        first = next(rows(io.BytesIO(data[:end] if end else data), format, columns=settings.columns), None)
    except DataError:
        return None
    if first is None:
        return None
    parts.check(list(first.values), str(path))
    skipped = 1 if settings.columns is None else 0
    try:
        read = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(column_names=list(first.values), skip_rows=skipped),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter="," if format == "csv" else "\t", quote_char='"' if format == "csv" else False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=parts.needed,
                column_types=dict.fromkeys(parts.needed, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if read.num_rows + skipped != data.count(b"\n") + (not data.endswith(b"\n")):
        return None
    columns = {name: read.column(name).combine_chunks() for name in parts.needed}
    return Table(columns, np.arange(read.num_rows) + 1 + skipped)


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
