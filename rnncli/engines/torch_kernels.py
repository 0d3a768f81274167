"""torch's own kernels, for the cells that torch.nn has too."""

from __future__ import annotations

from collections.abc import Callable
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
        if final_state and not inputs.full and len(state) > 1:  # a memory is only seen after the last position
            return _run_packed(weights, inputs, state)
        values, last = _run_padded(weights, inputs.values.transpose(0, 1), state)
        if not inputs.full and _may_overflow(weights.cell) and not values.sum().isfinite():
            # Perhaps only beyond the end of a short sequence; there 0 * inf would spoil the gradients of all weights.
            outputs, last = _run_packed(weights, inputs, state)
            return outputs, last if final_state else None
        outputs = inputs.with_values(values.transpose(0, 1)).zeroed()
        if not final_state:
            return outputs, None
        if not inputs.full:
            rows = torch.arange(inputs.batch, device=values.device)
            last = (outputs.values[rows, inputs.last],)
        return outputs, last


def _may_overflow(cell: Cell[Any]) -> bool:
    """Whether outputs may grow from step to step without bound."""
    return isinstance(cell, RNN) and cell.settings.activation == "relu"


def _parameters(weights: CellWeights) -> list[Tensor]:
    """The parameters as torch wants them, with a second bias: zeros but for the GRU's bias inside the reset."""
    second = torch.zeros_like(weights.bias)
    if isinstance(weights.cell, GRU):
        second = torch.cat([second[: -weights.cell.hidden_size], weights.vectors["hn"]])
    return [weights.weight_ih, weights.weight_hh, weights.bias, second]


def _kernel(cell: Cell[Any]) -> Callable[..., tuple[Tensor, ...]]:
    match cell:
        case LSTM():
            return torch.lstm
        case GRU():
            return torch.gru
        case _:
            return torch.rnn_tanh if cell.settings.activation == "tanh" else torch.rnn_relu


def _start(state: State) -> Tensor | list[Tensor]:
    """The state as the kernels want it: (1, batch, hidden), where there are several a list."""
    start = [each.unsqueeze(0) for each in state]
    return start if len(start) > 1 else start[0]


def _run_padded(weights: CellWeights, values: Tensor, state: State) -> tuple[Tensor, State]:
    """Outputs of (time, batch, hidden) for values of (time, batch, input), and the state after the last position."""
    outputs, *last = _kernel(weights.cell)(values, _start(state), _parameters(weights), *_ONE_LAYER, False)
    return outputs, tuple(each.squeeze(0) for each in last)


def _run_packed(weights: CellWeights, inputs: Padded, state: State) -> tuple[Padded, State]:
    """As `run`, without a step beyond the end of any sequence; slower."""
    packed = pack_padded_sequence(inputs.values.transpose(0, 1), inputs.lengths, enforce_sorted=False)
    assert packed.sorted_indices is not None and packed.unsorted_indices is not None
    start = _start(tuple(each.index_select(0, packed.sorted_indices) for each in state))
    values, *last = _kernel(weights.cell)(packed.data, packed.batch_sizes, start, _parameters(weights), *_ONE_LAYER)
    outputs, _ = pad_packed_sequence(
        PackedSequence(values, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
        total_length=inputs.time,
    )
    return inputs.with_values(outputs.transpose(0, 1)), tuple(
        each.squeeze(0).index_select(0, packed.unsorted_indices) for each in last
    )
