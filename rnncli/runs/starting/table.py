"""The first rows of a table, with or without a header line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from rnncli.errors import DataError
from rnncli.inputs.files import lines
from rnncli.inputs.tables import Row, TableFormat, format_of, rows
from rnncli.runs.starting.columns import Column
from rnncli.runs.starting.draft import Line
from rnncli.runs.starting.head import LOOKED_AT, Head, look


@dataclass(frozen=True)
class Table:
    """The first rows of a table.

    Attributes:
        columns: called column_1, column_2, ... where there is no header line.
        header: the first line, or JSON, names the columns.
        count: rows of the whole file, as far as they were counted.
        bad: what is wrong with rows that can't be read.
        head: the lines that the rows stand in; None of Parquet.
    """

    path: Path
    format: TableFormat
    columns: list[Column]
    header: bool
    count: int
    bad: list[DataError]
    head: Head | None

    @property
    def seen(self) -> str:
        return f"all {self.count:,} rows" if self.head is None else self.head.seen("rows", self.count)

    @cached_property
    def rows(self) -> int:
        """Rows that were looked at."""
        return len(self.columns[0].cells)

    @property
    def listed(self) -> str:
        """The columns for a message."""
        names = [column.name for column in self.columns]
        return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")

    def lines(self, columns: Sequence[str] | None = None) -> list[Line]:
        """What a config must say for the table to be read at all.

        Args:
            columns: what the columns are to be called where there is no header line.
        """
        said = []
        if format_of(self.path) != self.format:
            said.append(Line("format", self.format, "the file's name doesn't say so"))
        if self.head is not None and self.head.encoding != "utf-8":
            said.append(Line("encoding", self.head.encoding, "bytes that are not UTF-8; a guess"))
        if not self.header:
            names = [column.name for column in self.columns] if columns is None else list(columns)
            said.append(Line("columns", names, "no header: the first line looks like the others; names made up"))
        if self.bad:
            place = "" if self.bad[0].line is None else f"line {self.bad[0].line} "
            said.append(
                Line("skip_bad_rows", True, f"{len(self.bad)} of the first rows can't be read, as {place.strip()}")
            )
        return said


def look_at_table(path: Path, format: TableFormat | None = None) -> Table:
    """Reads the first rows of a table.

    Raises:
        DataError: it is absent, empty, damaged, or parts its columns by something else than commas or tabs.
    """
    format = format or format_of(path)
    if format == "parquet":
        return _look_at_parquet(path)
    head = look(path)
    if format is None:
        format = _format_by_content(head)
    if format == "jsonl":
        return _table(
            path, "jsonl", list(islice(rows(path, "jsonl", encoding=head.encoding), LOOKED_AT)), True, [], head
        )
    format = _separator(head, format)
    bad: list[DataError] = []
    names = [f"column_{number}" for number in range(1, _width(head, format) + 1)]
    found = rows(path, format, columns=names, encoding=head.encoding, on_bad_row=bad.append)
    read = list(islice(found, LOOKED_AT + 1))
    if not read or len(bad) > len(read) // 10:
        raise bad[0] if bad else DataError("is empty", path)
    if not _has_header(read):
        return _table(path, format, read[:LOOKED_AT], False, bad, head)
    header = list(read[0].values.values())
    for name in header:
        if name and header.count(name) > 1:
            raise DataError(f"the header has two columns {name!r}", path, 1)
    named = [name or number for name, number in zip(header, names, strict=True)]
    body = [Row(row.line, dict(zip(named, row.values.values(), strict=True))) for row in read[1:]]
    if not body:
        raise DataError("has a header and no rows", path)
    return _table(path, format, body, True, bad, head)


def _table(path: Path, format: TableFormat, read: list[Row], header: bool, bad: list[DataError], head: Head) -> Table:
    names = list(dict.fromkeys(name for row in read for name in row.values))
    columns = [Column(name, [row.values.get(name, "") for row in read]) for name in names]
    above = 1 if header and format != "jsonl" else 0
    count = round((head.count - above) * len(read) / (read[-1].line - above)) if len(read) == LOOKED_AT else len(read)
    return Table(path, format, columns, header, count, bad, head)


def _look_at_parquet(path: Path) -> Table:
    read = list(islice(rows(path, "parquet"), LOOKED_AT))
    if not read:
        raise DataError("has no rows", path)
    columns = [Column(name, [row.values[name] for row in read]) for name in read[0].values]
    return Table(path, "parquet", columns, True, len(read), [], None)


def _format_by_content(head: Head) -> TableFormat:
    first = head.filled[0]
    return "jsonl" if first.startswith("{") else "tsv" if "\t" in first else "csv"


def _separator(head: Head, format: TableFormat) -> TableFormat:
    """CSV or TSV, by what parts the cells."""
    first = head.filled[:10]

    def alike(mark: str) -> bool:
        return first[0].count(mark) > 0 and len({line.count(mark) for line in first}) == 1

    if format == "csv" and not alike(","):
        if alike("\t"):
            return "tsv"
        if alike(";"):
            raise DataError(
                "parts its columns by ';', and tables are read with ',' (.csv) or tabs (.tsv)", head.path, 1
            )
    return format


def _width(head: Head, format: TableFormat) -> int:
    numbered = lines(head.path, head.encoding)
    if format == "tsv":
        return next(text.count("\t") + 1 for _, text in numbered if text)
    try:
        return len(next(fields for fields in csv.reader(text + "\n" for _, text in numbered) if fields))
    except csv.Error as error:
        raise DataError(f"is no valid CSV: {error}", head.path, 1) from None


def _has_header(read: list[Row]) -> bool:
    """Whether the first row names the columns, by what sets it apart from the others (Python's csv.Sniffer asks alike).

    A cell speaks for a header where the others of its column are numbers or times and it is none; or are long texts
    and it is short. It speaks against one where it is like the others: a number, a long text, a class seen again.
    """
    votes = 0
    for name, first in read[0].values.items():
        others = Column(name, [row.values[name] for row in read[1:]])
        alone = Column(name, [first])
        if not others.filled:
            continue
        if not first.strip():
            return True
        if others.numeric or others.times:
            votes += -1 if alone.numeric or alone.times else 1
        elif others.words >= 4:
            votes += -1 if alone.words >= 4 else 1
        elif first in others.counts:
            votes -= 1
    return votes >= 0
