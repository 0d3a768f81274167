"""Averages of the weights along the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Parameter

from rnncli.training.settings import AveragingSettings


class Average:
    """The running average of some weights.

    `exponential`: Polyak averaging with decay; until enough steps are seen the decay is n / (9 + n) at the n-th, so
    that the random start is forgotten. `mean`: the plain mean since the starting epoch (Polyak & Juditsky 1992).
    """

    def __init__(self, weights: Sequence[Parameter], settings: AveragingSettings) -> None:
        self.settings = settings
        self.weights = list(weights)
        self.values: list[Tensor] = [weight.detach().clone() for weight in self.weights]
        self.count = 0

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights as they are now."""
        self.count += 1
        if self.settings.type == "mean" or self.count == 1:
            share = 1 / self.count
        else:
            share = 1 - min(self.settings.decay, self.count / (9 + self.count))
        torch._foreach_lerp_(self.values, list(self.weights), share)


@contextmanager
def swapped_in(weights: Sequence[Parameter], values: Sequence[Tensor]) -> Iterator[None]:
    """Within, the weights have these values; afterwards their own again, bit for bit."""
    own = [weight.detach().clone() for weight in weights]
    _put(weights, values)
    try:
        yield
    finally:
        _put(weights, own)


@torch.no_grad()
def _put(weights: Sequence[Parameter], values: Sequence[Tensor]) -> None:
    for weight, value in zip(weights, values, strict=True):
        weight.copy_(value)
