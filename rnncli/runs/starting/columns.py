"""What the cells of one column look like."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from rnncli.inputs.time_series import times
from rnncli.inputs.time_series.numbers import numbers
from rnncli.runs.starting.draft import Line

MOST_CLASSES = 200
MOST_NUMBERED_CLASSES = 20
"""Distinct whole numbers that are still taken for classes."""

_CLOCKS = ("time", "timestamp", "step", "t")
"""What columns of numbers are called that are times even where they begin anew, as they do with every series."""
_TIME_NAMES = ("date", "datetime", "year", "month", "day", "hour", "index")
_TIME_FORMATS = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d %b %Y",
    "%b %d, %Y",
)


@dataclass(frozen=True)
class Times:
    """A column read as times.

    Attributes:
        format: as in strptime where it is not found without.
        values: (rows,) datetime64[ns] or float64.
    """

    format: str | None
    values: np.ndarray

    @property
    def ascending(self) -> bool:
        """Each later than the one before."""
        return bool((self.values[1:] > self.values[:-1]).all())

    def lines(self, column: str, first: str) -> list[Line]:
        """What a config says of the column, whose first cell is `first`."""
        said = [Line("time", column, f"the first is {first.strip()}")]
        if self.format is not None:
            said.append(Line("time_format", self.format, f"the first is read as {self.values[0].astype('M8[s]')}"))
        return said


@dataclass(frozen=True)
class Column:
    """A column of the rows that were looked at."""

    name: str
    cells: list[str]

    @cached_property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell.strip()]

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each cell stands there that is not empty."""
        return Counter(self.filled)

    @cached_property
    def _numbers(self) -> tuple[np.ndarray, np.ndarray]:
        return numbers(pa.array(self.cells, pa.string()))

    @cached_property
    def numeric(self) -> bool:
        """Every cell is a number or missing."""
        values, wrong = self._numbers
        return not wrong.any() and not bool(np.isnan(values).all())

    @property
    def values(self) -> np.ndarray:
        """(rows,) float64, NaN where missing."""
        return self._numbers[0]

    @cached_property
    def missing(self) -> int:
        """Numbers that are missing."""
        return int(np.isnan(self.values).sum())

    @cached_property
    def whole(self) -> bool:
        """Every cell is a whole number written as one."""
        return self.numeric and all(cell.strip().lstrip("+-").isdigit() for cell in self.filled)

    @cached_property
    def words(self) -> float:
        """Words of a cell on average."""
        return sum(len(cell.split()) for cell in self.filled) / max(len(self.filled), 1)

    @cached_property
    def classes(self) -> bool:
        """The cells are few and stand there again and again, as the names of classes do."""
        most = MOST_NUMBERED_CLASSES if self.numeric else MOST_CLASSES
        few = 2 <= len(self.counts) <= min(most, max(2, len(self.filled) // 3), len(self.filled) - 1)
        return few and (self.whole or not self.numeric) and self.words < 6

    @cached_property
    def numbered(self) -> bool:
        """The cells only count the rows."""
        return self.whole and len(self.values) > 1 and bool((np.diff(self.values) == 1).all())

    @cached_property
    def times(self) -> Times | None:
        """The column as times, where every cell of it is one."""
        if not self.filled or len(self.filled) < len(self.cells):
            return None
        texts = pa.array(self.cells, pa.string())
        if self.numeric:
            if all(len(cell) == 8 for cell in self.filled) and self.whole:
                parsed = times.parse(texts, "%Y%m%d")
                return None if parsed.wrong.any() else Times("%Y%m%d", parsed.values)
            name = self.name.lower().strip()
            onward = name in _TIME_NAMES and bool((np.diff(self.values) >= 0).all())
            return Times(None, self.values) if onward or name in _CLOCKS else None
        found = []
        for form in (None, *_TIME_FORMATS):
            parsed = times.parse(texts, form, plain=False)
            if not parsed.wrong.any():
                found.append(Times(form, parsed.values))
        return next((one for one in found if one.ascending), found[0] if found else None)
