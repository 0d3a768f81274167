"""Sentences to be tagged, from whatever they come in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, place
from rnncli.inputs.frame import is_frame
from rnncli.inputs.loader import Source
from rnncli.inputs.tables import require, rows
from rnncli.inputs.tagging.columns import Columns
from rnncli.inputs.tagging.reader import sentences


@dataclass(frozen=True, slots=True)
class Untagged:
    """One sentence.

    Attributes:
        tokens: as they stand.
        columns: for each token what is written beside its prediction, by name.
    """

    tokens: list[str]
    columns: list[dict[str, str]]


def read_untagged(
    source: Source, columns_of: Callable[[Path | None], Columns], encoding: str, on_bad_row: OnBadRow
) -> Iterator[Untagged]:
    """The sentences of a source: columns as in training, or one token a line; or texts, tokens parted by white space,
    as a list or in the column "text" of a frame.

    Raises:
        DataError: the source is absent, damaged or without sentences, or a frame without texts.
    """
    if is_frame(source):
        require(map(str, source.columns), ["text"], "the frame", "the sentences, tokens parted by white space")
        for row in rows(source, "csv"):
            others = {name: value for name, value in row.values.items() if name != "text"}
            yield from _split(row.values["text"], others, row.line, on_bad_row)
    elif isinstance(source, Sequence):
        for number, text in enumerate(source, 1):
            yield from _split(text, {}, number, on_bad_row)
    else:
        columns = columns_of(source if isinstance(source, Path) else None)
        empty = True
        for sentence in sentences(source, columns, encoding, on_bad_row, tagged=False):
            empty = False
            yield untagged(sentence.rows, columns)
        if empty:
            raise DataError("holds no sentence that can be read", place(source))


def untagged(rows: Sequence[list[str]], columns: Columns) -> Untagged:
    """The sentence whose tokens stand in these lines."""
    return Untagged(
        [row[columns.token] if len(row) > 1 else row[0] for row in rows],
        [dict(zip(columns.keys(len(row)), row, strict=True)) for row in rows],
    )


def _split(text: str, others: dict[str, str], number: int, on_bad_row: OnBadRow) -> Iterator[Untagged]:
    tokens = text.split()
    if tokens:
        yield Untagged(tokens, [others | {"token": token} for token in tokens])
    else:
        on_bad_row(DataError(f"text {number} holds no token"))
