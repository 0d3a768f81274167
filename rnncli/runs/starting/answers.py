"""Which column of a table is to be predicted from its texts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from rnncli.errors import UserError
from rnncli.runs.starting.columns import MOST_CLASSES, Column
from rnncli.runs.starting.table import Table

_SEVERAL = ("labels", "classes", "categories", "tags", "topics", "genres")
"""What a column is called whose spaces part labels; in others they belong to the name of a class."""
_NAMES = (
    *("label", "class", "target", "category", "tag", "topic", "genre", *_SEVERAL),
    *("sentiment", "polarity", "emotion", "intent", "language", "rating", "stars", "score", "y"),
)
_SEPARATORS = ("|", ";", ",")


@dataclass(frozen=True)
class Answer:
    """A column that can be predicted.

    Attributes:
        more: further options of the target.
        because: what was seen.
    """

    column: Column
    kind: str
    because: str
    more: dict[str, str] = field(default_factory=dict)


def answer_of(table: Table, text: Column) -> Answer:
    """The column that is most like a target: one that is called so, or else one of classes, labels, numbers.

    Raises:
        UserError: there is none.
    """
    found = [answer for column in table.columns if column is not text and (answer := _answer(column)) is not None]
    if not found:
        constant = [column.name for column in table.columns if column is not text and len(column.counts) == 1]
        only = f"; {constant[0]!r} has one value only in the rows looked at" if constant else ""
        raise UserError(
            f"{table.path}: beside the texts in {text.name!r} no column holds classes, labels or numbers (its columns: "
            f"{table.listed}{only}); a column of classes would do, or --task many-to-many, which predicts the next word"
        )
    kinds = ("class", "labels", "value")
    return max(found, key=lambda answer: (_named(answer.column), -kinds.index(answer.kind), -len(answer.column.counts)))


def class_shares(column: Column) -> str:
    """What is to be said of a column of classes: how many, which, how often."""
    counts = column.counts.most_common(4)
    shown = ", ".join(f"{name} ({count / len(column.filled):.0%})" for name, count in counts)
    return f"{len(column.counts)} classes: {shown}{', ...' if len(column.counts) > len(counts) else ''}"


def _named(column: Column) -> bool:
    return column.name.lower().strip() in _NAMES


def _answer(column: Column) -> Answer | None:
    labels = None if column.numeric else _labels(column)
    if labels is not None:
        return labels
    if column.classes:
        told = class_shares(column)
        if column.whole and len(column.counts) > 2:
            told += "; kind: value would take them as numbers"
        return Answer(column, "class", told)
    if column.numeric and len(column.counts) > 1 and not column.numbered:
        low, high = min(map(float, column.counts)), max(map(float, column.counts))
        return Answer(column, "value", f"numbers from {low:g} to {high:g}")
    return None


def _labels(column: Column) -> Answer | None:
    """The column as sets of labels: cells in which few names stand together in many ways."""
    listed = [_listed(cell) for cell in column.filled]
    if listed and all(one is not None for one in listed):
        return _set(column, [one or [] for one in listed], "JSON lists", {})
    several = column.name.lower().strip() in _SEVERAL
    for separator in (*_SEPARATORS, " ") if several else _SEPARATORS:
        if sum(separator in cell for cell in column.filled) < len(column.filled) / 5:
            continue
        sets = [[part.strip() for part in cell.split(separator)] for cell in column.filled]
        answer = _set(column, sets, f"parted by {separator!r}", {} if separator == " " else {"separator": separator})
        if answer is not None:
            return answer
    return None


def _set(column: Column, sets: list[list[str]], how: str, more: dict[str, str]) -> Answer | None:
    labels = {label for one in sets for label in one if label}
    total = sum(map(len, sets))
    few = 2 <= len(labels) <= MOST_CLASSES and total >= 3 * len(labels)
    if not few or len(labels) >= len(column.counts) or max(len(label.split()) for label in labels) > 3:
        return None
    return Answer(column, "labels", f"{len(labels)} labels, {how}, {total / len(sets):.1f} in a row on average", more)


def _listed(cell: str) -> list[str] | None:
    try:
        found = json.loads(cell) if cell.lstrip().startswith("[") else None
    except json.JSONDecodeError:
        return None
    return [str(one) for one in found] if isinstance(found, list) else None
