"""What every engine offers: a whole sequence and a single step of any cell it accepts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.weights import CellWeights, State
from rnncli.registry import Registry
from rnncli.sequences import Padded


class Engine(ABC):
    """Runs a cell over time in one direction."""

    @abstractmethod
    def refusal(self, cell: Cell[Any], recurrent_dropout: float) -> str | None:
        """Why this engine does not run the cell with that dropout in the recurrence, or None where it does."""

    @abstractmethod
    def run(
        self,
        weights: CellWeights,
        inputs: Padded,
        state: State | None = None,
        *,
        hidden_mask: Tensor | None = None,
        final_state: bool = False,
    ) -> tuple[Padded, State | None]:
        """Run over whole sequences.

        Args:
            inputs: (batch, time, input); fastest where memory is time-major. Padding positions hold finite numbers.
            state: where the sequences go on from; zeros where it is None.
            hidden_mask: (batch, hidden); the operands of all recurrent products are multiplied by it at every step.
            final_state: whether the state is asked for.

        Returns:
            The outputs, (batch, time, hidden) in time-major memory with zeros at padding positions, and the state
            after the last valid step of each sequence where it is asked for.
        """

    def step(
        self, weights: CellWeights, inputs: Tensor, state: State | None = None, *, hidden_mask: Tensor | None = None
    ) -> State:
        """Run a single step on inputs of (batch, input); the first tensor of the new state is the output."""
        one = Padded(inputs.unsqueeze(1), torch.ones(len(inputs), dtype=torch.int64))
        _, new = self.run(weights, one, state, hidden_mask=hidden_mask, final_state=True)
        assert new is not None
        return new


ENGINES: Registry[type[Engine]] = Registry("engine")
