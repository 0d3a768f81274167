"""Cells over time: layers on layers, in one direction or both."""

from __future__ import annotations

import torch
from torch import nn

from rnncli.cells.cell import CellSettings, make_cell
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.choice import choose
from rnncli.engines.engine import NO_MASKS, Masks, Wanted
from rnncli.engines.settings import EngineName
from rnncli.layers.dropout import Dropout, draw_mask
from rnncli.layers.reversal import Reversal
from rnncli.layers.settings import NO_DROPOUT, DropoutSettings
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
        choice: the engine that runs them, and why.
        size: features of the outputs: hidden, or with both directions 2 * hidden, forward before backward.
    """

    def __init__(
        self,
        cell: CellSettings,
        input_size: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: DropoutSettings = NO_DROPOUT,
        engine: EngineName = "auto",
    ) -> None:
        super().__init__()
        self.directions = 2 if bidirectional else 1
        self.size = cell.hidden_size * self.directions
        self.dropout = dropout
        self.between_layers = Dropout(dropout.between_layers)
        self.weights = nn.ModuleList(
            CellWeights(make_cell(cell), self.size if layer else input_size)
            for layer in range(layers)
            for _ in range(self.directions)
        )
        self.choice = choose(engine, make_cell(cell), Wanted(recurrent_dropout=dropout.recurrent > 0))

    def forward(
        self, inputs: Padded, state: StackState | None = None, final_state: bool = False
    ) -> tuple[Padded, StackState | None]:
        """Run over whole sequences.

        Args:
            inputs: (batch, time, input); padding positions hold anything.
            state: where the sequences go on from; zeros where it is None.
            final_state: whether the state after the last valid step is asked for (backward: after the first).

        Returns:
            The outputs of the uppermost layer, (batch, time, size) with zeros at padding positions, and the state
            where it is asked for.
        """
        reverse = Reversal(inputs) if self.directions == 2 else None
        current, final = inputs.zeroed(), []
        for layer in range(len(self.weights) // self.directions):
            current = self._drop(current, first=layer == 0)
            outputs = []
            for direction in range(self.directions):
                place = layer * self.directions + direction
                start = None if state is None else state[place]
                turn = reverse if direction == 1 else None
                made, last = self._run(place, current if turn is None else turn(current), start, final_state)
                outputs.append(made if turn is None else turn(made))
                final.append(last)
            current = _side_by_side(outputs)
        return current, tuple(each for each in final if each is not None) if final_state else None

    def _drop(self, inputs: Padded, first: bool) -> Padded:
        """The inputs of a layer after the dropout between layers and the one that is the same at all steps."""
        values = inputs.values
        if not first:
            values = self.between_layers(values)
        if self.training and self.dropout.variational:
            values = values * draw_mask((inputs.batch, 1, values.shape[2]), self.dropout.variational, values)
        return inputs.with_values(values)

    def _run(self, place: int, inputs: Padded, state: State | None, final_state: bool) -> tuple[Padded, State | None]:
        weights = self.weights[place]
        assert isinstance(weights, CellWeights)
        masks = NO_MASKS
        if self.training and self.dropout.recurrent:
            hidden = draw_mask((inputs.batch, weights.cell.hidden_size), self.dropout.recurrent, inputs.values)
            masks = Masks(hidden=hidden)
        return self.choice.engine.run(weights, inputs, state, masks=masks, final_state=final_state)


def _side_by_side(directions: list[Padded]) -> Padded:
    """The features of all directions in one, in time-major memory."""
    if len(directions) == 1:
        return directions[0]
    by_time = torch.cat([each.values.transpose(0, 1) for each in directions], dim=2)
    return directions[0].with_values(by_time.transpose(0, 1))
