"""What the readers of this package hand over, whatever form the files have."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class Series:
    """One series as read: values are not scaled, missing ones not filled (see `missing.fill`).

    Attributes:
        name: as the user knows it: the value of the series column, the stem of the file (several files without that
            column, arrays), the number of the case or piece; "" for the only series of a table.
        source: file it was read from, or what a message calls standard input or a frame.
        lines: (steps,) line of each step in the file, for messages; the same throughout where a line is a series; the
            step in an array, the number of the piece in frames.
        times: (steps,) ascending: datetime64[ns], as the clock of `zone` shows them, or float64 where the file has
            plain numbers; None without a time column.
        zone: the one time zone that the file writes ("Z", "+02:00"); None where it writes none.
        form: how the file writes times, as in strftime and without the zone; None for plain numbers.
        values: (steps, value columns) float64, NaN where missing.
        categories: for each category column its texts, (steps,) of objects, "" where missing.
        label: target of the kinds class and labels as text, one a step or one for the series; else None.
        target_values: targets of the kind value, (steps, targets) or (1, targets) for the series, NaN where missing;
            else None.
        rows: own columns as text, one a step or one for the series; kept only when asked for.
        observed: (steps, value columns) bool: False where `missing.fill` made the value up; None where it made up none.
    """

    name: str
    source: str
    lines: np.ndarray
    times: np.ndarray | None
    zone: str | None
    values: np.ndarray
    categories: list[np.ndarray] = field(default_factory=list)
    label: list[str] | None = None
    target_values: np.ndarray | None = None
    rows: list[dict[str, str]] | None = None
    form: str | None = None
    observed: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def truth(self) -> np.ndarray:
        """(steps, value columns) float64: what was observed, NaN elsewhere."""
        return self.values if self.observed is None else np.where(self.observed, self.values, np.nan)

    def take(self, steps: np.ndarray | slice) -> Series:
        """The same series with some of its steps, by position or mask; what holds for the whole series stays."""
        count = len(self)
        if isinstance(steps, slice):
            steps = np.arange(count)[steps]
        elif steps.dtype == np.bool_:
            steps = np.flatnonzero(steps)
        # One entry of a series of one step reads the same as an entry for the whole series.
        stepwise = count != 1
        label, rows, numbers = self.label, self.rows, self.target_values
        if stepwise and label is not None and len(label) == count:
            label = [label[step] for step in steps]
        if stepwise and rows is not None and len(rows) == count:
            rows = [rows[step] for step in steps]
        if stepwise and numbers is not None and len(numbers) == count:
            numbers = numbers[steps]
        return Series(
            name=self.name,
            source=self.source,
            lines=self.lines[steps],
            times=None if self.times is None else self.times[steps],
            zone=self.zone,
            values=self.values[steps],
            categories=[texts[steps] for texts in self.categories],
            label=label,
            target_values=numbers,
            rows=rows,
            form=self.form,
            observed=None if self.observed is None else self.observed[steps],
        )


@dataclass
class Reading:
    """All series of some files.

    Attributes:
        value_columns: names of the columns of `Series.values`: targets that are inputs too (kinds forecast and next)
            first, in the order of the settings, then the covariates.
        category_columns: names of `Series.categories`.
        series: in the order of the files and of their first rows there.
        notes: sentences for the user: what was sorted, where times have gaps.
        files: every file read.
    """

    value_columns: list[str]
    category_columns: list[str]
    series: list[Series]
    notes: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
