"""The rows of long tables (one step a row) as columns of text, some thousand rows at a time."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, damage, open_binary
from rnncli.inputs.tables import Row, rows
from rnncli.inputs.time_series.roles import Roles, roles
from rnncli.inputs.time_series.settings import TimeSeriesSettings

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
    together: int = ROWS,
) -> Iterator[Table]:
    """The rows of a source, some thousand at a time.

    Args:
        limit: rows in all.
        keep_rows: keep the columns that are not needed too.
        together: rows of one table, where they are read one by one.
    """
    given: int | None = 0
    if isinstance(source, Path) and format != "parquet" and limit is None and not keep_rows:
        given = yield from _plain(source, format, parts, settings)
        if given is None:
            return
    left_out = [name for name in roles(settings, True).only_targets if name not in parts.needed]
    stream = rows(
        source,
        format,
        columns=settings.columns,
        without=left_out,
        separator=settings.separator,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    )
    stream = islice(stream, given, limit)
    while block := list(islice(stream, together)):
        parts.check(list(block[0].values), place_of(source))
        yield _table(block, parts, keep_rows)


def _table(block: list[Row], parts: Roles, keep_rows: bool) -> Table:
    columns = {name: pa.array([row.values[name] for row in block], pa.string()) for name in parts.needed}
    lines = np.array([row.line for row in block])
    return Table(columns, lines, [row.values for row in block] if keep_rows else None)


def _plain(
    path: Path, format: TableFormat, parts: Roles, settings: TimeSeriesSettings
) -> Generator[Table, None, int | None]:
    """The tables of a CSV or TSV from its start, fast, as long as each line is a row and nothing is wrong.

    Returns the rows given where the rest is left to the reader that can say where and what is wrong; None at the end.
    """
    if settings.encoding.lower().replace("-", "").replace("_", "") not in ("utf8", "utf8sig"):
        return 0
    quote = b'"' if format == "csv" else None
    line, given, names = 1, 0, settings.columns
    with open_binary(path) as file:
        while True:
            try:
                data = file.read(BYTES)
                data += file.readline()
            except damage():
                return given
            if not data:
                return None if given else 0
            if line == 1:
                first = _first_row(data, format, settings)
                if first is None:
                    return 0
                names = list(first)
                parts.check(names, path)
                if settings.columns is None:
                    data, line = data[data.find(b"\n") + 1 :], 2
            count = data.count(b"\n") + (not data.endswith(b"\n"))
            if quote is not None and data.count(quote) % 2:
                return given
            try:
                read = pyarrow.csv.read_csv(
                    pa.BufferReader(data),
                    read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
                    parse_options=pyarrow.csv.ParseOptions(
                        delimiter=settings.separator if format == "csv" else "\t", quote_char='"' if quote else False
                    ),
                    convert_options=pyarrow.csv.ConvertOptions(
                        include_columns=parts.needed,
                        column_types=dict.fromkeys(parts.needed, pa.string()),
                        strings_can_be_null=False,
                    ),
                )
            except pa.ArrowInvalid:
                return given
            if read.num_rows != count:
                return given
            columns = {name: read.column(name).combine_chunks() for name in parts.needed}
            yield Table(columns, np.arange(line, line + count))
            line, given = line + count, given + count


def _first_row(data: bytes, format: TableFormat, settings: TimeSeriesSettings) -> dict[str, str] | None:
    """The first row of a table, read from its first two lines; None where that is not enough."""
    end = data.find(b"\n", data.find(b"\n") + 1) + 1
    head = io.BytesIO(data[:end] if end else data)
    try:
        found = rows(head, format, columns=settings.columns, separator=settings.separator, encoding=settings.encoding)
        row = next(found, None)
    except DataError:
        return None
    return None if row is None else row.values
