"""Options of the time-series loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from rnncli.config.paths import InputPath
from rnncli.config.settings import Settings
from rnncli.inputs.settings import TableSettings

CalendarName = Literal["hour", "weekday", "month"]


class SeriesTarget(Settings):
    """What a series is to be mapped to."""

    kind: Literal["class", "labels", "value", "next", "forecast"]
    """A class, a set of labels or numbers for each series or, many-to-many, for each step; next: the same columns one
    step later; forecast: the horizon that follows each window."""

    columns: str | list[str] | None = None
    """Column or columns that hold it; files whose form says it (.ts, frames) need none."""

    separator: str = " "
    """What stands between the labels of a set."""

    @property
    def names(self) -> list[str]:
        """The names in `columns`, however many."""
        return [self.columns] if isinstance(self.columns, str) else list(self.columns or [])

    @model_validator(mode="after")
    def _one_column(self) -> SeriesTarget:
        if self.kind in ("class", "labels") and isinstance(self.columns, list) and len(self.columns) != 1:
            raise ValueError(f"columns: kind {self.kind} stands in one column, not {len(self.columns)}")
        return self


class SeriesSplit(Settings):
    """How the parts that have no file of their own are cut.

    Forecasts cut every series in time; whole series are drawn by seed. A part is a share of the steps (0.2), a number
    of steps (2880), or the date of its first step (2018-01-01). With `train` given, the parts follow one another from
    the start; without it, they are counted from the end.
    """

    train: int | float | str | None = None
    """Length of the training part."""

    valid: int | float | str = 0.1
    """Length or first date of the validation part."""

    test: int | float | str = 0.1
    """Length or first date of the test part."""

    seed: int = 1
    """Seed of the draw of whole series."""


class TimeSeriesSettings(TableSettings):
    """Numbers in time: forecasting, and classes or values of whole series or of each step."""

    loader: Literal["time-series"]

    format: Literal["auto", "csv", "tsv", "parquet", "ts", "arrays", "frames"] = "auto"
    """Form of the files: tables, the .ts of UCR/UEA, one array a file (.npy, .npz), or lists of active pitches in
    JSON; auto goes by the file's name."""

    layout: Literal["long", "wide"] = "long"
    """Tables with one step a row, or with one series a row (first its name, then its values)."""

    series: str | None = None
    """Column that names the series a row belongs to; rows of different files are different series."""

    time: str | None = None
    """Column of the time, by which each series is sorted."""

    time_format: str | None = None
    """How times are written, as in strptime; found from the first rows where not given."""

    target: SeriesTarget

    covariates: list[str] = Field([])
    """Further numeric columns that the model reads."""

    future: list[str] = Field([])
    """For forecasts: those of the covariates that are known of the steps to come, which a decoder reads too. To
    predict, a series ends with as many rows as the horizon in which they are filled and the target is empty."""

    calendar: list[CalendarName] = Field([])
    """What the model reads of the time beside the columns, as sine and cosine: how far the day, the week or the year
    has gone. Of forecasts a decoder reads it of the steps to come too."""

    categories: list[str] = Field([])
    """Further columns that the model reads as categories."""

    context: int | None = Field(None, ge=1)
    """Steps of a window that the model reads before it forecasts."""

    horizon: int | None = Field(None, ge=1)
    """Steps that it forecasts."""

    stride: int = Field(1, ge=1)
    """Steps from one training window to the next."""

    scaling: Literal["standard", "minmax", "robust", "none"] = "standard"
    """How numbers are scaled, fitted on the training part: mean and deviation, smallest and largest, median and
    quartiles, or not at all. The notes of frames stay 0 and 1."""

    scaling_per_series: bool = False
    """Fit the scale on each series instead of on all together."""

    missing: Literal["drop", "forward", "interpolate", "mask"] | None = None
    """What to do with missing values: leave out the row, repeat the last value, draw a line between the neighbours, or
    read zero beside a column that says so. Must be given where values are missing. A line reaches from a window into
    the steps that follow it; the other three know nothing of them."""

    season: int | None = Field(None, ge=1)
    """Steps of a season, for the naive forecast and MASE; found from the times where not given."""

    index: InputPath | None = None
    """For arrays: the table that names each file (column file) and its target."""

    array: str | None = None
    """For .npz files: the name of the array."""

    pitches: tuple[int, int] = (21, 108)
    """For frames: the lowest and the highest pitch."""

    split: SeriesSplit = SeriesSplit()

    def idle(self) -> Iterator[str]:
        kind, forecast = self.target.kind, self.target.kind == "forecast"
        if self.time_format is not None and self.time is None:
            yield "time_format: says how the column `time` is written, but there is no `time`"
        if self.calendar and self.time is None:
            yield "calendar: is computed from the column `time`, but there is no `time`"
        for twice in sorted({each for each in self.calendar if self.calendar.count(each) > 1}):
            yield f"calendar: {twice} stands there twice"
        for name in self.future:
            if name not in self.covariates:
                yield f"future: {name} must be one of the covariates, which the model reads before they are ahead of it"
        if self.layout == "wide" and self.time is not None:
            yield "time: a table of the layout wide has no column of times"
        if kind != "labels" and self.target.changed("separator"):
            yield "target.separator: is for kind: labels"
        if not forecast:
            for name in ("context", "horizon", "stride", "season", "future"):
                if self.changed(name):
                    yield f"{name}: is for forecasts; target.kind is {kind}"
            if self.split.train is not None:
                yield f"split.train: is for forecasts; with target.kind {kind} it is what the other parts leave"
            for part in ("valid", "test"):
                if isinstance(getattr(self.split, part), str):
                    yield f"split.{part}: only forecasts are cut at a date; target.kind is {kind}"
        elif self.split.changed("seed"):
            yield "split.seed: nothing is drawn, as forecasts cut every series in time"
        if self.scaling_per_series and self.scaling == "none":
            yield "scaling_per_series: nothing is scaled with scaling: none"
        if self.scaling_per_series and kind == "next":
            yield "scaling_per_series: a series' own scale tells of the steps to come, the targets of kind next"
        asked = set(self.target.names)
        if kind in ("forecast", "next"):
            yield from (
                f"covariates: {name} is a target, which is read anyway" for name in self.covariates if name in asked
            )
        else:
            for option in ("covariates", "categories"):
                for name in getattr(self, option):
                    if name in asked:
                        yield f"{option}: {name} is the target, which the model can't be given to read"
        yield from self.idle_split(self.split)
