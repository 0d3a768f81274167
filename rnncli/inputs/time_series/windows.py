"""Windows over series that lie end to end in memory; none is ever copied out before its batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from rnncli.inputs.batches import Batch, Dataset
from rnncli.sequences import Padded


@dataclass(frozen=True)
class Timelines:
    """All series end to end, scaled.

    Attributes:
        values: (steps, width) float32, what the model reads.
        categories: by column, (steps,) int64 ids.
        truth: (steps, targets) float32, the columns to forecast, scaled; NaN where not observed.
        offsets: (series + 1,) int64: series k is `values[offsets[k]:offsets[k + 1]]`.
        center, scale: (series, targets) float64: a target x stands for `x * scale + center`.
        naive_error: (series, targets) float64, mean absolute error of the seasonal naive forecast within the training
            part, in the targets' own units; None where nothing is to be compared.
    """

    values: Tensor
    categories: dict[str, Tensor]
    truth: Tensor
    offsets: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    naive_error: np.ndarray | None

    @cached_property
    def filled(self) -> np.ndarray:
        """(steps, targets) float64 in own units: the truth, with the last observed value where one is missing (the
        center before the first)."""
        truth = self.truth.double().numpy()
        lengths = np.diff(self.offsets)
        steps = np.arange(len(truth))[:, None]
        observed = np.maximum.accumulate(np.where(np.isnan(truth), -1, steps), axis=0)
        before = observed < np.repeat(self.offsets[:-1], lengths)[:, None]
        scaled = np.where(before, 0.0, np.take_along_axis(truth, np.maximum(observed, 0), axis=0))
        return np.asarray(scaled * np.repeat(self.scale, lengths, axis=0) + np.repeat(self.center, lengths, axis=0))


class Windows(Dataset):
    """Windows of `context` steps to read and `horizon` steps to forecast.

    Args:
        starts: (windows,) int64, the position in the timelines of the first step that is read.
        owners: (windows,) int64, the series of each window.
        season: steps of a season, for the naive forecast.
        known: whether the timelines hold the steps to forecast; without them there are no targets.
    """

    unit = "windows"

    def __init__(
        self,
        timelines: Timelines,
        starts: np.ndarray,
        owners: np.ndarray,
        context: int,
        horizon: int,
        season: int,
        known: bool = True,
    ) -> None:
        self.timelines, self.starts, self.owners = timelines, starts, owners
        self.context, self.horizon, self.season, self.known = context, horizon, season, known
        self._read, self._forecast = np.arange(context)[:, None], np.arange(context, context + horizon)
        self._center = torch.from_numpy(timelines.center).float().unsqueeze(1)
        self._scale = torch.from_numpy(timelines.scale).float().unsqueeze(1)
        error = timelines.naive_error
        self._naive_error = None if error is None else torch.from_numpy(error).float()

    def __len__(self) -> int:
        return len(self.starts)

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        rows = np.arange(len(self)) if order is None else order.permutation(len(self))
        return [rows[first : first + batch_size] for first in range(0, len(rows), batch_size)]

    def batch(self, rows: np.ndarray) -> Batch:
        """Inputs (batch, context, width), time-major in memory; targets (batch, horizon, targets)."""
        starts, owners = self.starts[rows], torch.from_numpy(self.owners[rows])
        lengths = torch.full((len(rows),), self.context)
        read = torch.from_numpy(starts + self._read)
        inputs = {"values": Padded(self.timelines.values[read].transpose(0, 1), lengths)}
        for column, ids in self.timelines.categories.items():
            inputs[column] = Padded(ids.take(read).transpose(0, 1), lengths)
        error = None if self._naive_error is None else self._naive_error[owners]
        targets = None
        if self.known:
            targets = self.timelines.truth[torch.from_numpy(starts[:, None] + self._forecast)]
        return Batch(
            inputs, targets, rows, center=self._center[owners], scale=self._scale[owners], naive_error=error
        )

    def naive(self, rows: np.ndarray) -> np.ndarray:
        """(rows, horizon, targets) float64: the last whole season before the forecast, repeated; the last value
        where the series does not go back that far."""
        first = self.timelines.offsets[self.owners[rows], None]
        end = self.starts[rows, None] + self.context
        ahead = np.arange(1, self.horizon + 1)
        positions = end - 1 + ahead - self.season * -(-ahead // self.season)
        return self.timelines.filled[np.where(positions < first, end - 1, positions)]
