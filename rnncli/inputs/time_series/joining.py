"""Files to timelines: the series of the training files, and those of further files that go on where they end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rnncli.errors import DataError, UserError
from rnncli.inputs.loader import SplitName
from rnncli.inputs.tables import counted
from rnncli.inputs.time_series.form import Form
from rnncli.inputs.time_series.future import history
from rnncli.inputs.time_series.missing import called, fill
from rnncli.inputs.time_series.reading import files_of, form_of
from rnncli.inputs.time_series.series import Reading, Series
from rnncli.inputs.time_series.timeline import Timeline


class Joining(Form):
    """What a form needs whose parts follow one another in time."""

    def read(self, paths: Sequence[Path], part: SplitName | None = None) -> Reading:
        reading = super().read(paths, part)
        if not self.settings.future:
            return reading
        ends = [history(series, len(self.settings.target.names)) for series in reading.series]
        if left := sum(len(series) - end for series, end in zip(reading.series, ends, strict=True)):
            self.notes.append(f"{counted(left, 'row')} at the end of the series have no target yet")
        series = [one.take(slice(0, end)) for one, end in zip(reading.series, ends, strict=True)]
        return replace(reading, series=series)

    def training(self) -> tuple[list[Timeline], list[str], list[str]]:
        """The timelines of the training files, the validation files joined to them; columns; category columns."""
        settings = self.settings
        if form_of(files_of(settings.train, settings)[0], settings) == "frames":
            raise UserError("data.target.kind: frames are not forecast in windows; take next")
        reading = self.read_training()
        columns = reading.value_columns
        if settings.missing is None:
            fill(reading.series, columns, None)  # Refuses missing values, counting all of them.
        self._refuse_equal_names(reading.series)
        filed: list[SplitName] = [part for part in ("valid", "test") if getattr(settings, part) is not None]
        timelines = [
            Timeline.of_cut(series, settings.split, filed, columns, settings.missing) for series in reading.series
        ]
        if settings.valid is not None:
            self.follow(timelines, settings.valid, "valid", columns)
        return timelines, columns, reading.category_columns

    def follow(
        self,
        timelines: list[Timeline],
        paths: Sequence[Path],
        part: SplitName,
        columns: Sequence[str],
        anew: bool = False,
    ) -> None:
        """Joins the series of further files to those of the same name; `anew`: those that can't follow stand alone."""
        reading = self.read(paths)
        if list(reading.value_columns) != list(columns):
            raise DataError(
                f"has the columns {', '.join(reading.value_columns)}; the training part has {', '.join(columns)}",
                paths[0],
            )
        by_name = {timeline.series.name: timeline for timeline in timelines}
        apart = []
        for series in reading.series:
            earlier = by_name.get(series.name)
            if earlier is not None and earlier.follows(series):
                apart += [series] if earlier.gap_before(series) else []
                earlier.grow(series, part)
                continue
            if earlier is not None and not anew:
                raise DataError(
                    f"{called(series)} begins before its part in {earlier.series.source} ends; a {part} file goes on "
                    "where the training file ends",
                    series.source,
                    int(series.lines[0]) if len(series) else None,
                )
            timelines.append(Timeline.alone(series, part, columns, self.settings.missing))
        if apart:
            self.notes.append(f"{len(apart)} series have a gap before {apart[0].source}, the first: {called(apart[0])}")

    def _refuse_equal_names(self, series: Sequence[Series]) -> None:
        """Series of one name can't be told apart where something is kept or continued by name."""
        settings = self.settings
        if not (settings.scaling_per_series or settings.valid or settings.test):
            return
        name, count = Counter(one.name for one in series).most_common(1)[0]
        if count > 1:
            raise DataError(f"the training part has {count} series named {name!r}; names must differ", series[0].source)
