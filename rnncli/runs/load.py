"""A trained run in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from rnncli.decoding.settings import overridden
from rnncli.errors import DataError, UserError
from rnncli.heads.choice import decoding_mistakes
from rnncli.inputs.loader import Chunk, Loader, Source
from rnncli.metrics.outcome import Outcome
from rnncli.models.model import Model
from rnncli.runs.assembly import new_loader, new_model, put_weights
from rnncli.runs.config import RunConfig
from rnncli.runs.directory import RunDirectory
from rnncli.tasks.evaluation import outcomes
from rnncli.tasks.predictions import Prediction, best_first, in_order, predictions
from rnncli.training.device import choose_device

if TYPE_CHECKING:
    import pandas as pd


def refuse(error: DataError) -> None:
    """What to do with a row that can't be read, where nobody can be told: stop."""
    raise error


class LoadedRun:
    """The best weights of a run and all that is needed to use them.

    Args:
        path: the run directory.
        device: as in a config; the run's own if None.
        threads: of the CPU; the run's own if None.
        allow_code: execute the code of a cell of the user's own, also where the run was trained elsewhere.

    Attributes:
        threshold: probability from which the second of two classes is predicted, where one was chosen.
        decoding: how sequences are written; may be set to another way.
    """

    def __init__(
        self, path: str | Path, device: str | None = None, threads: int | None = None, *, allow_code: bool = False
    ) -> None:
        self.directory = RunDirectory.open(Path(path))
        self.config: RunConfig = self.directory.read_config(allow_code=allow_code)
        weights = self.directory.read_weights()
        threads = threads or self.config.training.threads
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = choose_device(device or self.config.training.device, mixed_precision=False)
        self.loader: Loader[Any] = new_loader(self.config)
        self.loader.restore(self.directory.read_fitted())
        self.model: Model = new_model(self.config, self.loader, self.device)
        put_weights(self.model, weights)
        self.threshold = self._chosen_threshold()
        self.decoding = self.config.decoding

    def decode_as(self, options: Mapping[str, Any]) -> None:
        """Replaces options of decoding for what is predicted from now on.

        Raises:
            UserError: they can't serve this run.
        """
        if self.loader.target.kind != "sequence":
            told = ", ".join(options)
            raise UserError(f"{told}: this run writes no sequences; its target is of kind {self.loader.target.kind}")
        decoding = overridden(self.decoding, options)
        mistakes = decoding_mistakes(decoding, self.config.model.head, self.loader.target)
        if mistakes:
            raise UserError("; ".join(mistakes))
        self.decoding = decoding

    def predict(
        self, source: str | Path | pd.DataFrame | Sequence[str], *, probabilities: bool = False
    ) -> pd.DataFrame:
        """Predictions beside the input's own columns.

        Args:
            source: a frame, a list of texts, or the path of a file.
            probabilities: add a column for each class or label.

        Raises:
            DataError: a row can't be read.
        """
        rows = Path(source) if isinstance(source, str) else source
        import pandas as pd

        return pd.DataFrame(list(self.rows(rows, refuse, probabilities)))

    def rows(
        self,
        source: Source,
        on_bad_row: Callable[[DataError], None],
        probabilities: bool,
        seen: Callable[[Chunk], None] | None = None,
    ) -> Iterator[Mapping[str, Any]]:
        """The rows of the predictions file, one after another, in bounded memory.

        Args:
            seen: is given each chunk of examples.

        Raises:
            UserError: probabilities are asked for where none are known.
        """
        if probabilities and self.loader.target.kind == "sequence":
            raise UserError("--probabilities: what is written has no classes; --n-best adds the score of each answer")
        for chunk in self.loader.chunks(source, on_bad_row):
            if seen is not None:
                seen(chunk)
            outcome = self._outcome(chunk)
            if outcome.answers is None:
                yield from self.loader.written(chunk, self.worded(outcome, probabilities))
            else:
                yield from best_first(outcome.answers, partial(self.loader.written, chunk))

    def _outcome(self, chunk: Chunk) -> Outcome:
        size = self.config.training.batch_size
        found = outcomes(self.model, chunk.dataset, size, self.device, self.threshold, self.decoding)
        return in_order((batch.rows, outcome) for batch, outcome in found)

    def worded(self, outcome: Outcome, probabilities: bool) -> list[Prediction]:
        """What is written of an outcome."""
        separator = getattr(getattr(self.config.data, "target", None), "separator", " ")
        return list(predictions(outcome, self.loader.target, probabilities, separator))

    def _chosen_threshold(self) -> float | None:
        if not (self.config.training.choose_threshold and self.directory.summary_file.exists()):
            return None
        value = self.directory.read_summary().get("threshold")
        return None if value is None else float(value)
