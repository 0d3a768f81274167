"""Samples to log-mel spectra and mel-frequency cepstra."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import ConfigError
from rnncli.inputs.audio.settings import MFCCSettings, SpectrumSettings

FLOOR = 1e-10
"""Power that is added before the logarithm: that of silence."""

REACH = 2
"""Steps on each side that a slope is taken over."""


class Spectra:
    """What is computed of sounds of one sample rate.

    Attributes:
        rate: samples a second.
        window: samples of a window; `hop`: from one to the next.
        width: numbers of a step.

    Raises:
        ConfigError: windows or filters that this rate does not admit.
    """

    def __init__(self, settings: SpectrumSettings, sample_rate: int) -> None:
        self.settings, self.rate = settings, sample_rate
        self.window, self.hop = (round(each * sample_rate / 1000) for each in (settings.window, settings.hop))
        if min(self.window, self.hop) < 2:
            raise ConfigError([f"data.features: a window and a hop must have two samples at {sample_rate} Hz or more"])
        # Twice the power of two that holds a window, so that the narrowest filters find a frequency.
        self.points = 2 ** (math.ceil(math.log2(self.window)) + 1)
        high = sample_rate / 2 if settings.high is None else settings.high
        if not settings.low < high <= sample_rate / 2:
            raise ConfigError(
                [
                    f"data.features: from {settings.low:g} to {high:g} Hz are not frequencies of sounds with "
                    f"{sample_rate} samples a second, which have them up to {sample_rate / 2:g} Hz"
                ]
            )
        self.filters = mel_filters(settings.mels, self.points, sample_rate, settings.low, high)
        if not bool(self.filters.any(dim=0).all()):
            raise ConfigError(
                [
                    f"data.features.mels: {settings.mels} filters from {settings.low:g} to {high:g} Hz are so narrow "
                    "that one falls between the frequencies of a window; give fewer, or longer windows"
                ]
            )
        self.cosines = None
        if isinstance(settings, MFCCSettings):
            self.cosines = cosines(settings.mels)[:, : settings.coefficients]
        numbers = settings.mels if self.cosines is None else self.cosines.shape[1]
        self.width = numbers * (1 + settings.deltas)
        self._hann = torch.hann_window(self.window)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """(samples,) float32, at least `window` of them, to (time, width) float32; every window lies within them."""
        missing = self.points - self.window
        padded = torch.nn.functional.pad(torch.from_numpy(samples), (missing // 2, missing - missing // 2))
        spectrum = torch.stft(padded, self.points, self.hop, self.window, self._hann, center=False, return_complex=True)
        power = spectrum.abs().square().t()
        values = (power @ self.filters + FLOOR).log()
        if self.cosines is not None:
            values = values @ self.cosines
        parts = [values]
        for _ in range(self.settings.deltas):
            parts.append(slopes(parts[-1]))
        return torch.cat(parts, dim=1).numpy()


def mel_filters(count: int, points: int, sample_rate: int, low: float, high: float) -> Tensor:
    """(points / 2 + 1, count) float32: triangles of height 1, evenly spaced on the mel scale of HTK,
    2595 log10(1 + f / 700) (Young et al., "The HTK book", 2006, section 5.4)."""
    ends = torch.tensor([low, high], dtype=torch.float64)
    first, last = (2595 * torch.log10(1 + ends / 700)).tolist()
    corners = 700 * (10 ** (torch.linspace(first, last, count + 2, dtype=torch.float64) / 2595) - 1)
    frequencies = torch.linspace(0, sample_rate / 2, points // 2 + 1, dtype=torch.float64).unsqueeze(1)
    left, top, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (frequencies - left) / (top - left), (right - frequencies) / (right - top)
    return torch.minimum(rising, falling).clamp(min=0).float()


def cosines(count: int) -> Tensor:
    """(count, count) float32: the orthonormal cosine transform (DCT-II), a coefficient in each column."""
    places = torch.arange(count, dtype=torch.float64)
    table = torch.cos(math.pi / count * (places.unsqueeze(1) + 0.5) * places) * math.sqrt(2 / count)
    table[:, 0] /= math.sqrt(2)
    return table.float()


def slopes(values: Tensor) -> Tensor:
    """(time, numbers) to the same: the least-squares slope over REACH steps on each side, the ends repeated (HTK)."""
    steps = len(values)
    places = torch.arange(steps)
    total = torch.zeros_like(values)
    for distance in range(1, REACH + 1):
        after, before = (places + distance).clamp(max=steps - 1), (places - distance).clamp(min=0)
        total += distance * (values[after] - values[before])
    return total / (2 * sum(distance**2 for distance in range(1, REACH + 1)))
