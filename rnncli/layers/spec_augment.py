"""Masks over frequencies and over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncli.layers.settings import SpecAugmentSettings
from rnncli.sequences import Padded


class SpecAugment(nn.Module):
    """Hides bands of neighbouring numbers and stretches of neighbouring steps while training (Park et al.,
    "SpecAugment", Interspeech 2019, without time warping).

    Each sequence has masks of its own: a width drawn from 0 to the widest, then a place where it fits into the numbers,
    or into the sequence's own length. What is hidden has the mean of its number over the sequence, which is 0 where
    sequences are normalised each by itself.
    """

    def __init__(self, settings: SpecAugmentSettings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, inputs: Padded) -> Padded:
        """(batch, time, numbers) to the same, in time-major memory."""
        if not self.training:
            return inputs
        chosen, values = self.settings, inputs.zeroed().values.transpose(0, 1)
        device, (time, batch, numbers) = values.device, values.shape
        lengths = inputs.lengths.to(device)
        sizes = torch.full((batch,), numbers, device=device)
        bands = _masks(sizes, numbers, chosen.frequency_masks, chosen.frequency_width)
        stretches = _masks(lengths, time, chosen.time_masks, chosen.time_width)
        hidden = bands | stretches.t().contiguous().unsqueeze(2)  # so that what is made has the memory of `values`
        mean = values.sum(0) / lengths.unsqueeze(1)
        return inputs.with_values(torch.where(hidden, mean, values).transpose(0, 1))


def _masks(sizes: Tensor, longest: int, count: int, widest: int) -> Tensor:
    """(batch, longest) bool: True where one of `count` masks lies, each within the first `sizes` (batch,) places."""
    shape = (len(sizes), count)
    room = sizes.unsqueeze(1)
    widths = torch.randint(widest + 1, shape, device=sizes.device).minimum(room)
    last = room - widths
    starts = (torch.rand(shape, device=sizes.device) * (last + 1)).long().minimum(last)
    places = torch.arange(longest, device=sizes.device)
    inside = (places >= starts.unsqueeze(2)) & (places < (starts + widths).unsqueeze(2))
    return inside.any(dim=1)
