"""Rows of tables: CSV, TSV, JSON lines, Parquet and frames, as text, streamed."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from rnncli.errors import DataError, nearest
from rnncli.inputs.files import OnBadRow, lines, open_binary, place, suffix
from rnncli.inputs.frame import is_frame
from rnncli.inputs.settings import Separator

if TYPE_CHECKING:
    import pandas as pd

TableFormat = Literal["csv", "tsv", "jsonl", "parquet"]

FORMATS: Mapping[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""The format that a suffix stands for."""

BLOCK = 4096
"""Rows taken at once where a source is not read line by line."""

LONGEST_CELL = 2**24
"""Characters of a cell of CSV; a quote that is never closed would else take the rest of a file into memory."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        line: where it begins: line of the file from 1; the row from 1 in Parquet and frames.
        values: cells by column, as text; missing ones are "".
    """

    line: int
    values: dict[str, str]


def format_of(path: Path) -> TableFormat | None:
    """The table format that the file's name says, compressed or not."""
    return FORMATS.get(suffix(path))


def rows(
    source: Path | BinaryIO | pd.DataFrame,
    format: TableFormat,
    *,
    columns: Sequence[str] | None = None,
    without: Sequence[str] = (),
    separator: Separator = ",",
    encoding: str = "utf-8",
    on_bad_row: OnBadRow | None = None,
) -> Iterator[Row]:
    """The rows of a table as they are read.

    CSV follows RFC 4180 (quotes, also around line ends); TSV has no quoting: a tab always parts two cells. Lines with
    nothing in them are no rows. A column without a name in the header is called column_N, N counted from 1. A frame
    needs no format.

    Args:
        columns: names of the columns of a CSV or TSV that has no header line.
        without: columns (the target) that a file without header may leave out, all of them in all its rows.
        separator: what stands between the cells of CSV.
        on_bad_row: is told of each row that can't be read, instead of an error being raised.

    Raises:
        DataError: the file is absent, empty or damaged, its header is not usable, or a row can't be read.
    """
    if is_frame(source):
        return _frame(source)
    if format == "parquet":
        return _parquet(source)
    if format == "jsonl":
        return _json_lines(source, encoding, on_bad_row)
    name = place(source)
    numbered = lines(source, encoding, on_bad_row)
    cells = _tsv_cells(numbered) if format == "tsv" else _csv_cells(name, numbered, separator, on_bad_row)
    return _separated(name, cells, columns, without, on_bad_row)


def require(columns: Iterable[str], needed: Iterable[str], path: str | Path | None, setting: str) -> None:
    """Checks that columns are there.

    Raises:
        DataError: one is missing; names it, the setting that asks for it, the nearest and those present, or how the
            table could be cut into columns where it has but one.
    """
    present = list(columns)
    for name in needed:
        if name not in present:
            whole = _uncut(present)
            close = None if whole else nearest(name, present)
            hint = f"did you mean {close!r}? " if close else ""
            raise DataError(
                f"has no column {name!r} ({setting}); {whole or f'{hint}its columns: ' + ', '.join(present)}", path
            )


def complete(
    found: Iterable[Row], needed: Mapping[str, str], name: str, format: TableFormat, on_bad_row: OnBadRow | None
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line and cells of each row that has the columns `needed`, by the settings that ask for them.

    Raises:
        DataError: a column is missing; in JSON lines, where each row has its own, only if `on_bad_row` is None.
    """
    for row in found:
        missing = next((key for key in needed if key not in row.values), None)
        if missing is None:
            yield row.line, row.values
            continue
        try:
            require(row.values, [missing], f"{name}:{row.line}" if format == "jsonl" else name, needed[missing])
        except DataError as bad:
            if on_bad_row is None or format != "jsonl":
                raise
            on_bad_row(bad)


def _uncut(columns: list[str]) -> str | None:
    """What a header of one column tells of a table that is cut at the wrong places."""
    for mark, remedy in (("\t", "data.format: tsv"), (";", 'data.separator: ";"'), ("|", 'data.separator: "|"')):
        if len(columns) == 1 and mark in columns[0]:
            return f"its header is one column, {columns[0]!r}; perhaps {remedy} cuts it"
    if len(columns) == 1 and "," in columns[0]:
        return f"its header is one column, {columns[0]!r}; perhaps data.format: csv cuts it"
    return None


def _separated(
    name: str,
    cells: Iterator[tuple[int, list[str]]],
    columns: Sequence[str] | None,
    without: Sequence[str],
    on_bad_row: OnBadRow | None,
) -> Iterator[Row]:
    names = None
    for line, fields in cells:
        if names is None:
            names = _header(fields, name, line) if columns is None else _headless(fields, columns, without)
            if columns is None:
                continue
        if len(fields) == len(names):
            yield Row(line, dict(zip(names, fields, strict=True)))
        else:
            wanted = "the header" if columns is None else "data.columns"
            bad = DataError(f"has {counted(len(fields), 'field')}, {wanted} has {len(names)}", name, line)
            if on_bad_row is None:
                raise bad
            on_bad_row(bad)
    if names is None:
        raise DataError("is empty", name)


def _csv_cells(
    name: str, numbered: Iterator[tuple[int, str]], separator: Separator, on_bad_row: OnBadRow | None
) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(LONGEST_CELL)
    again: deque[tuple[int, str]] = deque()
    taken: list[tuple[int, str]] = []

    def fed() -> Iterator[str]:
        while (one := again.popleft() if again else next(numbered, None)) is not None:
            taken.append(one)
            yield one[1] + "\n"

    reader = csv.reader(fed(), delimiter=separator, strict=True)
    while True:
        taken.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            bad = DataError(f"is no valid CSV: {_reason(str(error))}", name, taken[0][0])
            if on_bad_row is None:
                raise bad from None
            on_bad_row(bad)
            # A stray quote takes the rows behind it into its cell: they are read anew.
            again.extendleft(reversed(taken[1:]))
            reader = csv.reader(fed(), delimiter=separator, strict=True)
            continue
        if fields:
            yield taken[0][0], fields


def _reason(error: str) -> str:
    if "unexpected end" in error:
        return "a quote is opened and never closed"
    if "expected after" in error:
        return "a quoted cell goes on behind its closing quote (a quote within such a cell is written twice)"
    if "field limit" in error:
        return f"a cell has more than {LONGEST_CELL} characters; perhaps a quote is opened and never closed"
    return error


def _tsv_cells(numbered: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    return ((line, text.split("\t")) for line, text in numbered if text)


def _header(fields: list[str], name: str, line: int) -> list[str]:
    names = [field or f"column_{position}" for position, field in enumerate(fields, 1)]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise DataError(f"the header has two columns {twice!r}", name, line)
    return names


def _headless(fields: list[str], columns: Sequence[str], without: Sequence[str]) -> list[str]:
    shorter = [column for column in columns if column not in without]
    return shorter if len(fields) == len(shorter) else list(columns)


def _json_lines(source: Path | BinaryIO, encoding: str, on_bad_row: OnBadRow | None) -> Iterator[Row]:
    name, empty = place(source), True
    for line, text in lines(source, encoding, on_bad_row):
        if not text.strip():
            continue
        empty = False
        try:
            record = json.loads(text)
            bad = None if isinstance(record, dict) else DataError("is JSON but no object ({...})", name, line)
            if "\\u" in text:
                json.dumps(record, ensure_ascii=False).encode()  # Fails on half a character, as \ud800.
        except (json.JSONDecodeError, RecursionError, UnicodeEncodeError) as error:
            bad = DataError(f"is no valid JSON: {error}", name, line)
        if bad is None:
            yield Row(line, {key: _text(value) for key, value in record.items()})
        elif on_bad_row is None:
            raise bad
        else:
            on_bad_row(bad)
    if empty:
        raise DataError("is empty", name)


def _parquet(source: Path | BinaryIO) -> Iterator[Row]:
    import pyarrow
    import pyarrow.parquet

    # Parquet is read from its end, which a pipe can't do.
    stream = open_binary(source) if isinstance(source, Path) else io.BytesIO(source.read())
    try:
        with stream, pyarrow.parquet.ParquetFile(stream) as file:
            number = 0
            for batch in file.iter_batches(batch_size=BLOCK):
                for record in batch.to_pylist():
                    number += 1
                    yield Row(number, {key: _text(value) for key, value in record.items()})
    except pyarrow.ArrowException as error:
        raise DataError(f"can't be read as Parquet ({error})", place(source)) from None


def _frame(frame: pd.DataFrame) -> Iterator[Row]:
    names = [str(column) for column in frame.columns]
    for start in range(0, len(frame), BLOCK):
        block = frame.iloc[start : start + BLOCK]
        missing = block.isna()
        cells = [
            ["" if gone else _text(value) for value, gone in zip(block.iloc[:, k], missing.iloc[:, k], strict=True)]
            for k in range(len(names))
        ]
        for offset, fields in enumerate(zip(*cells, strict=True)):
            yield Row(start + offset + 1, dict(zip(names, fields, strict=True)))


def _text(value: Any) -> str:
    """A cell as text: JSON for what has parts, "" for none."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, bool | list | dict) else str(value)


def counted(number: int, noun: str) -> str:
    """A number of things: "1 row", "2 rows"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
