"""Sequences read from their end."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.sequences import Padded


class _Permutation(Function):
    """Rows in another order, for an order that is its own inverse.

    The gradient is the same gather again; autograd's own, for any index, is a slower scatter-add.
    """

    @staticmethod
    def forward(context: Any, rows: Tensor, order: Tensor) -> Tensor:
        context.save_for_backward(order)
        return rows.index_select(0, order)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (order,) = context.saved_tensors
        return gradients[0].index_select(0, order), None


class Reversal:
    """Reverses every sequence within its own length and leaves padding where it is: done twice, it is undone."""

    def __init__(self, sequences: Padded) -> None:
        self._order: Tensor | None = None
        if not sequences.full:
            source = sequences.reversal.t()
            columns = torch.arange(sequences.batch, device=source.device)
            self._order = (source * sequences.batch + columns).flatten()

    def __call__(self, sequences: Padded) -> Padded:
        """(batch, time, features) to the same, in time-major memory."""
        by_time = sequences.values.transpose(0, 1)
        if self._order is None:
            return sequences.with_values(by_time.flip(0).transpose(0, 1))
        rows: Tensor = _Permutation.apply(by_time.flatten(0, 1), self._order)  # type: ignore[no-untyped-call]
        return sequences.with_values(rows.view(by_time.shape).transpose(0, 1))
