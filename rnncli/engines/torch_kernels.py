"""torch's own kernels, for the cells that torch.nn has too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnncli.cells.cell import Cell, CellSettings, Twin
from rnncli.cells.weights import State
from rnncli.engines.engine import ENGINES, Call, Engine, Wanted
from rnncli.errors import UserError
from rnncli.sequences import Padded

# has_biases, num_layers, dropout, train, bidirectional: one layer, one direction
_ONE_LAYER = (True, 1, 0.0, False, False)

KERNEL_BLOCKS = {"lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n"), "rnn_tanh": ("a",), "rnn_relu": ("a",)}

OPEN = 30.0
"""A bias that makes the sigmoid 1: exactly in single precision, to 1e-13 in double."""


@ENGINES.register("torch")
class TorchEngine(Engine):
    """Calls the functions behind nn.LSTM, nn.GRU and nn.RNN on padded input: on a CPU packed input is not fused.

    A cell that is one of them with gates that are always open runs as one whose gate has no weights and a large bias.
    """

    def refusal(self, cell: Cell[Any], wanted: Wanted) -> str | None:
        if cell.twin() is None:
            return f"it has no kernel for {described(cell)}"
        if wanted.recurrent_dropout:
            return "its kernels take no dropout inside the recurrence"
        if wanted.zoneout:
            return "its kernels take no zoneout"
        if wanted.recording:
            return "its kernels do not show their gates"
        return None

    def _run(self, call: Call) -> tuple[Padded, State | None]:
        inputs, twin = call.inputs, call.weights.cell.twin()
        assert twin is not None
        kernel, parameters = _KERNELS[twin.kernel], _parameters(call, twin)
        if call.final_state and not inputs.full and len(call.state) > 1:  # a memory is only seen after the last step
            return _run_packed(kernel, parameters, inputs, call.state)
        values, last = _run_padded(kernel, parameters, inputs.values.transpose(0, 1), call.state)
        if not inputs.full and twin.kernel == "rnn_relu" and not values.sum().isfinite():
            # Perhaps only beyond the end of a short sequence; there 0 * inf would spoil the gradients of all weights.
            outputs, last = _run_packed(kernel, parameters, inputs, call.state)
            return outputs, last if call.final_state else None
        outputs = inputs.with_values(values.transpose(0, 1)).zeroed()
        if not call.final_state:
            return outputs, None
        if not inputs.full:
            rows = torch.arange(inputs.batch, device=values.device)
            last = (outputs.values[rows, inputs.last],)
        return outputs, last


Kernel = Callable[..., tuple[Tensor, ...]]

_KERNELS: dict[str, Kernel] = {
    "lstm": torch.lstm,
    "gru": torch.gru,
    "rnn_tanh": torch.rnn_tanh,
    "rnn_relu": torch.rnn_relu,
}


def described(cell: Cell[Any]) -> str:
    """The cell's name, and its options that are not the default."""
    settings = cell.settings
    options = [
        f"{key}: {getattr(settings, key)}"
        for key in type(settings).model_fields
        if key not in (*CellSettings.model_fields, "file") and settings.changed(key)
    ]
    name: str = settings.type
    return name + (f" with {', '.join(options)}" if options else "")


def _parameters(call: Call, twin: Twin) -> list[Tensor]:
    """The parameters as torch wants them, with a second bias: zeros but for the GRU's bias inside the reset."""
    weights, hidden = call.weights, call.weights.cell.hidden_size
    bias = weights.weight_ih.new_zeros(len(weights.weight_ih)) if weights.bias is None else weights.bias
    parameters = [weights.weight_ih, call.weight_hh, bias]
    for place, block in enumerate(KERNEL_BLOCKS[twin.kernel]):
        if block in twin.open_gates:
            start = place * hidden
            parameters = [
                torch.cat([each[:start], each.new_full((hidden, *each.shape[1:]), value), each[start:]])
                for each, value in zip(parameters, (0.0, 0.0, OPEN), strict=True)
            ]
    second = torch.zeros_like(parameters[2])
    if twin.kernel == "gru":
        second = torch.cat([second[:-hidden], weights.vectors["hn"]])
    return [*parameters, second]


def _start(state: State) -> Tensor | list[Tensor]:
    """The state as the kernels want it: (1, batch, hidden), where there are several a list."""
    start = [each.unsqueeze(0) for each in state]
    return start if len(start) > 1 else start[0]


def _refuse_second_derivatives(gradient: Tensor) -> None:
    """A hook of the outputs of a kernel whose own backward pass has no derivative.

    Raises:
        UserError: gradients are being taken in a way that they can be derived again.
    """
    if torch.is_grad_enabled():
        raise UserError("engine torch has no second derivatives of this cell; set model.engine: loop")


def _run_padded(kernel: Kernel, parameters: list[Tensor], values: Tensor, state: State) -> tuple[Tensor, State]:
    """Outputs of (time, batch, hidden) for values of (time, batch, input), and the state after the last position."""
    outputs, *last = kernel(values, _start(state), parameters, *_ONE_LAYER, False)
    if outputs.requires_grad and (kernel is torch.lstm or outputs.is_cuda):
        outputs.register_hook(_refuse_second_derivatives)  # type: ignore[no-untyped-call]
    return outputs, tuple(each.squeeze(0) for each in last)


def _run_packed(kernel: Kernel, parameters: list[Tensor], inputs: Padded, state: State) -> tuple[Padded, State]:
    """As `run`, without a step beyond the end of any sequence; slower."""
    packed = pack_padded_sequence(inputs.values.transpose(0, 1), inputs.lengths, enforce_sorted=False)
    assert packed.sorted_indices is not None and packed.unsorted_indices is not None
    start = _start(tuple(each.index_select(0, packed.sorted_indices) for each in state))
    values, *last = kernel(packed.data, packed.batch_sizes, start, parameters, *_ONE_LAYER)
    outputs, _ = pad_packed_sequence(
        PackedSequence(values, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
        total_length=inputs.time,
    )
    return inputs.with_values(outputs.transpose(0, 1)), tuple(
        each.squeeze(0).index_select(0, packed.unsorted_indices) for each in last
    )
