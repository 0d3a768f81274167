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
        ahead: (steps, width) float32, what is known of a step before it comes; None where nothing is.
    """

    values: Tensor
    categories: dict[str, Tensor]
    truth: Tensor
    offsets: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    ahead: Tensor | None = None

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
        naive_error: (series, targets) float64, mean absolute error of the seasonal naive forecast over what each
            series has before this part, in the targets' own units; None where the steps to forecast are not known, so
            there are no targets either.
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
        naive_error: np.ndarray | None,
    ) -> None:
        self.timelines, self.starts, self.owners = timelines, starts, owners
        self.context, self.horizon, self.season = context, horizon, season
        self._read, self._forecast = np.arange(context)[:, None], np.arange(context, context + horizon)
        self._center = torch.from_numpy(timelines.center).float().unsqueeze(1)
        self._scale = torch.from_numpy(timelines.scale).float().unsqueeze(1)
        self._naive_error = None if naive_error is None else torch.from_numpy(naive_error).float()

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
        inputs = {"values": Padded(_gathered(self.timelines.values, read).transpose(0, 1), lengths)}
        for column, ids in self.timelines.categories.items():
            inputs[column] = Padded(ids.take(read).transpose(0, 1), lengths)
        error = targets = ahead = None
        to_come = torch.from_numpy(starts[:, None] + self._forecast)
        if self._naive_error is not None:
            error, targets = self._naive_error[owners], _gathered(self.timelines.truth, to_come)
        if self.timelines.ahead is not None:
            ahead = _gathered(self.timelines.ahead, to_come)
        center, scale = self._center[owners], self._scale[owners]
        return Batch(inputs, targets, rows, center=center, scale=scale, naive_error=error, ahead=ahead)

    def naive(self, rows: np.ndarray) -> np.ndarray:
        """(rows, horizon, targets) float64: the last whole season before the forecast, repeated; the last value
        where the series does not go back that far."""
        first = self.timelines.offsets[self.owners[rows], None]
        end = self.starts[rows, None] + self.context
        ahead = np.arange(1, self.horizon + 1)
        positions = end - 1 + ahead - self.season * -(-ahead // self.season)
        return self.timelines.filled[np.where(positions < first, end - 1, positions)]


def _gathered(steps: Tensor, positions: Tensor) -> Tensor:
    """`steps[positions]`, in a third of its time."""
    return steps.index_select(0, positions.reshape(-1)).reshape(*positions.shape, steps.shape[1])
