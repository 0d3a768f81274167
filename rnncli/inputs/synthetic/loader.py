"""Tasks whose data are drawn, not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, get_args

import numpy as np

from rnncli.errors import ConfigError, DataError, RunError, UserError
from rnncli.inputs.batches import NO_TARGET, Dataset
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Source, SplitName
from rnncli.inputs.synthetic.datasets import dataset, ids
from rnncli.inputs.synthetic.digits import SIZES
from rnncli.inputs.synthetic.drawn import Drawn
from rnncli.inputs.synthetic.forms import TOKENS, form_of
from rnncli.inputs.synthetic.settings import SyntheticSettings
from rnncli.inputs.targets import Target, TaskMode


@LOADERS.register("synthetic")
class SyntheticLoader(Loader[SyntheticSettings]):
    """Synthetic tasks; each is explained where it is drawn, in the files beside this one.

    Equal settings give equal data, as long as NumPy draws the same numbers from a seed. Symbols are read as one-hot
    vectors, numbers and values are in their own units; a stream of characters is a Stream, with the names of the
    target as its vocabulary. No file is read, and none can be evaluated or predicted.
    """

    def __init__(self, settings: SyntheticSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        self._form = form_of(settings)
        if task != self._form.mode:
            raise ConfigError([f"task: {settings.name} of loader: synthetic is {self._form.mode}, not {task}"])
        self.features = self._form.features

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        form = self._form
        parts = {
            part: form.examples(part, size if limit is None else min(size, limit))
            for part, size in self._sizes().items()
            if size
        }
        if refit and "valid" in parts:
            parts["train"] = parts["train"].followed_by(parts.pop("valid"))
        self._set_target(self._counts(parts["train"]))
        if form.feature == TOKENS and form.partial:
            shares = ", ".join(f"{part} {drawn.targets.mean():.1%}" for part, drawn in parts.items())
            self.notes.append(f"characters that are asked for: {shares.replace('%', ' %')}; the others are read alone")
        if self.settings.name == "xml":
            self.notes.append("empty documents, half of all if the paper is taken literally, are left out")
        return {part: dataset(drawn, form) for part, drawn in parts.items()}

    def state(self) -> dict[str, Any]:
        return {"counts": list(self.target.counts)}

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            counts = tuple(int(count) for count in state["counts"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"the saved state of the synthetic loader is damaged ({error!r})") from None
        if counts and len(counts) != len(self._form.names):
            raise RunError(
                "the saved state of the synthetic loader is damaged: "
                f"counts of {len(counts)} classes, where the task has {len(self._form.names)}"
            )
        self._set_target(counts)

    def labelled(self, path: Path) -> Dataset:
        self._refuse()

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        self._refuse()

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UserError(
            f"the data of {self.settings.name} (data.loader: synthetic) come from no file, and none can be read with "
            "this run; `rnncli eval RUN` measures its own parts"
        )

    def _sizes(self) -> dict[SplitName, int]:
        """Examples of each part."""
        sizes = SIZES if self.settings.name == "digits" else self.settings.sizes.model_dump()
        return {part: sizes[part] for part in get_args(SplitName)}

    def _counts(self, train: Drawn) -> tuple[int, ...]:
        """How often the training part asks for each name of the target."""
        form = self._form
        if form.kind == "value":
            return ()
        asked = train.targets if form.feature == TOKENS else train.targets != NO_TARGET
        classes = ids(train.inputs[asked], form) if form.feature == TOKENS else train.targets[asked]
        return tuple(np.bincount(classes.ravel(), minlength=len(form.names)).tolist())

    def _set_target(self, counts: tuple[int, ...]) -> None:
        form = self._form
        self.target = Target(form.kind, form.names, counts, per_step=form.mode == "many-to-many", partial=form.partial)
