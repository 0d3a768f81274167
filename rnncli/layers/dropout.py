"""Dropout of inputs, and the masks that stay the same over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded


def draw_mask(shape: tuple[int, ...], rate: float, like: Tensor) -> Tensor:
    """Zeros at a share of `rate`, elsewhere 1 / (1 - rate); type and device of `like`."""
    return torch.empty(shape, dtype=like.dtype, device=like.device).bernoulli_(1 - rate).div_(1 - rate)


class InputDropout(nn.Module):
    """Drops whole tokens, then single numbers, of embedded inputs while training."""

    def __init__(self, rates: DropoutSettings) -> None:
        super().__init__()
        self.rates = rates

    def forward(self, inputs: Padded) -> Padded:
        """(batch, time, features) to the same."""
        values = inputs.values
        if not self.training:
            return inputs
        if self.rates.word:
            mask = draw_mask((inputs.time, inputs.batch, 1), self.rates.word, values)
            values = values * mask.transpose(0, 1)
        return inputs.with_values(dropout(values, self.rates.embedding) if self.rates.embedding else values)
