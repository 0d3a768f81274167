"""What every head is: the output layer, its loss, and what is told of its predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from rnncli.heads.settings import HeadSettings
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.registry import Registry
from rnncli.sequences import Padded

S = TypeVar("S", bound=HeadSettings)


def step_positions(sequences: Padded) -> Tensor:
    """(items,) int64, on the device of the sequences: where the valid steps stand in a time-major (time * batch)
    order, named sequence after sequence."""
    valid = torch.arange(sequences.time) < sequences.lengths.unsqueeze(1)
    rows, steps = valid.nonzero(as_tuple=True)
    return (steps * sequences.batch + rows).to(sequences.values.device)


def valid_steps(values: Tensor, sequences: Padded) -> Tensor:
    """(items, ...): the valid steps of (batch, time, ...), sequence after sequence."""
    if sequences.full:
        return values.flatten(0, 1)
    # Sequences lie time-major in memory, so this view costs nothing; boolean masks cost 3 times as much.
    return values.transpose(0, 1).flatten(0, 1).index_select(0, step_positions(sequences))


def asked_of_each(lengths: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """(sequences,) how many of each sequence's items are asked for.

    Args:
        lengths: (sequences,) the items of each.
        asked: (items,) bool.
    """
    before = np.concatenate([[0], np.cumsum(asked)])
    ends = np.cumsum(lengths)
    counts: np.ndarray = before[ends] - before[ends - lengths]
    return counts


class Head(nn.Module, ABC, Generic[S]):
    """Turns features into outputs, one for each item; an item is a sequence, or a valid step of one, or a window.

    Attributes:
        settings_type: the class of its settings.
    """

    settings_type: ClassVar[type[HeadSettings]]

    def __init__(self, settings: S, features: int, target: Target) -> None:
        super().__init__()
        self.settings, self.target = settings, target

    def forward(self, features: Tensor, sequences: Padded) -> Tensor:
        """The outputs, (items, ...).

        Args:
            features: (batch, width), or (batch, time, width) for targets per step: only valid steps are looked at.
            sequences: any of the inputs, for their lengths.
        """
        return self.score(valid_steps(features, sequences) if self.target.per_step else features)

    @abstractmethod
    def score(self, items: Tensor) -> Tensor:
        """The outputs of features (items, width)."""

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, int]:
        """The mean loss of the outputs' items that a target is asked for, and their number; 0 where it is of none."""

    @abstractmethod
    def outcome(self, outputs: Tensor, batch: Batch) -> Outcome:
        """The predictions, beside the targets where the batch has them; then without the items that ask for none."""

    def targets(self, batch: Batch) -> Tensor | None:
        """(items, ...): the targets without padding."""
        if batch.targets is None or not self.target.per_step:
            return batch.targets
        return valid_steps(batch.targets, batch.sequences)

    def known_targets(self, batch: Batch) -> Tensor:
        """The same, where there must be some.

        Raises:
            ValueError: the batch has no targets.
        """
        targets = self.targets(batch)
        if targets is None:
            raise ValueError("a loss needs a batch with targets")
        return targets

    def lengths(self, batch: Batch) -> np.ndarray:
        """(sequences,) the items of each sequence."""
        sequences = batch.sequences
        return sequences.lengths.numpy() if self.target.per_step else np.ones(sequences.batch, dtype=np.int64)


HEADS: Registry[type[Head[Any]]] = Registry("head")
