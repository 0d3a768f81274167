"""Tokens as vectors."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.functional import embedding

from rnncli.inputs.features import PADDING
from rnncli.sequences import Padded


class Embedding(nn.Module):
    """A vector for each entry of a vocabulary; the vector of PADDING is zeros, and no lookup trains it.

    Args:
        size: entries of the vocabulary.
        width: features of a vector.
        vectors: (size, width) pretrained, NaN in rows that have none; those are drawn as large as the others.
        frozen: whether training leaves the vectors as they are.
        deviation: standard deviation of the numbers drawn where nothing is pretrained.
    """

    def __init__(
        self,
        size: int,
        width: int,
        *,
        vectors: np.ndarray | None = None,
        frozen: bool = False,
        deviation: float = 1.0,
    ) -> None:
        super().__init__()
        weight = torch.randn(size, width) * deviation
        if vectors is not None:
            given = torch.as_tensor(vectors, dtype=torch.float32)
            known = ~given.isnan().any(dim=1, keepdim=True)
            if known.any():
                weight *= given[known.squeeze(1)].square().mean().sqrt() / deviation
            weight = torch.where(known, given, weight)
        weight[PADDING] = 0
        self.weight = nn.Parameter(weight, requires_grad=not frozen)

    def forward(self, ids: Padded) -> Padded:
        """(batch, time) ids to (batch, time, width) in time-major memory."""
        by_time = embedding(ids.values.t(), self.weight, padding_idx=PADDING)
        return ids.with_values(by_time.transpose(0, 1))
