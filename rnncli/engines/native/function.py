"""A layer in one direction as a function of autograd."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.engines.engine import Recording
from rnncli.engines.native.call import Call
from rnncli.engines.native.library import Library
from rnncli.errors import UserError


@dataclass(frozen=True)
class Given:
    """What a run has no derivatives by.

    Attributes:
        lengths, order: (batch,) int64: the lengths, the longest first, and which of the batch has it.
        rows: valid steps of all sequences.
        reverse: whether each sequence is read from its end.
        training: whether a backward pass may follow.
        masks: that of the operands, (batch, hidden), and shares of zoneout, (batch, time, hidden), by state.
        threads: how many there were in the forward pass.
    """

    library: Library
    lengths: Tensor
    order: Tensor
    rows: int
    reverse: bool
    training: bool
    final_state: bool
    masks: tuple[Tensor | None, ...]
    threads: int
    recording: Recording | None


class Layer(Function):
    """All steps of a layer, with a backward pass of its own."""

    @staticmethod
    def forward(
        context: Any,
        given: Given,
        values: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor | None,
        *others: Tensor,
    ) -> tuple[Tensor, ...]:
        """Outputs of (batch, time, hidden) in time-major memory, and where they are asked for the final states.

        Args:
            values: (batch, time, input).
            others: the states before the first step, then the vectors.
        """
        library, plan = given.library, given.library.plan
        batch, time, _ = values.shape
        hidden = weight_hh.shape[1]
        parameters = [None if each is None else each.contiguous() for each in (weight_ih, weight_hh, bias, *others)]
        values = _rows(values)
        states = len(plan.graph.states)
        outputs = values.new_empty(time, batch, hidden).transpose(0, 1)
        final = [values.new_empty(batch, hidden) for _ in range(states if given.final_state else 0)]
        room = given.rows * (plan.kept.count * library.padded(hidden) + library.kept_row)
        kept = values.new_empty(room if given.training else 0)
        tensors = (values, outputs, kept, *given.masks, *parameters)
        call, alive = _call(given, tensors)
        call.training = given.training
        _several(call, alive, "final", final or [None] * states)
        gates = {gate.name: torch.zeros_like(outputs) for gate in plan.graph.gates} if given.recording else {}
        _strided(call, watched=outputs)  # where gates stand in memory, too
        _several(call, alive, "gates", gates.values())
        library.run(call)
        if given.recording is not None:
            for name, buffer in given.recording.gates.items():
                buffer.copy_(gates[name])
        context.given = replace(given, masks=())  # they are among the tensors
        context.save_for_backward(*tensors)  # freed after the backward pass, and refused when changed
        context.set_materialize_grads(False)
        return outputs, *final

    @staticmethod
    def backward(context: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """The derivatives by all that `forward` takes.

        Raises:
            UserError: they are being taken in a way that they can be derived again.
        """
        if torch.is_grad_enabled():
            raise UserError("engine native has no second derivatives; set model.engine: loop")
        given: Given = context.given
        plan, tensors = given.library.plan, context.saved_tensors
        _, by_values, by_weight_ih, by_weight_hh, *_ = context.needs_input_grad
        values, states = tensors[0], len(plan.graph.states)
        masks = 1 + states
        weight_ih, weight_hh, bias = tensors[3 + masks : 6 + masks]
        others = tensors[6 + masks :]
        hidden = weight_hh.shape[1]
        by_outputs, *by_final = gradients
        call, alive = _call(given, tensors)
        call.training = call.backward = True
        made_values = torch.empty_like(values) if by_values else None
        made_ih = torch.empty_like(weight_ih) if by_weight_ih else None
        made_hh = torch.empty_like(weight_hh) if by_weight_hh else None
        sums = len(plan.graph.inputs) * plan.bias
        made_sums = values.new_empty(sums + len(plan.graph.vectors), hidden)
        made_start = [
            torch.empty_like(each) if wanted else None
            for each, wanted in zip(others[:states], context.needs_input_grad[5:], strict=False)
        ]
        by_outputs = None if by_outputs is None else _rows(by_outputs)
        ends = [None if each is None else each.contiguous() for each in by_final] or [None] * states
        _single(call, by_weight_ih=made_ih, by_weight_hh=made_hh, by_sums=made_sums)
        _strided(call, by_out=by_outputs, by_x=made_values)
        _several(call, alive, "by_final", ends)
        _several(call, alive, "by_start", made_start)
        watched = torch.zeros_like(tensors[1]) if given.recording else None
        _strided(call, watched=watched)
        given.library.run(call)
        if watched is not None and given.recording is not None and given.recording.gradient is not None:
            given.recording.gradient.copy_(watched)
        if made_hh is not None:
            for place in plan.unread:
                made_hh[place * hidden : (place + 1) * hidden] = 0
        by_bias = None if bias is None else made_sums[:sums].flatten()
        return None, made_values, made_ih, made_hh, by_bias, *made_start, *made_sums[sums:]


def _rows(values: Tensor) -> Tensor:
    """Something of (batch, time, features) with the features side by side in memory."""
    return values if values.stride(2) == 1 or values.shape[2] == 1 else values.contiguous()


def _call(given: Given, tensors: Sequence[Tensor | None]) -> tuple[Call, list[Any]]:
    """What both passes hand over; and what must be kept alive as long as it is used."""
    library, graph = given.library, given.library.plan.graph
    states = len(graph.states)
    values, outputs, kept, hidden_mask, *rest = tensors
    zoneout, (weight_ih, weight_hh, bias), others = rest[:states], rest[states : states + 3], rest[states + 3 :]
    assert values is not None and outputs is not None
    batch, time, size = values.shape
    hidden = outputs.shape[2]
    call = Call(batch=batch, time=time, input=size, hidden=hidden, threads=given.threads, reverse=given.reverse)
    call.padded, call.input_padded = library.padded(hidden), library.padded(size)
    call.lengths, call.order = given.lengths.data_ptr(), given.order.data_ptr()
    alive: list[Any] = []
    _strided(call, x=values, out=outputs)
    _single(call, weight_ih=weight_ih, weight_hh=weight_hh, bias=bias, hidden_mask=hidden_mask, kept=kept)
    _several(call, alive, "start", others[:states])
    _several(call, alive, "vectors", others[states:])
    _several(call, alive, "zoneout", zoneout)
    for mask in zoneout:
        if mask is not None:
            call.zoneout_batch, call.zoneout_time, _ = mask.stride()
    return call, alive


def _strided(call: Call, **tensors: Tensor | None) -> None:
    for name, tensor in tensors.items():
        if tensor is not None:
            setattr(call, name, tensor.data_ptr())
            setattr(call, f"{name}_batch", tensor.stride(0))
            setattr(call, f"{name}_time", tensor.stride(1))


def _single(call: Call, **tensors: Tensor | None) -> None:
    for name, tensor in tensors.items():
        setattr(call, name, None if tensor is None else tensor.data_ptr())


def _several(call: Call, alive: list[Any], name: str, tensors: Iterable[Tensor | None]) -> None:
    pointers = [None if tensor is None else tensor.data_ptr() for tensor in tensors]
    if not pointers:
        return
    array = (ctypes.c_void_p * len(pointers))(*pointers)
    alive.append(array)
    setattr(call, name, ctypes.addressof(array))
