"""Small data of every form, as datasets."""

from __future__ import annotations

import numpy as np
import torch

from rnncli.inputs.batches import Batch, Ragged, Sequences
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded

LENGTHS = np.array([3, 1, 6, 4, 2])


def ragged(flat: torch.Tensor) -> Ragged:
    """Sequences of LENGTHS."""
    return Ragged(flat, np.concatenate([[0], LENGTHS.cumsum()]))


def settings(**options: object) -> ModelSettings:
    return ModelSettings.model_validate({"cell": {"type": "lstm", "hidden_size": 5}, **options})


def ids(size: int) -> torch.Tensor:
    return torch.randint(2, size, (int(LENGTHS.sum()),))


def numbers(width: int) -> torch.Tensor:
    return torch.randn(int(LENGTHS.sum()), width)


def everything(targets: Ragged | torch.Tensor | None) -> Sequences:
    """Words with their characters, a category and numbers. Sequences of LENGTHS."""
    spellings = Ragged(torch.randint(2, 9, (24,)), np.array([0, 2, 3, 7, 8, 12, 15, 16, 20, 24]))
    inputs = {
        "words": ragged(ids(20)),
        "characters": ragged(torch.randint(0, 9, (int(LENGTHS.sum()),))),
        "kind.of": ragged(ids(4)),
        "values": ragged(numbers(3)),
    }
    return Sequences(inputs, targets, spellings, "characters")


def windows(values: torch.Tensor, targets: torch.Tensor | None, **more: torch.Tensor) -> Batch:
    """Windows of (batch, context, width), with what follows."""
    lengths = torch.full((len(values),), values.shape[1])
    by_time = values.transpose(0, 1).contiguous().transpose(0, 1)
    return Batch({"values": Padded(by_time, lengths)}, targets, np.arange(len(values)), **more)
