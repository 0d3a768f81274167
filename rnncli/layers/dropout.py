"""Dropout of inputs, and the masks that stay the same over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded


def draw_mask(shape: Sequence[int], rate: float, like: Tensor) -> Tensor:
    """Zeros at a share of `rate`, elsewhere 1 / (1 - rate); type and device of `like`."""
    return _draw_kept(shape, rate, like).mul_(1 / (1 - rate))


def draw_ones(shape: Sequence[int], rate: float, like: Tensor) -> Tensor:
    """Ones at a share of `rate`, elsewhere zeros; type and device of `like`."""
    return _draw_kept(shape, rate, like).neg_().add_(1)


def _draw_kept(shape: Sequence[int], rate: float, like: Tensor) -> Tensor:
    """Zeros at a share of `rate`, elsewhere ones; type and device of `like`."""
    # Four numbers of 16 bits from each draw: on a CPU torch's own Bernoulli takes ten times as long.
    count = math.prod(shape)
    draws = torch.empty((count + 3) // 4, dtype=torch.int64, device=like.device).random_(-(2**63), None)
    kept = like.new_empty(count)
    # Not by way of booleans: that takes twice as long.
    torch.ge(draws.view(torch.int16)[:count], round(rate * 2**16) - 2**15, out=kept)
    return kept.view(*shape)


class Dropout(nn.Module):
    """Drops single numbers while training."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, values: Tensor) -> Tensor:
        """(batch, features), or (batch, time, features) in time-major memory, to the same."""
        if not (self.training and self.rate):
            return values
        if values.dim() == 2:
            return values * draw_mask(values.shape, self.rate, values)
        batch, time, features = values.shape
        return values * draw_mask((time, batch, features), self.rate, values).transpose(0, 1)


class InputDropout(nn.Module):
    """Drops whole tokens, then single numbers, of embedded inputs while training."""

    def __init__(self, rates: DropoutSettings) -> None:
        super().__init__()
        self.rates = rates
        self.embedding = Dropout(rates.embedding)

    def forward(self, inputs: Padded) -> Padded:
        """(batch, time, features) to the same."""
        values = inputs.values
        if not self.training:
            return inputs
        if self.rates.word:
            mask = draw_mask((inputs.time, inputs.batch, 1), self.rates.word, values)
            values = values * mask.transpose(0, 1)
        return inputs.with_values(self.embedding(values))
