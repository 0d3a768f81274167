"""Forecasts: windows of every series, parts that follow one another in time."""

from __future__ import annotations

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
from rnncli.inputs.time_series.form import Streamed
from rnncli.inputs.time_series.future import by_calendar, by_rows, history
from rnncli.inputs.time_series.grouping import joined
from rnncli.inputs.time_series.joining import Joining
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.scaling import Scale
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.streaming import tails
from rnncli.inputs.time_series.timeline import Timeline
from rnncli.inputs.time_series.windows import Timelines, Windows

CHUNK = 1000
"""Windows that are predicted together."""


class Forecasting(Joining):
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
        timelines, columns, categories = self.training()
        if self.settings.test is not None:
            self.follow(timelines, self.settings.test, "test", columns)
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
            timelines, _, _ = self.training()
            for timeline in timelines:
                timeline.parts.pop("test", None)  # Mere history now.
        self.follow(timelines, [path], "test", self.encoder.columns, anew=True)
        timelines = [timeline for timeline in timelines if "test" in timeline.parts]
        return self._windows(timelines, self._encoded(timelines), "test")

    def chunks(self, source: Streamed, on_bad_row: OnBadRow) -> Iterator[Chunk]:
        """The last window of every series."""
        whole, ends = [], []
        for series in tails(source, self.settings, self.context, on_bad_row):
            try:
                one, end = self._last(series)
            except DataError as error:
                on_bad_row(error)
                continue
            whole.append(one)
            ends.append(end)
        self._note_unseen(whole)
        for start in range(0, len(whole), CHUNK):
            some = whole[start : start + CHUNK]
            stops = ends[start : start + CHUNK] if self.settings.future else None
            rows = [row for one, end in zip(some, ends[start:], strict=False) for row in self.ahead(one, end)]
            yield Chunk(self.last_windows(some, stops), rows)

    def last_windows(self, series: Sequence[Series], ends: Sequence[int] | None = None) -> Windows:
        """The last window of each series, which has that many steps and no missing values that are not masked.

        Args:
            ends: steps of each that have been; the horizon follows them in the series. None: all have been.
        """
        lengths = np.array([len(one) for one in series] if ends is None else ends)
        scales = [self.encoder.scaler.of(one.name, one.values[:end]) for one, end in zip(series, lengths, strict=True)]
        if ends is None and self.target.known_ahead:
            series = [joined([one, by_calendar(one, self.horizon, self.frequency)]) for one in series]
        timelines = self._timelines(series, scales)
        return Windows(
            timelines,
            timelines.offsets[:-1] + lengths - self.context,
            np.arange(len(series)),
            self.context,
            self.horizon,
            self.target.season,
            naive_error=None,
        )

    def _fit(self, timelines: Sequence[Timeline], columns: Sequence[str], categories: Sequence[str]) -> None:
        settings = self.settings
        training = [piece for timeline in timelines if (piece := timeline.piece("train")) is not None]
        make = own_scaler if settings.scaling_per_series else common_scaler
        scaler = make(settings.scaling, training)
        masked = settings.missing == "mask"
        self.encoder = Encoder.fitted(columns, categories, masked, training, scaler, settings.calendar)
        found = (times.frequency(piece.times) for piece in training if piece.times is not None)
        self.frequency = next((step for step in found if step is not None), None)
        if settings.calendar and not settings.future and self.frequency is None:
            raise UserError("data.calendar: the training part has no usual step in time, so nobody knows those to come")
        names = tuple(settings.target.names or columns)
        season = settings.season or times.season_of(self.frequency)
        known = len(self.encoder.known_ahead(settings.future))
        self.target = Target("forecast", names, horizon=self.horizon, season=season, known_ahead=known)

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
        encoded, known = self.encoder.encode(series, scales), self.encoder.known_ahead(self.settings.future)
        return Timelines(
            encoded.values,
            encoded.categories,
            encoded.truth[:, :count].contiguous(),
            encoded.offsets,
            np.array([scale.center[:count] for scale in scales]),
            np.array([scale.scale[:count] for scale in scales]),
            encoded.values[:, known].contiguous() if known else None,
        )

    def _last(self, series: Series) -> tuple[Series, int]:
        """The series without missing values, and how many steps it has before those to come that it may end with."""
        settings, columns = self.settings, self.encoder.columns
        stop = history(series, len(self.target.names)) if settings.future else len(series)
        line = Timeline.alone(series.take(slice(0, stop)), "train", columns, settings.missing)
        end = len(line.series)
        if end < self.context:
            raise DataError(
                f"{called(series)} has {counted(end, 'row')}{' with targets' if settings.future else ''}; a forecast "
                f"reads context {self.context}",
                series.source,
            )
        if settings.future:
            known = [columns.index(name) for name in settings.future]
            line.grow(by_rows(series.take(slice(stop, None)), known), None)
            if (found := len(line.series) - end) < self.horizon:
                raise DataError(
                    f"{called(series)} ends with {counted(found, 'row')} without targets; a forecast needs horizon "
                    f"{self.horizon} of them, with {', '.join(settings.future)} (data.future)",
                    series.source,
                    int(series.lines[-1]),
                )
        return line.series, end

    def ahead(self, series: Series, end: int | None = None) -> list[dict[str, Any]]:
        """What the predictions file says of each step to forecast, beside the forecast; `end` steps of the series have
        been, or all."""
        name = {self.series_column(): series.name} if series.name else {}
        stamps = None
        if series.times is not None and end is not None and end < len(series):
            stamps = series.times[end : end + self.horizon]
        elif series.times is not None:
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
