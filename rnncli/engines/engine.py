"""What every engine offers: a whole sequence and a single step of any cell it accepts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import linear

from rnncli.cells.cell import Cell
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.reversal import Reversal
from rnncli.engines.stepper import Stepper
from rnncli.registry import Registry
from rnncli.sequences import Padded


@dataclass(frozen=True)
class Masks:
    """Dropout inside the recurrence: drawn once a call, the same for every engine.

    Attributes:
        hidden: (batch, hidden); the operands of all recurrent products are multiplied by it at every step.
        zoneout: by the name of a state, the share of its old value that it keeps: (batch, time, hidden) in time-major
            memory, or one number for all.
        weight: the shape of weight_hh, which is multiplied by it.
    """

    hidden: Tensor | None = None
    zoneout: Mapping[str, Tensor | float] = field(default_factory=dict)
    weight: Tensor | None = None


NO_MASKS = Masks()
NO_ZONEOUT: Mapping[str, float] = {}


@dataclass(frozen=True)
class Recording:
    """Buffers that a run fills for pictures; padding positions become zeros.

    Attributes:
        gates: (batch, time, hidden) by the name of the gate.
        gradient: (batch, time, hidden): the derivative of the loss by each output h_t, through all that follows it.
            Filled by the backward pass.
    """

    gates: Mapping[str, Tensor] = field(default_factory=dict)
    gradient: Tensor | None = None


@dataclass(frozen=True)
class Wanted:
    """What an engine is asked for beyond the equations; precision is a type of torch by its name."""

    recurrent_dropout: bool = False
    zoneout: bool = False
    recording: bool = False
    precision: str = "float32"


NOTHING_MORE = Wanted()


def precision_of(tensor: Tensor) -> str:
    """The type of a tensor by its name, as in float32."""
    return str(tensor.dtype).removeprefix("torch.")


@dataclass(frozen=True)
class Call:
    """One run over whole sequences, with all that its steps need.

    Attributes:
        weight_hh: the recurrent matrix, after what was dropped of it.
        inputs: what the cell reads, (batch, time, input); padding positions hold finite numbers.
        reverse: whether each sequence is read from its end; masks and recordings stand in the order of reading.
        state: where the sequences go on from.
    """

    weights: CellWeights
    weight_hh: Tensor
    inputs: Padded
    state: State
    masks: Masks
    recording: Recording | None
    final_state: bool
    reverse: bool


class Engine(ABC):
    """Runs a cell over time in one direction.

    Attributes:
        by_lengths: whether it reads valid steps alone, from either end: then padding positions may hold anything.
    """

    by_lengths: ClassVar[bool] = False

    @abstractmethod
    def refusal(self, cell: Cell[Any], wanted: Wanted) -> str | None:
        """Why this engine does not run the cell with what is wanted, or None where it does."""

    def missing(self, cell: Cell[Any]) -> str | None:
        """What this machine lacks for it, or None; it may take a second to find out."""
        return None

    @abstractmethod
    def _run(self, call: Call) -> tuple[Padded, State | None]:
        """As `run`, for a call that the engine does not refuse."""

    def run(
        self,
        weights: CellWeights,
        inputs: Padded,
        state: State | None = None,
        *,
        masks: Masks = NO_MASKS,
        recording: Recording | None = None,
        final_state: bool = False,
        reverse: bool = False,
    ) -> tuple[Padded, State | None]:
        """Run over whole sequences.

        Args:
            inputs: (batch, time, input); fastest where memory is time-major. Padding positions hold finite numbers.
            state: where the sequences go on from; zeros where it is None.
            recording: filled with gates and gradients.
            final_state: whether the state is asked for.
            reverse: whether each sequence is read from its end; masks and recordings stand in the order of reading.

        Returns:
            The outputs, (batch, time, hidden) in time-major memory with zeros at padding positions, and the state
            after the last valid step that is read of each sequence, where it is asked for.

        Raises:
            ValueError: the engine refuses the cell, the masks or the recording.
        """
        precision = precision_of(weights.weight_ih)
        wanted = Wanted(masks.hidden is not None, bool(masks.zoneout), recording is not None, precision)
        reason = self.refusal(weights.cell, wanted)
        if reason:
            raise ValueError(reason)
        if recording is not None and recording.gradient is not None:
            recording.gradient.zero_()  # where the loss depends on no output, the backward pass leaves it so
        if weights.projection is not None:
            inputs = inputs.with_values(linear(inputs.values, weights.projection))
        matrix = weights.weight_hh if masks.weight is None else weights.weight_hh * masks.weight
        state = weights.zero_state(inputs.batch) if state is None else state
        turn = Reversal(inputs) if reverse and not self.by_lengths else None
        read = inputs if turn is None else turn(inputs)
        made, last = self._run(Call(weights, matrix, read, state, masks, recording, final_state, reverse))
        return made if turn is None else turn(made), last

    def stepper(self, weights: CellWeights, zoneout: Mapping[str, float] = NO_ZONEOUT) -> Stepper:
        """Single steps without gradients, which cost less than those of `step`; to be made anew for new parameters.

        Args:
            zoneout: by the name of a state, the share of its old value that it keeps.

        Raises:
            ValueError: the engine refuses the cell or zoneout.
        """
        reason = self.refusal(weights.cell, Wanted(zoneout=bool(zoneout), precision=precision_of(weights.weight_ih)))
        if reason:
            raise ValueError(reason)
        return self._stepper(weights, zoneout)

    def _stepper(self, weights: CellWeights, zoneout: Mapping[str, float]) -> Stepper:
        """As `stepper`, for a cell that the engine does not refuse; by the equations, as in `step`."""
        return ENGINES["loop"]().stepper(weights, zoneout)

    def step(
        self, weights: CellWeights, inputs: Tensor, state: State | None = None, *, masks: Masks = NO_MASKS
    ) -> State:
        """Run a single step on inputs of (batch, input); the first tensor of the new state is the output.

        Every engine does it by the equations themselves: what makes them fast over many steps only costs time in one.
        Without gradients `stepper` is faster.
        """
        one = Padded(inputs.unsqueeze(1), torch.ones(len(inputs), dtype=torch.int64))
        _, new = ENGINES["loop"]().run(weights, one, state, masks=masks, final_state=True)
        assert new is not None
        return new


ENGINES: Registry[type[Engine]] = Registry("engine")
