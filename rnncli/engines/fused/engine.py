"""Any cell in few operations of torch a step, without a compiler."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from rnncli.cells.cell import Cell
from rnncli.cells.expressions import Node
from rnncli.cells.weights import State
from rnncli.engines.engine import ENGINES, Call, Engine, Recording, Wanted
from rnncli.engines.fused.bulk import Evaluation
from rnncli.engines.fused.function import Scan
from rnncli.engines.fused.lanes import LEAVES
from rnncli.engines.fused.memory import Memory
from rnncli.engines.fused.packing import Packing, rows_of
from rnncli.engines.fused.plan import Plan, plan
from rnncli.sequences import Padded


@ENGINES.register("fused")
class FusedEngine(Engine):
    """Runs the valid steps only, with a backward pass derived from the equations.

    What depends on the inputs alone is computed for all steps at once, before the loop; so are, in the backward pass,
    the derivatives of single operations, and after it the derivatives by the parameters. What is left for a step is a
    few operations on memory that is there already.
    """

    def refusal(self, cell: Cell[Any], wanted: Wanted) -> str | None:
        return None

    def _run(self, call: Call) -> tuple[Padded, State | None]:
        masks, cell = call.masks, call.weights.cell
        zoneout = ((name, None if isinstance(share, Tensor) else share) for name, share in masks.zoneout.items())
        steps = plan(cell.graph, masks.hidden is not None, zoneout)
        memory = Memory(steps, Packing(call.inputs), cell.hidden_size)
        with torch.autocast(call.inputs.values.device.type, enabled=False):
            outputs, *final = _scan(call, memory)
        made = call.inputs.with_values(memory.packing.spread(outputs))
        return made, tuple(memory.packing.unsort(each) for each in final) if call.final_state else None


def _scan(call: Call, memory: Memory) -> tuple[Tensor, ...]:
    """Outputs of (rows, hidden) and the final states, sorted."""
    steps, packing = memory.plan, memory.packing
    inputs = packing.pack(call.inputs.values.to(call.weight_hh.dtype))
    row, rows = inputs.new_empty(memory.hidden), inputs.new_empty(packing.rows, memory.hidden)
    hidden, zoneout = call.masks.hidden, call.masks.zoneout
    shares = [zoneout.get(name) for name in steps.graph.states]
    masks = (
        None if hidden is None else packing.sort(hidden),
        *(packing.pack(share) if isinstance(share, Tensor) else None for share in shares),
    )
    of_rows = (None if masks[0] is None else torch.cat(list(memory.heads(masks[0]))), *masks[1:])
    value = _before_the_loop(call, inputs, dict(zip(("hidden", *steps.graph.states), of_rows, strict=True)))
    start = [packing.sort(each.to(inputs.dtype)) for each in call.state]
    factors = [_expanded(value(node), rows) for node in steps.forward.factors]
    made: tuple[Tensor, ...] = Scan.apply(  # type: ignore[no-untyped-call]
        memory,
        masks,
        None if call.recording is None else call.recording.gradient,
        (len(start), len(factors)),
        _linear_lanes(call, steps, value, inputs),
        _hoisted_lanes(steps, value, rows),
        call.weight_hh,
        *start,
        *factors,
        *(_expanded(value(node), row) for node in steps.forward.vectors),
    )
    if call.recording is not None:
        _record(call.recording, memory, value)
    return made


def _before_the_loop(call: Call, inputs: Tensor, masks: dict[str, Tensor | None]) -> Evaluation:
    """Values of what depends on inputs, parameters and masks alone, with the history that autograd needs."""
    weights = call.weights
    blocks = weights.cell.graph.inputs
    size = weights.cell.hidden_size

    def leaf(node: Node) -> Tensor | None:
        match node.operation:
            case "input":
                rows = slice(blocks.index(node.name) * size, (blocks.index(node.name) + 1) * size)
                return linear(inputs, weights.weight_ih[rows], None if weights.bias is None else weights.bias[rows])
            case "raw":
                return inputs
            case "vector":
                vector: Tensor = weights.vectors[node.name]
                return vector
            case "mask":
                return masks[node.name]
            case _:
                return None

    return Evaluation(leaf, {})


def _expanded(value: Tensor | float, like: Tensor) -> Tensor:
    return value.expand_as(like) if isinstance(value, Tensor) else torch.full_like(like, value)


def _linear_lanes(call: Call, steps: Plan, value: Evaluation, inputs: Tensor) -> Tensor | None:
    """(rows, lanes * hidden): the input projection, its blocks in the order of the lanes."""
    lanes, blocks, weights = steps.layout.linear, call.weights.cell.graph.inputs, call.weights
    if not lanes:
        return None
    order = [blocks.index(str(lane.block)) for lane in lanes]
    bias = None if weights.bias is None else rows_of(weights.bias, order, len(blocks))
    if any(lane.before is not None for lane in lanes):
        size = weights.cell.hidden_size
        more = [
            inputs.new_zeros(size) if lane.before is None else _expanded(value(lane.before), inputs.new_empty(size))
            for lane in lanes
        ]
        bias = torch.cat(more) if bias is None else bias + torch.cat(more)
    return linear(inputs, rows_of(weights.weight_ih, order, len(blocks)), bias)


def _hoisted_lanes(steps: Plan, value: Evaluation, like: Tensor) -> Tensor | None:
    """(rows, lanes * hidden): what other lanes begin with. A copy, since the steps write over it."""
    lanes = [_expanded(value(lane.before), like) for lane in steps.layout.hoisted if lane.before is not None]
    return torch.cat(lanes, 1) if lanes else None


def _record(recording: Recording, memory: Memory, before: Evaluation) -> None:
    """Puts the gates into the buffers that are given for them."""

    def leaf(node: Node) -> Tensor | None:
        kept = memory.found(node, slice(None))
        return before.tensor(node) if kept is None and node.operation in LEAVES else kept

    with torch.no_grad():
        memory.keep_old_states()
        value = Evaluation(leaf, memory.blocks)
        for gate in memory.plan.graph.gates:
            if gate.name in recording.gates:
                buffer = recording.gates[gate.name]
                rows = _expanded(value(gate.value), buffer.new_empty(memory.packing.rows, memory.hidden))
                buffer.copy_(memory.packing.spread(rows.contiguous()))
