"""Sentences of files in columns, as they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, lines, place
from rnncli.inputs.tables import counted
from rnncli.inputs.tagging.columns import CONLLU, Columns

MARKS = ("\t", ";", "|", ",", "/", " ")
"""What else than the separator may stand between columns, the likeliest first."""


@dataclass(slots=True)
class Sentence:
    """The columns of each token, and the line each stands on."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


def sentences(
    source: Path | BinaryIO, columns: Columns, encoding: str, on_bad_row: OnBadRow, *, tagged: bool
) -> Iterator[Sentence]:
    """The sentences of a file; a sentence ends at a line that is empty or holds only white space.

    All lines have the same number of columns. Comments, -DOCSTART- lines, and the multiword tokens (3-4) and empty
    nodes (8.1) of CoNLL-U are passed over.

        EU      B-ORG
        rejects O

    Args:
        on_bad_row: is told of the first bad line of a sentence, which is then left out as a whole.
        tagged: every line must have a tag; otherwise a line of one column is a token by itself.

    Raises:
        DataError: the file is absent or damaged.
    """
    sentence, spoilt = Sentence(), False

    def spoil(bad: DataError) -> None:
        nonlocal spoilt
        if not spoilt:
            on_bad_row(bad)
        spoilt = True

    for line, row in tokens(source, columns, encoding, spoil, tagged=tagged):
        if row is not None:
            sentence.rows.append(row)
            sentence.lines.append(line)
            continue
        if sentence.rows and not spoilt:
            yield sentence
        sentence, spoilt = Sentence(), False
    if sentence.rows and not spoilt:
        yield sentence


def tokens(
    source: Path | BinaryIO, columns: Columns, encoding: str, on_bad_row: OnBadRow, *, tagged: bool
) -> Iterator[tuple[int, list[str] | None]]:
    """The line and the columns of each token as they are read; None for its columns where a sentence ends.

    Args:
        on_bad_row: is told of each bad line, which is then left out.
        tagged: as in `sentences`.
    """
    name = place(source)
    first: tuple[int, int] | None = None
    for line, text in lines(source, encoding, on_bad_row):
        if not text or text.isspace() or text.startswith("-DOCSTART-"):
            yield line, None
        elif not (columns.comment and text.startswith(columns.comment)):
            row = columns.split(text)
            if columns.conllu and len(row) > 1 and ("-" in row[0] or "." in row[0]):
                continue
            fault = _fault(row, text, columns, tagged)
            if not fault:
                first = first or (len(row), line)
                if len(row) != first[0]:
                    fault = f"has {counted(len(row), 'column')}, line {first[1]} has {first[0]}"
            if fault:
                on_bad_row(DataError(fault, name, line))
            else:
                yield line, row


def _fault(row: list[str], text: str, columns: Columns, tagged: bool) -> str | None:
    width = len(row)
    if width == 1 and not tagged:
        return None
    if columns.conllu and width != len(CONLLU):
        return f"has {counted(width, 'column')}, CoNLL-U has {len(CONLLU)}"
    if width == 1:
        mark = next((mark for mark in MARKS if mark in text), None)
        hint = f"; perhaps data.separator: {json.dumps(mark)} cuts it" if mark else ""
        return f"has 1 column where a token and its tag are needed{hint}"
    needed = {"token": columns.token, "tag": columns.tag} if tagged else {"token": columns.token}
    for noun, column in needed.items():
        if not -width <= column < width:
            return f"has {counted(width, 'column')}, but the {noun} is wanted from column {column} (data.{noun}_column)"
        if not row[column]:
            return f"its {noun} (column {column}) is empty"
    return None
