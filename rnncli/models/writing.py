"""Where sequences stand that are being written."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnncli.layers.attention import Memory
from rnncli.layers.recurrent import StackState, detach
from rnncli.layers.stepper import StackStepper


@dataclass(frozen=True)
class Writing:
    """Where some sequences stand that are being written.

    Attributes:
        memory: what is looked at, a row for each.
        read: (rows, positions) the tokens that can be copied.
        layers: the state of the recurrent layers; None at the beginning, without a bridge.
        found: (rows, hidden) what the last step found, which input feeding reads.
        coverage: (rows, positions) the attention that each position has had.
        inputs: (rows,) which of the inputs each row is written for.
        stepper: takes the steps where no gradients are wanted.
    """

    memory: Memory | None
    read: Tensor | None
    layers: StackState | None
    found: Tensor
    coverage: Tensor | None
    inputs: Tensor
    stepper: StackStepper | None = None

    def chosen(self, rows: Tensor) -> Writing:
        """The state of those rows."""
        inputs = self.inputs[rows]
        moved = not torch.equal(inputs, self.inputs)  # a beam mostly reorders the rows of one input among themselves
        memory, read = self.memory, self.read
        return replace(
            self,
            memory=memory.chosen(rows) if memory is not None and moved else memory,
            read=read[rows] if read is not None and moved else read,
            layers=None if self.layers is None else tuple(tuple(each[rows] for each in cell) for cell in self.layers),
            found=self.found[rows],
            coverage=None if self.coverage is None else self.coverage[rows],
            inputs=inputs,
        )

    def without_history(self) -> Writing:
        """The same state, through which no gradient goes back to the steps before."""
        return replace(
            self,
            layers=None if self.layers is None else detach(self.layers),
            found=self.found.detach(),
            coverage=None if self.coverage is None else self.coverage.detach(),
        )
