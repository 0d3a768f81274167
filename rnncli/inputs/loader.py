"""What every loader does: files to datasets, fitted on the training part and saved with the run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, Literal, TypeAlias, TypeVar

from rnncli.errors import DataError, UserError
from rnncli.inputs.batches import Dataset
from rnncli.inputs.features import Feature
from rnncli.inputs.settings import DataSettings
from rnncli.inputs.targets import Target, TaskMode
from rnncli.registry import Registry

SplitName = Literal["train", "valid", "test"]
if TYPE_CHECKING:
    import pandas as pd

Source: TypeAlias = "Path | BinaryIO | pd.DataFrame | Sequence[str]"
"""Where rows to predict come from: a file or folder, standard input, a frame, texts."""

S = TypeVar("S", bound=DataSettings)


@dataclass(frozen=True)
class Chunk:
    """Some examples to predict and what was read of them.

    Attributes:
        dataset: the examples; their targets are not read, but for a language model, whose text is its own target.
        rows: what the loader needs to write the predictions beside their inputs; its own affair.
    """

    dataset: Dataset
    rows: Sequence[Any]


@dataclass(frozen=True)
class Piece(Chunk):
    """One example that a row of a stream makes, or the steps by which a sequence goes on there.

    Attributes:
        sequence: which sequence goes on, by a name; None where the example stands by itself.
        begins: that sequence begins anew, whatever was read under its name before.
    """

    sequence: str | None = None
    begins: bool = False


Memory: TypeAlias = "dict[str, Any]"
"""What a loader must know of the rows of a stream that were read before, as JSON values."""


class Loader(ABC, Generic[S]):
    """Reads one kind of files.

    Life: `Loader(settings, task)` then either `load()` (reads, fits, encodes) or `restore(state)` (of a saved run).

    Attributes:
        features: what the model reads, by the names that a batch's inputs have. Complete after load or restore.
        target: what it predicts. Complete after load or restore.
        notes: sentences for the user about the data just read (share of unknown tokens, rows truncated, gaps found).
        files: every file read, for the hashes in the run's summary.
    """

    features: dict[str, Feature]
    target: Target

    def __init__(self, settings: S, task: TaskMode) -> None:
        self.settings, self.task = settings, task
        self.notes: list[str] = []
        self.files: list[Path] = []

    @abstractmethod
    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        """Reads all splits, fits vocabularies and scales on the training part, encodes.

        Args:
            limit: rows (sentences, series rows) read of each split, for a quick try.
            refit: the validation part joins the training part; "valid" is then absent.

        Raises:
            DataError: a file or row can't be used; the message says which.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """All that was fitted, as JSON values: what `restore` needs."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes back what `state` gave, instead of reading training data.

        Raises:
            RunError: the state is damaged.
        """

    @abstractmethod
    def labelled(self, path: Path) -> Dataset:
        """A file like the test part, encoded with its targets, for `rnncli eval RUN DATA`."""

    @abstractmethod
    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        """The examples of a source without holding more than a few thousand rows of it.

        A row that can't be read is given to `on_bad_row`, which may raise, and left out. Targets need not be there.
        """

    @property
    def carries(self) -> bool:
        """Whether the answer to a row of a stream depends on the rows before it."""
        return True

    def stream(
        self, source: BinaryIO, memory: Memory, on_bad_row: Callable[[DataError], None]
    ) -> Generator[Piece, None, None]:
        """The rows of a source one by one: no piece waits for more of the source than its own row.

        Rows that can't be read are given to `on_bad_row`, which may raise, and left out.

        Args:
            memory: of an earlier stream that this one goes on with, or empty; brought up to date when the generator
                ends or is closed.

        Raises:
            UserError: the answer to a row can't be given before the next is read.
        """
        raise UserError(
            f"--stream: the loader {self.settings.loader} does not read its inputs row by row; predict without it"
        )

    def positions(self, chunk: Chunk) -> list[list[str]] | None:
        """The names of the steps of each example, for who looks at attention; None where they have numbers alone."""
        return None

    @abstractmethod
    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The rows of the predictions file: the input's own columns plus the prediction's.

        Args:
            predictions: one a sequence; where the target is per step, one a step, sequence after sequence; for a
                forecast, one a step of the horizon, window after window.
        """


LOADERS: Registry[type[Loader[Any]]] = Registry("loader")
