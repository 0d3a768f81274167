"""Batches with unequal lengths."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.inputs.batches import Batch
from rnncli.sequences import Padded

LENGTHS = (2, 5, 1, 4)


@pytest.fixture
def per_step() -> Callable[..., tuple[Tensor, Batch]]:
    def build(
        targets: Tensor | None, width: int = 6, lengths: tuple[int, ...] = LENGTHS, **more: Tensor
    ) -> tuple[Tensor, Batch]:
        """Features (batch, time, width) in time-major memory, and a batch with targets (items, ...) put in place."""
        counts = torch.tensor(lengths)
        features = torch.randn(int(counts.max()), len(lengths), width).transpose(0, 1)
        sequences = Padded(features, counts)
        if targets is not None:
            padded = torch.full((len(lengths), int(counts.max()), *targets.shape[1:]), 1, dtype=targets.dtype)
            padded[sequences.mask] = targets
            targets = padded
        return features, Batch({"x": sequences}, targets, np.arange(len(lengths)), **more)

    return build


@pytest.fixture
def per_sequence() -> Callable[..., tuple[Tensor, Batch]]:
    def build(targets: Tensor | None, width: int = 6, rows: int = 5, **more: Tensor) -> tuple[Tensor, Batch]:
        """Features (batch, width), and a batch with targets (batch, ...)."""
        sequences = Padded(torch.randn(rows, 3, 2), torch.full((rows,), 3))
        return torch.randn(rows, width), Batch({"x": sequences}, targets, np.arange(rows), **more)

    return build


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(7)
