"""Windows on a scale of their own, against drift."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Scale = tuple[Tensor, Tensor]
"""Center and unit of each window, both (batch, 1, variables)."""

_EPSILON = 1e-5


class WindowNormalization(nn.Module):
    """Puts each variable of each window on a scale of its own, and a forecast back.

    none: as it is. last: minus the last value. level: divided by the mean of the sizes (Smyl, "A hybrid method of
    exponential smoothing and recurrent neural networks", IJF 36, 2020, with the window's mean in place of the smoothed
    level). revin: minus the mean, divided by the deviation, then a learnable scale and shift of each variable (Kim et
    al., "Reversible instance normalization", ICLR 2022).
    """

    def __init__(self, name: Literal["none", "last", "level", "revin"], variables: int) -> None:
        super().__init__()
        self.name = name
        if name == "revin":
            self.weight = nn.Parameter(torch.ones(variables))
            self.shift = nn.Parameter(torch.zeros(variables))

    def forward(self, history: Tensor) -> tuple[Tensor, Scale | None]:
        """(batch, time, variables) to the same, and the scale that `undo` needs."""
        match self.name:
            case "last":
                center, unit = history[:, -1:], history.new_ones(())
            case "level":
                size = history.abs().mean(1, keepdim=True)
                center, unit = history.new_zeros(()), torch.where(size > _EPSILON, size, 1.0)
            case "revin":
                center = history.mean(1, keepdim=True)
                unit = (history.var(1, keepdim=True, correction=0) + _EPSILON).sqrt()
                return (history - center) / unit * self.weight + self.shift, (center, unit)
            case _:
                return history, None
        return (history - center) / unit, (center, unit)

    def ahead(self, values: Tensor, scale: Scale | None) -> Tensor:
        """(batch, horizon, variables) that follow a window, on its scale."""
        if scale is None:
            return values
        center, unit = scale
        values = (values - center) / unit
        return values * self.weight + self.shift if self.name == "revin" else values

    def undo(self, forecast: Tensor, scale: Scale | None) -> Tensor:
        """(batch, horizon, variables, levels) back on the scale of the batch."""
        if scale is None:
            return forecast
        center, unit = (each[..., None] for each in scale)
        if self.name == "revin":
            forecast = (forecast - self.shift[:, None]) / (self.weight[:, None] + _EPSILON**2)
        return forecast * unit + center
