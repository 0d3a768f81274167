"""Forecasts: windows of every series, parts that follow one another in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.errors import DataError, UserError
from rnncli.inputs.batches import Dataset
from rnncli.inputs.features import Feature
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.loader import Chunk, SplitName
from rnncli.inputs.tables import counted
from rnncli.inputs.targets import Target, TaskMode
from rnncli.inputs.time_series import times
from rnncli.inputs.time_series.encoding import Encoder, common_scaler, own_scaler
from rnncli.inputs.time_series.form import Form, Streamed
from rnncli.inputs.time_series.missing import called, fill
from rnncli.inputs.time_series.reading import files_of, form_of
from rnncli.inputs.time_series.scaling import Scale
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.streaming import tails
from rnncli.inputs.time_series.timeline import Timeline
from rnncli.inputs.time_series.windows import Timelines, Windows

CHUNK = 1000
"""Windows that are predicted together."""


class Forecasting(Form):
    """Every window of every series, with the steps that follow it."""

    tasks = ("many-to-many", "many-to-one", "one-to-one")

    def __init__(self, settings: TimeSeriesSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        for name in ("context", "horizon"):
            if getattr(settings, name) is None:
                raise UserError(f"data.{name} must say how many steps a window has (target.kind is forecast)")
        self.context, self.horizon = settings.context or 1, settings.horizon or 1
        if task != "many-to-many" and self.horizon > 1:
            raise UserError(f"data.horizon: task {task} forecasts 1 step, not {self.horizon}; take many-to-many")
        if task == "one-to-one" and self.context > 1:
            raise UserError(f"data.context: task one-to-one reads 1 step, not {self.context}; take many-to-one")
        self.frequency: times.Frequency | None = None

    @property
    def features(self) -> dict[str, Feature]:
        return self.encoder.features(tuple(range(len(self.target.names))))

    def load(self, limit: int | None, refit: bool) -> dict[SplitName, Dataset]:
        timelines, columns, categories = self._training()
        if self.settings.test is not None:
            self._follow(timelines, self.settings.test, "test", columns)
        if refit:
            for timeline in timelines:
                timeline.merge("valid", into="train")
        self._fit(timelines, columns, categories)
        encoded = self._encoded(timelines)
        parts: list[SplitName] = ["train", "valid", "test"]
        present = [part for part in parts if any(part in timeline.parts for timeline in timelines)]
        return {part: self._windows(timelines, encoded, part, limit) for part in present}

    def state(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder.to_json(),
            "target": self.target.to_json(),
            "frequency": None if self.frequency is None else asdict(self.frequency),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        self.encoder = Encoder.from_json(state["encoder"])
        self.target = Target.from_json(state["target"])
        self.frequency = None if state["frequency"] is None else times.Frequency(**state["frequency"])

    def labelled(self, path: Path) -> Windows:
        """Every window whose forecast lies in the file; where its series go on from those of the training and
        validation files, and these are still there, windows at its beginning read from them."""
        settings = self.settings
        known = [*settings.train, *(settings.valid or [])]
        timelines: list[Timeline] = []
        if path not in known and all(file.exists() for file in known):
            timelines, _, _ = self._training()
            for timeline in timelines:
                timeline.parts.pop("test", None)  # Mere history now.
        self._follow(timelines, [path], "test", self.encoder.columns, anew=True)
        timelines = [timeline for timeline in timelines if "test" in timeline.parts]
        return self._windows(timelines, self._encoded(timelines), "test")

    def chunks(self, source: Streamed, on_bad_row: OnBadRow) -> Iterator[Chunk]:
        """The last window of every series."""
        whole = []
        for series in tails(source, self.settings, self.context, on_bad_row):
            try:
                whole.append(self._last(series))
            except DataError as error:
                on_bad_row(error)
        self._note_unseen(whole)
        for start in range(0, len(whole), CHUNK):
            some = whole[start : start + CHUNK]
            lasts = np.cumsum([len(series) for series in some])
            windows = Windows(
                self._timelines(some, [self.encoder.scaler.of(one.name, one.values) for one in some]),
                lasts - self.context,
                np.arange(len(some)),
                self.context,
                self.horizon,
                self.target.season,
                naive_error=None,
            )
            yield Chunk(windows, [row for series in some for row in self._ahead(series)])

    def _training(self) -> tuple[list[Timeline], list[str], list[str]]:
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
            self._follow(timelines, settings.valid, "valid", columns)
        return timelines, columns, reading.category_columns

    def _follow(
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

    def _fit(self, timelines: Sequence[Timeline], columns: Sequence[str], categories: Sequence[str]) -> None:
        settings = self.settings
        training = [piece for timeline in timelines if (piece := timeline.piece("train")) is not None]
        make = own_scaler if settings.scaling_per_series else common_scaler
        scaler = make(settings.scaling, training)
        self.encoder = Encoder.fitted(columns, categories, settings.missing == "mask", training, scaler)
        found = (times.frequency(piece.times) for piece in training if piece.times is not None)
        self.frequency = next((step for step in found if step is not None), None)
        names = tuple(settings.target.names or columns)
        season = settings.season or times.season_of(self.frequency)
        self.target = Target("forecast", names, horizon=self.horizon, season=season)

    def _windows(
        self, timelines: Sequence[Timeline], encoded: Timelines, part: SplitName, limit: int | None = None
    ) -> Windows:
        starts, owners, too_short = [], [], []
        for owner, timeline in enumerate(timelines):
            try:
                found = timeline.starts(part, self.context, self.horizon, self.settings.stride)
            except DataError as error:
                too_short.append(error)
                continue
            starts.append(found + encoded.offsets[owner])
            owners.append(np.full(len(found), owner))
        if not starts or not sum(map(len, starts)):
            raise too_short[0]
        self.leave_out(too_short, "series", "are too short")
        return Windows(
            encoded,
            np.concatenate(starts)[:limit],
            np.concatenate(owners)[:limit],
            self.context,
            self.horizon,
            self.target.season,
            np.array([self._naive_error(timeline, part) for timeline in timelines]),
        )

    def _naive_error(self, timeline: Timeline, part: SplitName) -> np.ndarray:
        """(targets,) of what the series has before `part`; of all of it where it has nothing before."""
        before: tuple[SplitName, ...] = ("train", "valid") if part == "test" else ("train",)
        pieces = [piece for name in before if (piece := timeline.piece(name)) is not None] or [timeline.series]
        history = np.concatenate([piece.truth[:, : len(self.target.names)] for piece in pieces])
        return naive_error(history, self.target.season)

    def _encoded(self, timelines: Sequence[Timeline]) -> Timelines:
        series = [timeline.series for timeline in timelines]
        self._note_unseen(series)
        # A series that training has not seen is scaled by what its first window reads, as in a prediction.
        return self._timelines(series, [self.encoder.scaler.of(one.name, one.values[: self.context]) for one in series])

    def _timelines(self, series: Sequence[Series], scales: Sequence[Scale]) -> Timelines:
        count = len(self.target.names)
        encoded = self.encoder.encode(series, scales)
        return Timelines(
            encoded.values,
            encoded.categories,
            encoded.truth[:, :count].contiguous(),
            encoded.offsets,
            np.array([scale.center[:count] for scale in scales]),
            np.array([scale.scale[:count] for scale in scales]),
        )

    def _last(self, series: Series) -> Series:
        filled = fill([series], self.encoder.columns, self.settings.missing)[0]
        if len(filled) < self.context:
            raise DataError(
                f"{called(series)} has {counted(len(filled), 'row')}; a forecast reads context {self.context}",
                series.source,
            )
        return filled

    def _ahead(self, series: Series) -> list[dict[str, Any]]:
        """What the predictions file says of each step to forecast, beside the forecast."""
        name = {self.series_column(): series.name} if series.name else {}
        stamps = None
        if series.times is not None:
            stamps = times.future(series.times, self.horizon, self.frequency)
        if stamps is None or self.settings.time is None:
            return [{**name, "step": step} for step in range(1, self.horizon + 1)]
        texts = times.as_text(stamps, series.form, series.zone)
        return [{**name, self.settings.time: text} for text in texts]

    def _note_unseen(self, series: Sequence[Series]) -> None:
        scaler = self.encoder.scaler
        unseen = [one.name for one in series if one.name not in scaler.by_name] if scaler.common is None else []
        if unseen and self.settings.scaling != "none":
            self.notes.append(f"{len(unseen)} series not in the training part are scaled by their own steps")


def naive_error(values: np.ndarray, season: int) -> np.ndarray:
    """(columns,) mean absolute difference to the value one season before, of `values` (steps, columns); to the value
    before where there is no whole season. NaN where nothing can be compared."""
    lag = season if season < len(values) else 1
    apart = np.abs(values[lag:] - values[:-lag])
    count = (~np.isnan(apart)).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(apart, axis=0) / count)
