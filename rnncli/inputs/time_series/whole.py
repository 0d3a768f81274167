"""One target for each series, or for each row of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from rnncli.inputs.batches import Ragged
from rnncli.inputs.loader import SplitName
from rnncli.inputs.splits import draw
from rnncli.inputs.targets import Target
from rnncli.inputs.time_series.answers import AnswerKind, Answers, for_each_step, for_the_whole
from rnncli.inputs.time_series.drawn import CHUNK, Drawn, part_names
from rnncli.inputs.time_series.examples import Examples, Rows
from rnncli.inputs.time_series.series import Series


class Answered(Drawn):
    """Series whose targets the files say."""

    per_step = False
    """Whether each step of an example has a target of its own."""

    answers: Answers

    def fit_target(self, training: Sequence[Series]) -> None:
        asked = self.settings.target
        kind = cast(AnswerKind, asked.kind)  # The loader gives other kinds to other forms.
        self.answers = Answers.fitted(
            kind, self.settings.target.names, asked.separator, self.settings.scaling, training
        )
        self.target = Target(kind, self.answers.names, self.answers.counts, per_step=self.per_step)

    def state(self) -> dict[str, Any]:
        return {**super().state(), "answers": self.answers.to_json()}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.answers = Answers.from_json(state["answers"])

    @property
    def units(self) -> tuple[np.ndarray, np.ndarray] | None:
        """(1, values) center and scale of the targets."""
        scale = self.answers.scale
        return None if scale is None else (scale.center[None], scale.scale[None])


class WholeSeries(Answered):
    """Many-to-one: a class, a label set or numbers for a series."""

    tasks = ("many-to-one",)

    def checked(self, series: Series) -> Series:
        return for_the_whole(series)

    def dataset(self, series: Sequence[Series], labelled: bool) -> Examples:
        encoded = self.encoder.encode(series)
        return Examples(encoded.ragged(), self.answers.encode(series) if labelled else None, self.units)

    def own_rows(self, series: Series) -> list[dict[str, Any]]:
        if series.rows is not None and len(series.rows) == 1:
            return [dict(series.rows[0])]
        return [{self.series_column(): series.name} if series.name else {}]


class EachRow(Answered):
    """One-to-one: a class, a label set or numbers for each row of a table."""

    tasks = ("one-to-one",)
    keep_rows = True
    longest = CHUNK

    def checked(self, series: Series) -> Series:
        return for_each_step(series)

    def dataset(self, series: Sequence[Series], labelled: bool) -> Examples:
        encoded = self.encoder.encode(series)
        single = np.arange(encoded.offsets[-1] + 1)
        inputs = {name: Ragged(ragged.flat, single) for name, ragged in encoded.ragged().items()}
        return Rows(inputs, self.answers.encode(series) if labelled else None, self.units)

    def own_rows(self, series: Series) -> list[dict[str, Any]]:
        return self.step_rows(series)

    def thinned(self, series: list[Series], limit: int) -> list[Series]:
        ends = np.cumsum([len(one) for one in series])
        return _taken(series, self.some(int(ends[-1]), limit), ends)

    def drawn(self, series: list[Series], parts: Sequence[SplitName]) -> dict[SplitName, list[Series]]:
        ends = np.cumsum([len(one) for one in series])
        shares = self.shares(parts, int(ends[-1]))
        if not shares:
            return {"train": series}
        keys = [
            (row.tobytes(), *texts) for one in series for row, *texts in zip(one.values, *one.categories, strict=True)
        ]
        classes = None
        if self.settings.target.kind == "class":
            classes = np.unique([text for one in series for text in one.label or ()], return_inverse=True)[1]
        positions = draw(keys, classes, shares, self.settings.split.seed, self.settings.train[0])
        return {part: _taken(series, positions[part], ends) for part in part_names(shares)}


def _taken(series: Sequence[Series], rows: np.ndarray, ends: np.ndarray) -> list[Series]:
    """The rows of all series end to end, by their ascending positions; `ends` says where each series ends."""
    owned = np.split(rows, np.searchsorted(rows, ends[:-1]))
    return [one.take(own - (end - len(one))) for one, own, end in zip(series, owned, ends, strict=True) if len(own)]
