"""One series from its first known step to its last, and which of its steps belong to which part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.loader import SplitName
from rnncli.inputs.tables import counted
from rnncli.inputs.time_series import times
from rnncli.inputs.time_series.missing import Policy, called, fill
from rnncli.inputs.time_series.parts import cut
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import SeriesSplit

NOUNS = {"train": "training", "valid": "validation", "test": "test"}


@dataclass
class Timeline:
    """A series that grows: missing values of a part are filled from that part and those before it, never from later.

    Attributes:
        parts: the steps of each part; stretches that do not touch where a part of another name lies between.
    """

    series: Series
    parts: dict[SplitName, list[range]]
    columns: Sequence[str]
    policy: Policy | None

    @classmethod
    def of_cut(
        cls,
        series: Series,
        split: SeriesSplit,
        filed: Collection[SplitName],
        columns: Sequence[str],
        policy: Policy | None,
    ) -> Timeline:
        """The series of a training file, cut into the parts that have no file of their own."""
        parts = cut(series, split, filed)
        timeline = cls(series.take(slice(0, 0)), {}, columns, policy)
        done = 0
        for part, steps in parts.items():
            timeline.grow(series.take(slice(done, steps.start)), None)
            timeline.grow(series.take(slice(steps.start, steps.stop)), part)
            done = steps.stop
        return timeline

    @classmethod
    def alone(cls, series: Series, part: SplitName, columns: Sequence[str], policy: Policy | None) -> Timeline:
        """A series all of whose steps belong to one part."""
        timeline = cls(series.take(slice(0, 0)), {}, columns, policy)
        timeline.grow(series, part)
        return timeline

    def follows(self, later: Series) -> bool:
        """Whether `later` can go on where this ends: its times begin after, or there are none.

        Raises:
            DataError: the two have different time zones, so their times can't be compared.
        """
        known = self.series.times
        if known is None or later.times is None or not len(known) or not len(later):
            return True
        if later.zone != self.series.zone:
            raise DataError(
                f"{called(later)} has times in the zone {later.zone or 'of no name'}, its part in {self.series.source} "
                f"in the zone {self.series.zone or 'of no name'}",
                later.source,
            )
        return bool(later.times[0] > known[-1])

    def gap_before(self, later: Series) -> bool:
        """Whether times are absent between the end of this and the first step of `later`."""
        if self.series.times is None or later.times is None or not len(later):
            return False
        step = times.frequency(self.series.times)
        joint = np.concatenate([self.series.times[-1:], later.times[:1]])
        return step is not None and bool(len(times.gaps(joint, step)))

    def grow(self, later: Series, part: SplitName | None) -> None:
        """Appends steps; None: they belong to no part and are only history."""
        start = len(self.series)
        if len(later):
            self.series = _joined(self.series, later) if start else replace(later, rows=None)
            self.series = fill([self.series], self.columns, self.policy)[0]
            # The first steps may have been left out by the policy, never those that an earlier part ends with.
        if part is not None:
            self._assign(part, range(start, len(self.series)))

    def merge(self, part: SplitName, into: SplitName) -> None:
        """Gives the steps of one part to another."""
        for steps in self.parts.pop(part, []):
            self._assign(into, steps)

    def _assign(self, part: SplitName, steps: range) -> None:
        stretches = self.parts.setdefault(part, [])
        if stretches and stretches[-1].stop == steps.start:
            stretches[-1] = range(stretches[-1].start, steps.stop)
        else:
            stretches.append(steps)

    def piece(self, part: SplitName) -> Series | None:
        """The steps of a part; None where it has none."""
        stretches = [np.arange(steps.start, steps.stop) for steps in self.parts.get(part, [])]
        return self.series.take(np.concatenate(stretches)) if stretches else None

    def starts(self, part: SplitName, context: int, horizon: int, stride: int) -> np.ndarray:
        """Where the windows of a part begin: training windows lie within it; of the others only the forecast does, so
        what they read may reach back into the part before.

        Raises:
            DataError: there is room for none; shows the arithmetic.
        """
        training, found = part == "train", []
        for steps in self.parts.get(part, []):
            first = steps.start if training else max(steps.start - context, 0)
            found.append(np.arange(first, steps.stop - context - horizon + 1, stride if training else 1))
        starts = np.concatenate(found) if found else np.zeros(0, np.int64)
        if not len(starts) and part in self.parts:
            raise self._too_short(part, context, horizon)
        return starts

    def _too_short(self, part: SplitName, context: int, horizon: int) -> DataError:
        name, noun = called(self.series), NOUNS[part]
        rows = max(len(steps) for steps in self.parts[part])
        history = 0 if part == "train" else min(steps.start for steps in self.parts[part])
        if history and rows < horizon:
            return DataError(
                f"the {noun} part of {name} has {counted(rows, 'row')}; one {noun} window needs horizon {horizon}",
                self.series.source,
            )
        have = counted(rows, "row") + (f" and {history} before" if history else "")
        of = f"the {noun} part of {name}" if rows + history < len(self.series) else name
        return DataError(
            f"{of} has {have}; one {noun} window needs context {context} + horizon {horizon} = {context + horizon}",
            self.series.source,
        )


def _joined(first: Series, second: Series) -> Series:
    stamps = observed = None
    if first.observed is not None:
        observed = np.concatenate([first.observed, np.ones(second.values.shape, bool)])
    if first.times is not None and second.times is not None:
        stamps = np.concatenate([first.times, second.times])
    return replace(
        first,
        lines=np.concatenate([first.lines, second.lines]),
        times=stamps,
        values=np.concatenate([first.values, second.values]),
        categories=[np.concatenate(pair) for pair in zip(first.categories, second.categories, strict=True)],
        label=None,
        target_values=None,
        rows=None,
        observed=observed,
    )
