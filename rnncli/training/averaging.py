"""Averages of the weights along the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rnncli.training.settings import AveragingSettings


class Average:
    """The running average of a model's weights.

    `exponential`: Polyak averaging with decay; until enough steps are seen the decay is (1 + n) / (10 + n), so that
    the random start is forgotten. `mean`: the plain mean since the starting epoch (Polyak & Juditsky 1992).
    """

    def __init__(self, model: nn.Module, settings: AveragingSettings) -> None:
        self.settings = settings
        self.weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.averages: list[Tensor] = [weight.detach().clone() for weight in self.weights]
        self.count = 0

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights as they are now."""
        self.count += 1
        if self.settings.type == "mean":
            share = 1 / self.count
        else:
            share = 1 - min(self.settings.decay, self.count / (9 + self.count))
        if self.count == 1:
            share = 1.0
        torch._foreach_lerp_(self.averages, list(self.weights), share)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within, the model has the averaged weights; afterwards its own again."""
        if self.count == 0:
            yield
            return
        own = [weight.detach().clone() for weight in self.weights]
        self._put(self.averages)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for weight, value in zip(self.weights, values, strict=True):
            weight.copy_(value)
