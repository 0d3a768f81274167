"""torch's own kernels, for the cells that torch.nn has too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnncli.cells.cell import Cell
from rnncli.cells.families.gru import GRU
from rnncli.cells.families.lstm import LSTM
from rnncli.cells.families.rnn import RNN
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.engine import ENGINES, Engine
from rnncli.sequences import Padded

# has_biases, num_layers, dropout, train, bidirectional: one layer, one direction
_ONE_LAYER = (True, 1, 0.0, False, False)


@ENGINES.register("torch")
class TorchEngine(Engine):
    """Calls the functions behind nn.LSTM, nn.GRU and nn.RNN on padded input: on a CPU packed input is not fused."""

    def refusal(self, cell: Cell[Any], recurrent_dropout: float) -> str | None:
        if recurrent_dropout:
            return "torch's kernels take no dropout inside the recurrence"
        match cell:
            case LSTM():
                return None
            case RNN():
                return "torch has no linear recurrence" if cell.settings.activation == "identity" else None
            case GRU():
                return "torch's GRU resets after the product only" if cell.settings.reset == "before" else None
            case _:
                return f"torch has no cell like {cell.settings.type}"

    def run(
        self,
        weights: CellWeights,
        inputs: Padded,
        state: State | None = None,
        *,
        hidden_mask: Tensor | None = None,
        final_state: bool = False,
    ) -> tuple[Padded, State | None]:
        reason = self.refusal(weights.cell, 0.0 if hidden_mask is None else 1.0)
        if reason:
            raise ValueError(reason)
        state = weights.zero_state(inputs.batch) if state is None else state
        if final_state and not inputs.full and len(state) > 1:
            return _run_packed(weights, inputs, state)
        values, last = _run_padded(weights, inputs.values.transpose(0, 1), state)
        outputs = inputs.with_values(values.transpose(0, 1)).zeroed()
        if not final_state:
            return outputs, None
        if not inputs.full:
            rows = torch.arange(inputs.batch, device=values.device)
            last = (outputs.values[rows, inputs.last],)
        return outputs, last


def _parameters(weights: CellWeights) -> list[Tensor]:
    """The parameters as torch wants them, with a second bias: zeros but for the GRU's bias inside the reset."""
    second = torch.zeros_like(weights.bias)
    if isinstance(weights.cell, GRU):
        second = torch.cat([second[: -weights.cell.hidden_size], weights.vectors["hn"]])
    return [weights.weight_ih, weights.weight_hh, weights.bias, second]


def _run_padded(weights: CellWeights, values: Tensor, state: State) -> tuple[Tensor, State]:
    """Outputs of (time, batch, hidden) for values of (time, batch, input), and the state after the last position."""
    parameters = _parameters(weights)
    start = [each.unsqueeze(0) for each in state]
    match weights.cell:
        case LSTM():
            outputs, *last = torch.lstm(values, start, parameters, *_ONE_LAYER, False)
        case GRU():
            outputs, *last = torch.gru(values, start[0], parameters, *_ONE_LAYER, False)
        case cell:
            kernel = torch.rnn_tanh if cell.settings.activation == "tanh" else torch.rnn_relu
            outputs, *last = kernel(values, start[0], parameters, *_ONE_LAYER, False)
    return outputs, tuple(each.squeeze(0) for each in last)


def _run_packed(weights: CellWeights, inputs: Padded, state: State) -> tuple[Padded, State]:
    """As `run`, for an LSTM whose memory is asked for at lengths that differ: only packed input leaves it there."""
    packed = pack_padded_sequence(inputs.values.transpose(0, 1), inputs.lengths, enforce_sorted=False)
    assert packed.sorted_indices is not None and packed.unsorted_indices is not None
    start = [each.index_select(0, packed.sorted_indices).unsqueeze(0) for each in state]
    values, *last = torch.lstm(packed.data, packed.batch_sizes, start, _parameters(weights), *_ONE_LAYER)
    outputs, _ = pad_packed_sequence(
        PackedSequence(values, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
        total_length=inputs.time,
    )
    return inputs.with_values(outputs.transpose(0, 1)), tuple(
        each.squeeze(0).index_select(0, packed.unsorted_indices) for each in last
    )
