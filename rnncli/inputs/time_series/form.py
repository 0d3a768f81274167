"""What the forms of examples have in common: windows of a forecast, whole series, steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import pandas as pd

from rnncli.errors import DataError, UserError
from rnncli.inputs.batches import Dataset
from rnncli.inputs.features import Feature
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.loader import Chunk, SplitName
from rnncli.inputs.targets import Target, TaskMode
from rnncli.inputs.time_series.encoding import Encoder
from rnncli.inputs.time_series.reading import files_of, form_of, read_series
from rnncli.inputs.time_series.series import Reading
from rnncli.inputs.time_series.settings import TimeSeriesSettings

Streamed = Path | BinaryIO | pd.DataFrame
"""Sources of series to predict."""

TABLES = {"csv", "tsv", "parquet"}
HEEDED = {
    "layout": TABLES,
    "columns": {"csv", "tsv", "arrays"},
    "separator": {"csv", "arrays"},
    "time": TABLES,
    "scaling": {*TABLES, "ts", "arrays"},
    "scaling_per_series": {*TABLES, "ts", "arrays"},
    "index": {"arrays"},
    "array": {"arrays"},
    "pitches": {"frames"},
}
"""The forms of files for which an option does something; options that are not here do it for all. Arrays may have an
index, which is a table."""


class Form(ABC):
    """One way to make examples of series; the methods are those of Loader.

    Attributes:
        encoder, target: complete after load or restore.
    """

    tasks: ClassVar[tuple[TaskMode, ...]]

    encoder: Encoder
    target: Target

    def __init__(self, settings: TimeSeriesSettings, task: TaskMode) -> None:
        if task not in self.tasks:
            raise UserError(
                f"data.target.kind: {settings.target.kind} goes with task {' or '.join(self.tasks)}, not with {task}"
            )
        self.settings, self.task = settings, task
        self.notes: list[str] = []
        self.files: list[Path] = []

    @property
    @abstractmethod
    def features(self) -> dict[str, Feature]: ...

    @abstractmethod
    def load(self, limit: int | None, refit: bool) -> dict[SplitName, Dataset]:
        """`limit` counts examples: windows, series or rows."""

    @abstractmethod
    def state(self) -> dict[str, Any]: ...

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """May raise what a damaged state makes Python raise: AttributeError, KeyError, TypeError, ValueError."""

    @abstractmethod
    def labelled(self, path: Path) -> Dataset: ...

    @abstractmethod
    def chunks(self, source: Streamed, on_bad_row: OnBadRow) -> Iterator[Chunk]: ...

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """One row of the chunk and one prediction at a time, in one."""
        for row, prediction in zip(chunk.rows, predictions, strict=True):
            yield {**row, **prediction}

    def read_training(self, part: SplitName | None = None) -> Reading:
        """The series of the training part.

        Raises:
            UserError: an option does nothing for any of its files.
        """
        settings = self.settings
        forms = {form_of(file, settings) for file in files_of(settings.train, settings)}
        for name, heeding in HEEDED.items():
            if settings.changed(name) and not forms & heeding:
                raise UserError(f"data.{name}: does nothing for files of the form {', '.join(sorted(forms))}")
        return self.read(settings.train, part)

    def read(self, paths: Sequence[Path], part: SplitName | None = None) -> Reading:
        """All series of these files, with their targets; notes what was left out."""
        bad: list[DataError] = []
        skip = bad.append if self.settings.skip_bad_rows else None
        reading = read_series(paths, self.settings, part=part, on_bad_row=skip)
        self.files += reading.files
        self.notes += reading.notes
        self.leave_out(bad, "rows", "can't be read")
        return reading

    def leave_out(self, errors: Sequence[DataError], noun: str, reason: str) -> None:
        """Notes what is left out, or raises the first of the errors where the settings don't allow that."""
        if errors and not self.settings.skip_bad_rows:
            raise errors[0]
        if errors:
            self.notes.append(f"{len(errors)} {noun} left out because they {reason}, the first: {errors[0]}")

    def series_column(self) -> str:
        """The column of the predictions file that names the series."""
        return self.settings.series or "series"
