"""Pictures by convolutions."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from rnncli.inputs.features import Images
from rnncli.layers.dropout import Dropout
from rnncli.layers.image_settings import GROUP, ImageEncoderSettings
from rnncli.sequences import Padded


class ImageEncoder(nn.Module):
    """Reads pictures in stages and gives the positions of the grid that is left, row by row.

    Each stage is a 3 x 3 convolution with stride 2, GroupNorm (Wu & He 2018, arXiv 1803.08494v3) and ReLU. No number of
    one picture depends on another, in training too. Equal pictures that follow one another in a batch, as those of
    several captions do, are read once; in training they are moved and dropped alike.

    Args:
        feature: the pictures' height and width.

    Attributes:
        size: features of a position.
        grid: rows and columns of the positions.
    """

    def __init__(self, settings: ImageEncoderSettings, feature: Images) -> None:
        super().__init__()
        self.settings, self.size = settings, settings.channels[-1]
        widths = [3, *settings.channels]
        self.stages = nn.Sequential(*(_Stage(before, after, settings.residual) for before, after in pairwise(widths)))
        self.dropout = Dropout(settings.dropout)
        height, width = feature.height, feature.width
        for _ in settings.channels:
            height, width = -(-height // 2), -(-width // 2)
        self.grid, self.positions = (height, width), height * width

    def forward(self, pictures: Padded) -> Padded:
        """(batch, 1, 3, height, width) uint8 to (batch, positions, size)."""
        values = pictures.values.squeeze(1)
        distinct, which = _distinct(values)
        if self.training:
            distinct = moved(distinct, self.settings.flip, self.settings.shift)
        # Of about the size of normal numbers, whatever the picture: its brightness and contrast tell something.
        scaled = (distinct.float() - 127.5) / 64
        grid = self.stages(scaled.contiguous(memory_format=torch.channels_last))
        read = self.dropout(grid.permute(0, 2, 3, 1).flatten(1, 2))
        if which is not None:
            read = read.index_select(0, which)
        return Padded(read, torch.full((len(values),), self.positions))


class _Stage(nn.Module):
    """Halves height and width."""

    def __init__(self, before: int, after: int, residual: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)
        self.norm = nn.GroupNorm(after // GROUP, after)
        self.second: nn.Conv2d | None = None
        if residual:
            self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
            self.second_norm = nn.GroupNorm(after // GROUP, after)

    def forward(self, values: Tensor) -> Tensor:
        values = self.norm(self.convolution(values)).relu()
        if self.second is not None:
            values = (values + self.second_norm(self.second(values))).relu()
        return values


def _distinct(pictures: Tensor) -> tuple[Tensor, Tensor | None]:
    """The pictures without those that equal the one before, and which of them each was; None where all differ."""
    same = (pictures[1:] == pictures[:-1]).flatten(1).all(1)
    if not same.any():
        return pictures, None
    new = torch.cat([same.new_ones(1), ~same])
    return pictures[new], new.cumsum(0) - 1


def moved(pictures: Tensor, flip: bool, shift: int) -> Tensor:
    """(batch, channels, height, width) mirrored and moved at random, each by itself; the border's pixels fill up."""
    if not (flip or shift):
        return pictures
    batch, _, height, width = pictures.shape
    device = pictures.device
    rows = torch.arange(height, device=device).expand(batch, -1)
    columns = torch.arange(width, device=device).expand(batch, -1)
    if flip:
        mirrored = torch.randint(2, (batch, 1), device=device, dtype=torch.bool)
        columns = torch.where(mirrored, columns.flip(1), columns)
    if shift:
        by = torch.randint(-shift, shift + 1, (2, batch, 1), device=device)
        rows, columns = (rows + by[0]).clamp(0, height - 1), (columns + by[1]).clamp(0, width - 1)
    each = torch.arange(batch, device=device)
    # The channels stay behind: memory in the order of the convolutions.
    taken = pictures.permute(0, 2, 3, 1)[each[:, None, None], rows[:, :, None], columns[:, None, :]]
    return taken.permute(0, 3, 1, 2)
