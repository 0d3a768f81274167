"""Which column of a table of numbers plays which part."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.runs.starting.columns import Column
from rnncli.runs.starting.draft import Line
from rnncli.runs.starting.table import Table

_SERIES_NAMES = ("id", "series", "series_id", "unique_id", "item", "item_id", "symbol", "ticker", "store", "sensor")
_CLASS_NAMES = ("class", "label", "target", "y")
_WIDE = 8
"""Numbers in a row from which it may be a whole series."""


@dataclass(frozen=True)
class Roles:
    """The parts of the columns of a table with one step a row.

    Attributes:
        numbers: columns of numbers, classes apart; those that only count the rows where there are no others.
        categories: columns of few texts.
        classes: those of them, and of the whole numbers, that may be what is to be predicted; the likeliest last.
    """

    time: Column | None
    series: Column | None
    numbers: list[Column]
    categories: list[Column]
    classes: list[Column]

    def names(self, table: Table) -> dict[str, str]:
        """What each column is called in the config: made up where the table has no header line."""
        named = {column.name: column.name for column in table.columns}
        for column, name in ((self.time, "time"), (self.series, "series")):
            if column is not None and not table.header:
                named[column.name] = name
        return named


def roles_of(table: Table) -> Roles:
    """The parts of the columns, by what they hold and, where that leaves it open, by their names."""
    time = next((column for column in table.columns if column.times is not None), None)
    others = [column for column in table.columns if column is not time and column.filled]
    series = _series(time, others, table.header)
    if time is not None and time.numeric and series is None and time.times is not None and not time.times.ascending:
        # Numbers that are neither in order nor apart within a series are no times after all.
        time, others = None, [column for column in table.columns if column.filled]
    rest = [column for column in others if column is not series]
    classes = [column for column in rest if column.classes and (not column.numeric or called_class(column))]
    classes.sort(key=called_class)
    changing = [column for column in rest if column.numeric and len(column.counts) > 1]
    numbers = [column for column in changing if not column.numbered] or changing
    return Roles(
        time,
        series,
        [column for column in numbers if column not in classes],
        [column for column in classes if not column.numeric],
        classes,
    )


def is_wide(table: Table) -> bool:
    """One series a row: a name that no other row has, then numbers, and perhaps a class."""
    first, *others = table.columns
    unique = not first.numeric and first.times is None and len(first.counts) == table.rows
    classes = wide_classes(table)
    values = [column for column in others if column not in classes]
    whole = all(column.numeric or not column.filled for column in values)
    return unique and len(values) >= _WIDE and len(classes) <= 1 and whole


def wide_classes(table: Table) -> list[Column]:
    """The columns of a table of whole series that hold a class."""
    return [column for column in table.columns[1:] if column.classes and (not column.numeric or called_class(column))]


def called_class(column: Column) -> bool:
    """Whether its name says that it is to be predicted."""
    return column.name.lower().strip() in _CLASS_NAMES


def missing_line(columns: list[Column], policy: str) -> list[Line]:
    """The policy for missing values, where some are missing."""
    count = sum(column.missing for column in columns)
    return [Line("missing", policy, f"{count:,} values are missing in the rows looked at")] if count else []


def _series(time: Column | None, others: list[Column], header: bool) -> Column | None:
    """The column that names the series: together with it, each time stands there once."""
    named = [column for column in others if column.name.lower().strip() in _SERIES_NAMES and not column.numbered]
    if time is None or time.times is None:
        return next((column for column in named if 1 < len(column.counts) <= len(column.cells) // 3), None)
    if time.times.ascending:
        return next((column for column in named if len(column.counts) == 1), None)
    texts = [column for column in others if not column.numeric]
    numbered = [column for column in others if column.whole and (not header or "id" in column.name.lower())]
    for column in (*named, *texts, *numbered):
        pairs = set(zip(column.cells, time.cells, strict=True))
        if len(pairs) == len(time.cells) and len(column.counts) <= len(column.cells) // 2:
            return column
    return None
