"""Options of the encoder of images; importing them does not import torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rnncli.config.settings import Settings
from rnncli.layers.settings import Rate

GROUP = 8
"""Channels that are normalised together."""


class ImageEncoderSettings(Settings):
    """The convolutions that read pictures, in stages; each halves height and width."""

    channels: list[Annotated[int, Field(ge=GROUP, multiple_of=GROUP)]] = Field([32, 64, 128, 256], min_length=1)
    """Channels of each stage, multiples of 8. What is left of the grid of pixels after the last is where a decoder
    looks: 4 x 4 positions of a picture of 64 x 64 after four stages."""

    residual: bool = False
    """A second convolution in each stage, added to what goes into it (He et al. 2016); several times the work."""

    dropout: Rate = 0.0
    """Share of the single numbers dropped of what the last stage gives."""

    flip: bool = False
    """Show pictures mirrored, left to right, half of the time while training; not for captions that say left or
    right."""

    shift: int = Field(0, ge=0)
    """Pixels by which pictures are moved at most, in each direction, while training; pixels of the border fill up."""


DEFAULT_IMAGE_ENCODER = ImageEncoderSettings()
