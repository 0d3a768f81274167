"""Gates and gradients of a stack, as pictures show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.engines.engine import Recording
from rnncli.engines.reversal import Reversal
from rnncli.sequences import Padded


@dataclass(frozen=True)
class Recorded:
    """What one layer and direction showed of a run, with time in the order of the inputs and zeros at padding.

    Attributes:
        recording: as the engine fills it, in the order in which it reads.
        inputs: the sequences that are read.
        reverse: how they are turned; None forward.
    """

    recording: Recording
    inputs: Padded
    reverse: Reversal | None

    @property
    def gates(self) -> dict[str, Tensor]:
        """(batch, time, hidden) by the name of the gate."""
        return {name: self._in_order(values) for name, values in self.recording.gates.items()}

    @property
    def gradient(self) -> Tensor:
        """(batch, time, hidden): the derivative of the loss by each output, zeros until the backward pass is done."""
        assert self.recording.gradient is not None
        return self._in_order(self.recording.gradient)

    def _in_order(self, values: Tensor) -> Tensor:
        return values if self.reverse is None else self.reverse(self.inputs.with_values(values)).values


def make_recorded(cell: Cell[Any], inputs: Padded, reverse: Reversal | None) -> Recorded:
    """Empty buffers for a run over these inputs."""

    def empty() -> Tensor:
        return inputs.values.new_zeros(inputs.time, inputs.batch, cell.hidden_size).transpose(0, 1)

    gates = {gate.name: empty() for gate in cell.graph.gates}
    return Recorded(Recording(gates, empty()), inputs, reverse)
