"""Targets that are numbers, written one after another: a column each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.inputs.answered import Inputs
from rnncli.inputs.batches import Batch, Dataset, plan_by_length
from rnncli.inputs.targets import Target
from rnncli.inputs.time_series import scaling
from rnncli.inputs.time_series.scaling import Scale

VALUE = "value"
"""What the numbers of all columns are called where one name stands for them."""


class Curves(Dataset):
    """Examples of one step, each with a curve.

    Args:
        values: (examples, horizon, 1), scaled; None to predict only.
        scale: of all values.
    """

    unit = "pairs"

    def __init__(self, inputs: Mapping[str, Inputs], values: Tensor | None, scale: Scale) -> None:
        self.inputs, self.values = dict(inputs), values
        self._center, self._scale = (torch.tensor(part).float().view(1, 1, 1) for part in (scale.center, scale.scale))

    @property
    def lengths(self) -> np.ndarray:
        """(examples,) steps of the inputs."""
        return next(iter(self.inputs.values())).lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        return plan_by_length(self.lengths, batch_size, order)

    def batch(self, rows: np.ndarray) -> Batch:
        return Batch(
            {name: each.padded(rows) for name, each in self.inputs.items()},
            None if self.values is None else self.values[torch.from_numpy(rows)],
            rows,
            center=self._center.expand(len(rows), 1, 1),
            scale=self._scale.expand(len(rows), 1, 1),
        )


@dataclass(frozen=True)
class CurveAnswers:
    """What the training part knows of curves.

    Attributes:
        columns: those that hold the numbers, in their order.
        scale: one center and scale for all columns: they are steps of one quantity.
    """

    columns: tuple[str, ...]
    scale: Scale

    @classmethod
    def fit(cls, columns: Sequence[str], items: Sequence[Any]) -> CurveAnswers:
        return cls(tuple(columns), scaling.fit("standard", np.array(items, np.float64).reshape(-1, 1)))

    @property
    def target(self) -> Target:
        return Target("forecast", (VALUE,), horizon=len(self.columns), from_one=True)

    def dataset(self, inputs: Mapping[str, Inputs], items: Sequence[Any] | None) -> Curves:
        """Args: items: the numbers of each example; None to predict only."""
        values = None
        if items is not None:
            scaled = (np.array(items, np.float64).reshape(len(items), -1) - self.scale.center) / self.scale.scale
            values = torch.from_numpy(scaled.astype(np.float32)).unsqueeze(2)
        return Curves(inputs, values, self.scale)

    def written(self, own: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """The row of each example with its predictions, of which there is one for each column."""
        of_rows = [steps[first : first + len(self.columns)] for first in range(0, len(steps), len(self.columns))]
        for row, curve in zip(own, of_rows, strict=True):
            told = {
                column + name.removeprefix(VALUE): number
                for column, step in zip(self.columns, curve, strict=True)
                for name, number in step.items()
            }
            yield {**row, **told}

    def to_json(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "scale": self.scale.to_json()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> CurveAnswers:
        return cls(tuple(saved["columns"]), Scale.from_json(saved["scale"]))
