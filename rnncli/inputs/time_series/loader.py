"""The loader of series of numbers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from rnncli.errors import DataError, RunError, UserError
from rnncli.inputs.batches import Dataset
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Memory, Piece, Source, SplitName
from rnncli.inputs.targets import TaskMode
from rnncli.inputs.time_series import live
from rnncli.inputs.time_series.forecasting import Forecasting
from rnncli.inputs.time_series.form import Form
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.steps import EachStep, NextStep
from rnncli.inputs.time_series.whole import EachRow, WholeSeries


def form_of(settings: TimeSeriesSettings, task: TaskMode) -> Form:
    """The form of the examples that the target's kind and the task ask for.

    Raises:
        UserError: they don't go together.
    """
    if settings.target.kind == "forecast":
        return Forecasting(settings, task)
    if settings.target.kind == "next":
        return NextStep(settings, task)
    answered: dict[TaskMode, type[Form]] = {"one-to-one": EachRow, "many-to-one": WholeSeries, "many-to-many": EachStep}
    return answered[task](settings, task)


@LOADERS.register("time-series")
class TimeSeriesLoader(Loader[TimeSeriesSettings]):
    """Windows to forecast from, whole series, or their steps, from tables, .ts files, arrays and frames."""

    def __init__(self, settings: TimeSeriesSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        if "values" in settings.categories:
            raise UserError("data.categories: a column named 'values' would take the name of the numbers; rename it")
        self._form = form_of(settings, task)
        self.notes, self.files = self._form.notes, self._form.files

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        parts = self._form.load(limit, refit)
        self._complete()
        return parts

    def state(self) -> dict[str, Any]:
        return self._form.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            self._form.restore(state)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunError(f"the saved state of the time-series loader is damaged ({error!r})") from None
        self._complete()

    def labelled(self, path: Path) -> Dataset:
        return self._form.labelled(path)

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        if not isinstance(source, Path | pd.DataFrame) and not hasattr(source, "read"):
            raise UserError("time series are read from a file, standard input or a frame, not from texts")
        return self._form.chunks(source, on_bad_row)  # type: ignore[arg-type]

    @property
    def carries(self) -> bool:
        return live.carries(self._form)

    def stream(
        self, source: BinaryIO, memory: Memory, on_bad_row: Callable[[DataError], None]
    ) -> Generator[Piece, None, None]:
        return live.stream(self._form, source, memory, on_bad_row)

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        return self._form.written(chunk, predictions)

    def _complete(self) -> None:
        self.features, self.target = self._form.features, self._form.target
