"""Images with captions, in memory once each."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnncli.inputs.answered import Answered
from rnncli.sequences import Padded


class Shared:
    """What examples read, of which several may read the same.

    Args:
        values: (images, steps, ...), each once.
        of_examples: (examples,) int64 the image of each.
    """

    def __init__(self, values: Tensor, of_examples: np.ndarray) -> None:
        self.values, self.of_examples = values, of_examples
        self.lengths = np.full(len(of_examples), values.shape[1], np.int64)

    def padded(self, rows: np.ndarray) -> Padded:
        """(rows, steps, ...) of these examples."""
        taken = self.values.index_select(0, torch.from_numpy(self.of_examples[rows]))
        return Padded(taken, torch.from_numpy(self.lengths[rows]))


class Captions(Answered):
    """A caption an example; shuffled, those of one image follow one another, so that a batch reads it once."""

    unit = "captions"

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        if order is None:
            return super().plan(batch_size, order, steps)
        (shared,) = self.inputs.values()
        assert isinstance(shared, Shared)
        place = order.permutation(len(shared.values))
        rows = order.permutation(len(self))
        rows = rows[np.argsort(place[shared.of_examples[rows]], kind="stable")]
        return [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
