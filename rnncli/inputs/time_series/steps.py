"""One target for each step: said by the files, or the same columns one step later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rnncli.inputs.batches import Ragged
from rnncli.inputs.features import Feature
from rnncli.inputs.targets import Target
from rnncli.inputs.time_series.answers import for_each_step
from rnncli.inputs.time_series.drawn import Drawn
from rnncli.inputs.time_series.examples import Examples
from rnncli.inputs.time_series.scaling import Scaler
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.whole import Answered


class EachStep(Answered):
    """Many-to-many: a class, a label set or numbers for each step."""

    tasks = ("many-to-many",)
    per_step = True
    keep_rows = True

    def checked(self, series: Series) -> Series:
        return for_each_step(series)

    def dataset(self, series: Sequence[Series], labelled: bool) -> Examples:
        encoded = self.encoder.encode(series)
        targets = Ragged(self.answers.encode(series), encoded.offsets) if labelled else None
        return Examples(encoded.ragged(), targets, self.units, per_step=True)

    def own_rows(self, series: Series) -> list[dict[str, Any]]:
        return self.step_rows(series)


class NextStep(Drawn):
    """Many-to-many: the same columns one step later, numbers or the notes of a frame."""

    tasks = ("many-to-many",)
    shortest = 2
    keep_rows = True

    @property
    def features(self) -> dict[str, Feature]:
        return self.encoder.features(tuple(range(len(self.target.names))))

    def fit_target(self, training: Sequence[Series]) -> None:
        columns = self.encoder.columns
        if self.from_frames:
            counts = np.sum([series.values[1:].sum(axis=0) for series in training], axis=0).astype(int)
            self.target = Target("frame", columns, tuple(counts.tolist()), per_step=True)
        else:
            self.target = Target("value", tuple(self.settings.target.names) or columns, per_step=True)

    def scaler(self, training: Sequence[Series]) -> Scaler:
        # Notes stay 0 and 1, whatever the scaling of numbers.
        return Scaler("none") if self.from_frames else super().scaler(training)

    def dataset(self, series: Sequence[Series], labelled: bool) -> Examples:
        encoded, count = self.encoder.encode(series), len(self.target.names)
        units = None
        if self.target.kind == "value":
            center, scale = (
                np.array([getattr(one, part)[:count] for one in encoded.scales]) for part in ("center", "scale")
            )
            units = center, scale
        inputs = encoded.ragged()
        if not labelled:
            return Examples(inputs, None, units, per_step=True, repeats=True)
        steps = int(encoded.offsets[-1])
        before, after = np.ones(steps, bool), np.ones(steps, bool)
        before[encoded.offsets[1:] - 1], after[encoded.offsets[:-1]] = False, False
        offsets = encoded.offsets - np.arange(len(encoded.offsets))
        read = {name: Ragged(ragged.flat[torch.from_numpy(before)], offsets) for name, ragged in inputs.items()}
        targets = Ragged(encoded.truth[torch.from_numpy(after), :count], offsets)
        return Examples(read, targets, units, per_step=True, repeats=True)

    def own_rows(self, series: Series) -> list[dict[str, Any]]:
        return self.step_rows(series)
