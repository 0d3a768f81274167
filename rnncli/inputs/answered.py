"""Inputs with a sequence each to answer them, of a length of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from rnncli.inputs.batches import Batch, Dataset, Ragged, plan_by_length
from rnncli.sequences import Padded


class Inputs(Protocol):
    """What one feature of all examples must offer; Ragged does.

    Attributes:
        lengths: (examples,) int64 steps of each.
    """

    lengths: np.ndarray

    def padded(self, rows: np.ndarray) -> Padded:
        """(rows, time, ...) of these examples."""


class Answered(Dataset):
    """Examples whose target is a sequence of tokens.

    Args:
        inputs: by feature name; all with the same lengths.
        answers: the ids of each target, without begin or end; none of them 0. None to predict only.
        references: of each example the texts that would be right, the first of which `answers` holds.

    Attributes:
        lengths: (examples,) steps of the inputs.
    """

    unit = "pairs"

    def __init__(
        self, inputs: Mapping[str, Inputs], answers: Ragged | None, references: Sequence[tuple[str, ...]] | None = None
    ) -> None:
        self.inputs, self.answers, self.references = dict(inputs), answers, references

    @property
    def lengths(self) -> np.ndarray:
        return next(iter(self.inputs.values())).lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        work = self.lengths if self.answers is None else self.lengths + self.answers.lengths
        return plan_by_length(work, batch_size, order)

    def batch(self, rows: np.ndarray) -> Batch:
        inputs = {name: each.padded(rows) for name, each in self.inputs.items()}
        answers = None if self.answers is None else self.answers.padded(rows)
        return Batch(
            inputs,
            None if answers is None else answers.values,
            rows,
            target_lengths=None if answers is None else answers.lengths,
            references=None if self.references is None else [self.references[row] for row in rows],
        )
