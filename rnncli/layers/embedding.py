"""Tokens as vectors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from rnncli.cells.drawing import draw
from rnncli.cells.initializers import InitializerSettings
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
        padded: whether entry PADDING is padding; else it has a vector as all others have.

    Attributes:
        given: (size, 1) the rows that are not drawn: those of PADDING and of pretrained vectors.
    """

    given: Tensor

    def __init__(
        self,
        size: int,
        width: int,
        *,
        vectors: np.ndarray | None = None,
        frozen: bool = False,
        deviation: float = 1.0,
        padded: bool = True,
    ) -> None:
        super().__init__()
        self._padding = PADDING if padded else None
        if vectors is None:
            weight, given = torch.empty(size, width), torch.zeros(size, 1, dtype=torch.bool)
        else:
            weight = torch.tensor(vectors, dtype=torch.float32)
            given = ~weight.isnan().any(dim=1, keepdim=True)
            if given.any():
                deviation = float(weight[given.squeeze(1)].square().mean().sqrt())
        if padded:
            weight[PADDING], given[PADDING] = 0, True
        self.weight = nn.Parameter(weight, requires_grad=not frozen)
        self.register_buffer("given", given, persistent=False)
        self._deviation = deviation
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self, way: InitializerSettings | None = None, hidden_size: int = 1) -> None:
        """Draw the rows that are not given, from a normal distribution if no other way is asked for.

        Args:
            hidden_size: units of the cell, by which a uniform way measures.
        """
        drawn = torch.empty_like(self.weight)
        if way is None:
            drawn.normal_(std=self._deviation)
        else:
            draw(drawn, way, hidden_size)
        self.weight.copy_(torch.where(self.given, self.weight, drawn))

    def forward(self, ids: Padded) -> Padded:
        """(batch, time) ids to (batch, time, width) in time-major memory."""
        by_time = embedding(ids.values.t(), self.weight, padding_idx=self._padding)
        return ids.with_values(by_time.transpose(0, 1))
