"""Sequences of unequal length without their padding: the rows of one time step after those of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.sequences import Padded


class _Rows(Function):
    """The rows of an index, each at most once; the others have no derivative."""

    @staticmethod
    def forward(context: Any, rows: Tensor, index: Tensor) -> Tensor:
        context.save_for_backward(index)
        context.count = len(rows)
        return rows.index_select(0, index)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (index,) = context.saved_tensors
        (gradient,) = gradients
        return gradient.new_zeros(context.count, *gradient.shape[1:]).index_copy_(0, index, gradient), None


class _Spread(Function):
    """Rows at the places of an index, zeros elsewhere."""

    @staticmethod
    def forward(context: Any, rows: Tensor, index: Tensor, count: int) -> Tensor:
        context.save_for_backward(index)
        return rows.new_zeros(count, *rows.shape[1:]).index_copy_(0, index, rows)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (index,) = context.saved_tensors
        return gradients[0].index_select(0, index), None, None


def rows_of(weights: Tensor, order: Sequence[int], blocks: int) -> Tensor:
    """The blocks of (blocks * hidden, ...) in another order, perhaps without some of them."""
    if list(order) == list(range(blocks)):
        return weights
    index = torch.tensor(order, device=weights.device)
    chosen: Tensor = _Rows.apply(weights.unflatten(0, (blocks, -1)), index)  # type: ignore[no-untyped-call]
    return chosen.flatten(0, 1)


class Packing:
    """The valid steps of a batch, the longest sequence first, so that those that go on at a step are its first rows.

    Attributes:
        sizes: for each time step how many sequences have it.
        rows: valid steps of all sequences.
    """

    def __init__(self, sequences: Padded) -> None:
        self.batch, self.time, self.full = sequences.batch, sequences.time, sequences.full
        self.sizes = [self.batch] * self.time
        self.rows = self.batch * self.time
        if self.full:
            return
        lengths, order = sequences.lengths.sort(descending=True, stable=True)
        steps = torch.arange(self.time).unsqueeze(1)
        valid = steps < lengths
        device = sequences.values.device
        self.sizes = valid.sum(1).tolist()
        self.rows = int(lengths.sum())
        self._order = order.to(device)
        self._unorder = order.argsort().to(device)
        self._index = (steps * self.batch + order)[valid].to(device)
        starts = torch.tensor([0, *self.sizes]).cumsum(0)[:-1]
        ranks = torch.arange(self.batch)
        self._last = (starts[lengths - 1] + ranks).to(device)
        before = torch.where(steps > 0, starts[(steps - 1).clamp(min=0)] + ranks + self.batch, ranks)
        self._before = before[valid].to(device)

    def pack(self, values: Tensor) -> Tensor:
        """(batch, time, features), fastest in time-major memory, to (rows, features)."""
        by_time = values.transpose(0, 1).flatten(0, 1)
        packed: Tensor = by_time if self.full else _Rows.apply(by_time, self._index)  # type: ignore[no-untyped-call]
        return packed

    def spread(self, rows: Tensor) -> Tensor:
        """(rows, features) to (batch, time, features) in time-major memory, with zeros at padding positions."""
        if not self.full:
            rows = _Spread.apply(rows, self._index, self.batch * self.time)  # type: ignore[no-untyped-call]
        return rows.view(self.time, self.batch, *rows.shape[1:]).transpose(0, 1)

    def sort(self, state: Tensor) -> Tensor:
        """(batch, hidden), the longest sequence first."""
        return state if self.full else state.index_select(0, self._order)

    def unsort(self, state: Tensor) -> Tensor:
        """What `sort` has sorted, as it was."""
        return state if self.full else state.index_select(0, self._unorder)

    def last(self, rows: Tensor) -> Tensor:
        """Of (rows, hidden) the last of each sequence, sorted."""
        return rows[-self.batch :] if self.full else rows.index_select(0, self._last)

    def before(self, start: Tensor, rows: Tensor) -> Tensor:
        """For each row of (rows, hidden) the one a step before, which for the first steps is in `start`, sorted."""
        if self.full:
            return torch.cat([start, rows[: -self.batch]])
        return torch.cat([start, rows]).index_select(0, self._before)
