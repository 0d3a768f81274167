"""Series, or rows of a table, as examples; their targets may have units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rnncli.inputs.batches import Batch, Ragged, Sequences


class Examples(Sequences):
    """Series with a target each, or one a step.

    Args:
        units: (examples or 1, values) center and scale of the targets; None where they have none.
        per_step: whether each step has a target.
        repeats: whether the targets are the first columns of the inputs one step later.
    """

    unit = "series"

    def __init__(
        self,
        inputs: dict[str, Ragged],
        targets: Ragged | Tensor | None,
        units: tuple[np.ndarray, np.ndarray] | None = None,
        per_step: bool = False,
        repeats: bool = False,
    ) -> None:
        super().__init__(inputs, targets)
        self.per_step, self.repeats = per_step, repeats
        self._units = None
        if units is not None:
            center, scale = (np.broadcast_to(part, (len(self), part.shape[1])) for part in units)
            self._units = torch.tensor(center, dtype=torch.float32), torch.tensor(scale, dtype=torch.float32)

    def batch(self, rows: np.ndarray) -> Batch:
        batch = super().batch(rows)
        if self._units is None:
            return batch
        center, scale = (part[torch.from_numpy(rows)] for part in self._units)
        if self.per_step:
            center, scale = center.unsqueeze(1), scale.unsqueeze(1)
        return replace(batch, center=center, scale=scale)

    def naive(self, rows: np.ndarray) -> np.ndarray | None:
        """(rows, time, values) float64: of each step the value before it; None where targets are no later values."""
        if not self.repeats or self._units is None:
            return None
        center, scale = (part[torch.from_numpy(rows)].double().unsqueeze(1) for part in self._units)
        before = self.inputs["values"].padded(rows).values[..., : center.shape[-1]]
        return (before.double() * scale + center).numpy()


class Rows(Examples):
    """Rows of a table, each a sequence of one step."""

    unit = "rows"
