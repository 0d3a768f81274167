"""Noise on numbers that are read."""

from __future__ import annotations

from torch import Tensor, nn


class InputNoise(nn.Module):
    """Adds normal noise while training (Greff et al., "LSTM: a search space odyssey", TNNLS 28, 2017).

    Args:
        deviation: the standard deviation of the noise.
    """

    def __init__(self, deviation: float) -> None:
        super().__init__()
        self.deviation = deviation

    def forward(self, values: Tensor) -> Tensor:
        """(batch, time, features) to the same, in time-major memory."""
        if not (self.training and self.deviation):
            return values
        batch, time, features = values.shape
        return values + values.new_empty(time, batch, features).normal_(std=self.deviation).transpose(0, 1)
