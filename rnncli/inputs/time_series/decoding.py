"""Columns of text to numbers and times; what can't be used is located."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.time_series.numbers import numbers
from rnncli.inputs.time_series.roles import Roles
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.table import Table, TableSource, place_of
from rnncli.inputs.time_series.times import parse


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
            source=self.place,
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
        if ids is not None:
            for row in np.flatnonzero(ids == "").tolist():
                wrong.setdefault(row, f"column {parts.series} names no series")
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
        if not parsed.wrong.all():  # what is understood of none tells nothing
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
