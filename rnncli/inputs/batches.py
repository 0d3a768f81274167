"""Examples in memory, cut into batches by slicing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from rnncli.sequences import Padded

NO_TARGET = -100
"""The class of a step that asks for nothing, where a target is `partial`."""

POOL = 50
"""Batches that are sorted by length together: large enough that lengths agree, small enough that epochs differ."""


@dataclass(frozen=True)
class Batch:
    """What one step of training sees.

    Attributes:
        inputs: by the names of the loader's features; all of the same batch, time and lengths.
        targets: one a sequence (batch,), (batch, labels) or (batch, values); one a step (batch, time, ...), anything
            at padding; a forecast (batch, horizon, values); a sequence of its own length (batch, target time). Classes
            are int64, the others float32, scaled like the inputs. NaN where a value was not observed, NO_TARGET where
            no class is asked for. None where there is nothing to compare with.
        rows: (batch,) the positions of these examples in their dataset.
        spellings: the distinct words of this batch as characters, (words, characters) ids.
        continues: the first step of each row follows the last step of the same row of the batch before.
        center, scale: (batch, 1, values), or (batch, values) where there is one target a sequence: value x of the
            targets stands for `x * scale + center` in the data's own units. None: targets are in their own units.
        naive_error: (batch, values) mean absolute error of the seasonal naive forecast in each row's series before the
            part that the row is of, in the data's own units: the unit of MASE.
        target_lengths: (batch,) int64 on the CPU, where targets (batch, target time) have lengths of their own;
            anything at padding.
        references: of each sequence the texts that would be right.
        ahead: (batch, horizon, width) float32, what is known of the steps to forecast, scaled like the inputs.
    """

    inputs: dict[str, Padded]
    targets: Tensor | None
    rows: np.ndarray
    spellings: Padded | None = None
    continues: bool = False
    center: Tensor | None = None
    scale: Tensor | None = None
    naive_error: Tensor | None = None
    target_lengths: Tensor | None = None
    references: list[tuple[str, ...]] | None = None
    ahead: Tensor | None = None

    @property
    def sequences(self) -> Padded:
        """Any one of the inputs, for its lengths and mask."""
        return next(iter(self.inputs.values()))

    def to(self, device: torch.device) -> Batch:
        if device.type == "cpu":
            return self

        def move(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(device, non_blocking=True)

        return replace(
            self,
            inputs={name: values.to(device) for name, values in self.inputs.items()},
            targets=move(self.targets),
            spellings=None if self.spellings is None else self.spellings.to(device),
            center=move(self.center),
            scale=move(self.scale),
            naive_error=move(self.naive_error),
            ahead=move(self.ahead),
        )


class Dataset(ABC):
    """One split, encoded, in memory.

    Attributes:
        unit: what `__len__` counts, in the plural, for the screen: "rows", "tokens", "windows".
    """

    unit: ClassVar[str]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        """The rows of each batch of one pass, every row once.

        Args:
            order: shuffles; None for the order that costs least.
            steps: time steps of a batch, where a stream is cut (truncated BPTT).
        """

    @abstractmethod
    def batch(self, rows: np.ndarray) -> Batch:
        """The batch of one entry of a plan."""

    def naive(self, rows: np.ndarray) -> np.ndarray | None:
        """What a forecaster without a model says of these rows, in the data's own units and the shape of their
        targets: the value one season before (seasonal naive); None where the data know no such answer."""
        return None


class Ragged:
    """Sequences of unequal length end to end in one tensor.

    Attributes:
        flat: (steps of all sequences, ...).
        offsets: (sequences + 1,) int64: sequence k is `flat[offsets[k]:offsets[k + 1]]`.
    """

    def __init__(self, flat: Tensor, offsets: np.ndarray) -> None:
        self.flat, self.offsets = flat, offsets
        self.lengths = np.diff(offsets)

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self, rows: np.ndarray) -> Padded:
        """(rows, time, ...): time-major in memory; padding repeats the last valid step."""
        starts, lengths = self.offsets[rows], self.lengths[rows]
        steps = np.arange(lengths.max())
        positions = starts + np.minimum(steps[:, None], lengths - 1)
        index = torch.from_numpy(positions)
        values = self.flat.index_select(0, index.flatten()).view(*index.shape, *self.flat.shape[1:])
        return Padded(values.transpose(0, 1), torch.from_numpy(lengths))


def plan_by_length(lengths: np.ndarray, batch_size: int, order: np.random.Generator | None) -> list[np.ndarray]:
    """Batches of rows of like length, so that little of a batch is padding.

    Shuffled, rows are sorted only within pools of POOL batches, and the batches then mixed.
    """
    count = len(lengths)
    if order is None:
        rows = np.argsort(lengths, kind="stable")
        return [rows[start : start + batch_size] for start in range(0, count, batch_size)]
    rows = order.permutation(count)
    plan = []
    for start in range(0, count, batch_size * POOL):
        pool = rows[start : start + batch_size * POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        plan += [pool[first : first + batch_size] for first in range(0, len(pool), batch_size)]
    return [plan[position] for position in order.permutation(len(plan))]


class Sequences(Dataset):
    """Sequences with a target each, or one a step.

    Args:
        inputs: by feature name; all with the same lengths.
        targets: a Ragged of one a step, or a tensor of one a sequence, (sequences, ...); None to predict only.
        spellings: the distinct words as characters, for a feature Spelling whose ids count these words.
    """

    unit = "rows"

    def __init__(
        self,
        inputs: dict[str, Ragged],
        targets: Ragged | Tensor | None,
        spellings: Ragged | None = None,
        spelled: str | None = None,
    ) -> None:
        self.inputs, self.targets = inputs, targets
        self.spellings, self.spelled = spellings, spelled

    @property
    def lengths(self) -> np.ndarray:
        return next(iter(self.inputs.values())).lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        return plan_by_length(self.lengths, batch_size, order)

    def batch(self, rows: np.ndarray) -> Batch:
        inputs = {name: ragged.padded(rows) for name, ragged in self.inputs.items()}
        if isinstance(self.targets, Ragged):
            targets: Tensor | None = self.targets.padded(rows).values
        else:
            targets = None if self.targets is None else self.targets[torch.from_numpy(rows)]
        spellings = None
        if self.spellings is not None and self.spelled is not None:
            # Each distinct word of the batch is spelled once, however often it stands there.
            words, positions = np.unique(inputs[self.spelled].values.numpy(), return_inverse=True)
            shape = inputs[self.spelled].values.shape
            inputs[self.spelled] = inputs[self.spelled].with_values(torch.from_numpy(positions.reshape(shape)))
            spellings = self.spellings.padded(words)
        return Batch(inputs, targets, rows, spellings)
