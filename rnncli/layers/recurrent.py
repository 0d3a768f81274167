"""Cells over time: layers on layers, in one direction or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnncli.cells.cell import CellSettings, make_cell
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.choice import Choice, choose
from rnncli.engines.engine import ENGINES, Recording, Wanted, precision_of
from rnncli.engines.reversal import Reversal
from rnncli.engines.settings import EngineName
from rnncli.errors import UserError
from rnncli.layers.connections import make_connections
from rnncli.layers.dropout import Dropout, draw_mask
from rnncli.layers.masks import recurrent_masks, zoneout_shares
from rnncli.layers.recording import Recorded, make_recorded
from rnncli.layers.settings import NO_DROPOUT, ConnectionName, DropoutSettings
from rnncli.layers.stepper import StackStepper
from rnncli.layers.truncated import Pieces
from rnncli.sequences import Padded

StackState = tuple[State, ...]
"""The states of a stack: layer by layer, and in each layer forward before backward."""


def detach(state: StackState) -> StackState:
    """The same state without its history, as truncated backpropagation through time carries it."""
    return tuple(tuple(each.detach() for each in cell) for cell in state)


class Stack(nn.Module):
    """Recurrent layers, each reading the outputs of the one below.

    Attributes:
        weights: the parameters, in the order of StackState.
        initial: where a learned state is asked for, the states before the first step, in the same order.
        connections: what joins input and output of a layer, by its number.
        size: features of the outputs: hidden, or with both directions 2 * hidden, forward before backward.

    Raises:
        UserError: the engine asked for refuses the cell, or there is nothing to connect.
    """

    def __init__(
        self,
        cell: CellSettings,
        input_size: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        connections: ConnectionName = "none",
        learned_initial_state: bool = False,
        dropout: DropoutSettings = NO_DROPOUT,
        engine: EngineName = "auto",
    ) -> None:
        super().__init__()
        self.cell = make_cell(cell)
        self.directions = 2 if bidirectional else 1
        self.size = cell.hidden_size * self.directions
        self.dropout = dropout
        self.between_layers = Dropout(dropout.between_layers)
        self.weights = nn.ModuleList(
            CellWeights(self.cell, self.size if layer else input_size)
            for layer in range(layers)
            for _ in range(self.directions)
        )
        self.initial = nn.ModuleList(
            nn.ParameterList(torch.zeros(cell.hidden_size) for _ in self.cell.states)
            for _ in (self.weights if learned_initial_state else ())
        )
        self.connections = make_connections(connections, input_size, self.size, layers)
        self.wanted = Wanted(
            recurrent_dropout=dropout.recurrent > 0, zoneout=dropout.zoneout > 0 or dropout.zoneout_memory > 0
        )
        self._engine = engine
        self._choices: dict[tuple[str, str], Choice] = {}
        if engine != "auto":  # a mistake is found at once
            choose(engine, self.cell, self.wanted)

    @property
    def choice(self) -> Choice:
        """The engine that runs the layers where and in what precision they are now, and why."""
        like = next(self.weights.parameters())
        place = like.device.type, precision_of(like)
        if place not in self._choices:
            wanted = replace(self.wanted, precision=place[1])
            self._choices[place] = choose(self._engine, self.cell, wanted, place[0])
        return self._choices[place]

    def forward(
        self,
        inputs: Padded,
        state: StackState | None = None,
        final_state: bool = False,
        recordings: Sequence[Recorded] | None = None,
        bptt_steps: int | None = None,
    ) -> tuple[Padded, StackState | None]:
        """Run over whole sequences.

        Args:
            inputs: (batch, time, input); padding positions hold anything.
            state: where the sequences go on from; the learned state or zeros where it is None.
            final_state: whether the state after the last valid step is asked for (backward: after the first).
            recordings: what `recordings` made for these inputs, to be filled.
            bptt_steps: steps that gradients go back at most, the sequences being cut every so many from their ends.

        Returns:
            The outputs of the uppermost layer, (batch, time, size) with zeros at padding positions, and the state
            where it is asked for.

        Raises:
            ValueError: there is something to cut, but the stack reads in both directions, or is recorded.
        """
        pieces = None
        if bptt_steps is not None and bptt_steps < inputs.time:
            if self.directions == 2 or recordings is not None:
                raise ValueError("neither both directions nor what is recorded can be cut after bptt_steps")
            pieces = Pieces(inputs, bptt_steps)
        current, final = inputs if self._reads_no_padding() else inputs.zeroed(), []
        for layer in range(len(self.weights) // self.directions):
            dropped = self._drop(current, first=layer == 0)
            outputs = []
            for direction in range(self.directions):
                place = layer * self.directions + direction
                start = self._initial(place, inputs.batch) if state is None else state[place]
                recording = None if recordings is None else recordings[place].recording
                made, last = self._run(place, dropped, start, final_state, recording, pieces, reverse=direction == 1)
                outputs.append(made)
                final.append(last)
            current = self._connected(layer, current, _side_by_side(outputs))
        return current, tuple(each for each in final if each is not None) if final_state else None

    def step(self, inputs: Tensor, state: StackState | None = None) -> tuple[Tensor, StackState]:
        """Run a single step, for streams and decoding.

        Args:
            inputs: (batch, input).
            state: the state after the step before; at the first step the learned state or zeros.

        Returns:
            The output of the uppermost layer, (batch, size), and the new state.

        Raises:
            UserError: the stack reads in both directions.
        """
        self._check_one_direction()
        one = Padded(inputs.unsqueeze(1), torch.ones(len(inputs), dtype=torch.int64))
        outputs, final = self(one, state, final_state=True)
        return outputs.values.squeeze(1), final

    def stepper(self) -> StackStepper:
        """Single steps as in evaluation and without gradients, a good deal faster than `step`, for many of them.

        It is made in less than a millisecond, anew where the parameters have changed.

        Raises:
            UserError: the stack reads in both directions.
        """
        self._check_one_direction()
        initial, steppers = [], []
        for place, weights in enumerate(self.weights):
            assert isinstance(weights, CellWeights)
            shares = zoneout_shares(self.dropout, self.cell)
            steppers.append(self.choice.engine.stepper(weights, shares))
            start = self._initial(place, 1) or weights.zero_state(1)
            initial.append(tuple(each[0] for each in start))
        return StackStepper(steppers, initial, self.connections)

    def _check_one_direction(self) -> None:
        if self.directions == 2:
            raise UserError("model.bidirectional: single steps can't be run, the backward direction begins at the end")

    def recordings(self, inputs: Padded) -> tuple[Recorded, ...]:
        """Empty buffers for what each layer and direction shows of a run over these inputs, in the order of StackState.

        Raises:
            UserError: the engine does not show its gates.
        """
        wanted = replace(self.wanted, recording=True)
        reason = self.choice.engine.refusal(self.cell, wanted)
        if reason:
            able = [name for name, engine in ENGINES.items() if engine().refusal(self.cell, wanted) is None]
            raise UserError(f"model.engine: {self.choice.name} can't record: {reason}; allowed: {', '.join(able)}")
        reverse = Reversal(inputs)
        return tuple(
            make_recorded(self.cell, inputs, reverse if place % self.directions else None)
            for place in range(len(self.weights))
        )

    def _reads_no_padding(self) -> bool:
        """Whether nothing is computed of padding positions."""
        reads_itself = any(isinstance(each, CellWeights) and each.projection is not None for each in self.weights)
        return self.choice.engine.by_lengths and not self.connections and not reads_itself

    def _drop(self, inputs: Padded, first: bool) -> Padded:
        """The inputs of a layer after the dropout between layers and the one that is the same at all steps."""
        values = inputs.values
        if not first:
            values = self.between_layers(values)
        if self.training and self.dropout.variational:
            values = values * draw_mask((inputs.batch, 1, values.shape[2]), self.dropout.variational, values)
        return inputs.with_values(values)

    def _initial(self, place: int, batch: int) -> State | None:
        """The learned state before the first step, where there is one."""
        if not self.initial:
            return None
        learned = self.initial[place]
        assert isinstance(learned, nn.ParameterList)
        return tuple(each.repeat(batch, 1) for each in learned)

    def _run(
        self,
        place: int,
        inputs: Padded,
        state: State | None,
        final_state: bool,
        recording: Recording | None,
        pieces: Pieces | None,
        reverse: bool,
    ) -> tuple[Padded, State | None]:
        weights = self.weights[place]
        assert isinstance(weights, CellWeights)
        masks = recurrent_masks(self.dropout, weights, inputs, self.training)
        if pieces is not None:
            return pieces.run(self.choice.engine, weights, inputs, state, masks)
        return self.choice.engine.run(
            weights, inputs, state, masks=masks, recording=recording, final_state=final_state, reverse=reverse
        )

    def _connected(self, layer: int, inputs: Padded, outputs: Padded) -> Padded:
        """The outputs of a layer, joined to what it read before dropout."""
        if str(layer) not in self.connections:
            return outputs
        return outputs.with_values(self.connections[str(layer)](inputs.values, outputs.values))


def _side_by_side(directions: list[Padded]) -> Padded:
    """The features of all directions in one, in time-major memory."""
    if len(directions) == 1:
        return directions[0]
    by_time = torch.cat([each.values.transpose(0, 1) for each in directions], dim=2)
    return directions[0].with_values(by_time.transpose(0, 1))
