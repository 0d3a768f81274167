"""The equations, one step after another: the specification of every other engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from rnncli.cells.cell import Cell
from rnncli.cells.expressions import Named
from rnncli.cells.graph import Gates, Mark, Products, Role
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.engine import ENGINES, Call, Engine, Recording, Wanted
from rnncli.engines.stepper import Stepper
from rnncli.sequences import Padded


@ENGINES.register("loop")
class LoopEngine(Engine):
    """Calls the cell's equations with tensors; autograd does the rest. Runs every cell."""

    def refusal(self, cell: Cell[Any], wanted: Wanted) -> str | None:
        return None

    def _stepper(self, weights: CellWeights, zoneout: Mapping[str, float]) -> Stepper:
        return LoopStepper(weights, zoneout)

    def _run(self, call: Call) -> tuple[Padded, State | None]:
        weights, inputs, state = call.weights, call.inputs, call.state
        cell, graph = weights.cell, weights.cell.graph
        values = inputs.values.transpose(0, 1)
        projected = linear(values, weights.weight_ih, weights.bias)
        matrices = _matrices(weights.cell, call.weight_hh)
        p = Named(dict(weights.vectors.items()).__getitem__)
        valid = inputs.mask.t().unsqueeze(2)
        shortest = int(inputs.lengths.min())
        outputs = []
        for t, rows in enumerate(projected.unbind(0)):
            parts = rows.chunk(len(graph.inputs), 1) if graph.inputs else ()
            blocks = dict(zip(graph.inputs, parts, strict=True))
            x = Named((blocks | {"raw": values[t]}).__getitem__)
            gates = _gates(call.recording, t, valid[t])
            new = cell.step(x, state, _products(matrices, call.masks.hidden), p, gates)
            new = tuple(
                _zoned_out(name, t, before, after, call)
                for name, before, after in zip(cell.states, state, new, strict=True)
            )
            if t >= shortest:
                new = tuple(torch.where(valid[t], after, before) for after, before in zip(new, state, strict=True))
            state = (_watched(new[0], call.recording, t, valid[t]), *new[1:])
            outputs.append(state[0])
        made = torch.stack(outputs).transpose(0, 1)
        return inputs.with_values(made).zeroed(), state if call.final_state else None


def _unmarked(value: Tensor, role: Role) -> Tensor:
    """The value of a gate that nobody records."""
    return value


_UNMARKED: Gates[Tensor] = Named(lambda name: _unmarked)


class LoopStepper(Stepper):
    """Steps by the cell's equations."""

    def __init__(self, weights: CellWeights, zoneout: Mapping[str, float]) -> None:
        super().__init__(weights)
        self._weights, self._zoneout = weights, zoneout
        self._matrices = _matrices(weights.cell, weights.weight_hh)
        self._vectors = Named(dict(weights.vectors.items()).__getitem__)

    def _step(self, inputs: Tensor, state: State) -> State:
        cell, weights = self._weights.cell, self._weights
        blocks = cell.graph.inputs
        parts = linear(inputs, weights.weight_ih, weights.bias).chunk(len(blocks), 1) if blocks else ()
        x = Named((dict(zip(blocks, parts, strict=True)) | {"raw": inputs}).__getitem__)
        new = cell.step(x, state, _products(self._matrices, None), self._vectors, _UNMARKED)
        shares = [self._zoneout.get(name) for name in cell.states]
        return tuple(
            after if share is None else share * before + (1 - share) * after
            for share, before, after in zip(shares, state, new, strict=True)
        )


def _zoned_out(name: str, t: int, before: Tensor, after: Tensor, call: Call) -> Tensor:
    """The new value of a state, where zoneout lets it have one."""
    share = call.masks.zoneout.get(name)
    if share is None:
        return after
    if isinstance(share, Tensor):
        share = share[:, t]
    return share * before + (1 - share) * after


def _matrices(cell: Cell[Any], weight_hh: Tensor) -> list[tuple[tuple[str, ...], Tensor]]:
    """The names of the blocks of each product, with their rows of the recurrent matrix."""
    groups = [product.blocks for product in cell.graph.products]
    rows = torch.split(weight_hh, [len(blocks) * cell.hidden_size for blocks in groups])
    return list(zip(groups, rows, strict=True))


def _products(matrices: list[tuple[tuple[str, ...], Tensor]], mask: Tensor | None) -> Products[Tensor]:
    """The `U` of one step. Blocks that share an operand are multiplied at once, when the first is asked for."""
    ready: dict[str, Tensor] = {}

    def product(block: str) -> Callable[[Tensor], Tensor]:
        def multiply(operand: Tensor) -> Tensor:
            if block not in ready:
                blocks, matrix = next(group for group in matrices if block in group[0])
                results = linear(operand if mask is None else operand * mask, matrix)
                ready.update(zip(blocks, results.chunk(len(blocks), 1), strict=True))
            return ready[block]

        return multiply

    return Named(product)


def _gates(recording: Recording | None, t: int, valid: Tensor) -> Gates[Tensor]:
    """The `gate` of one step: gives values back, and keeps those that are recorded."""

    def mark(name: str) -> Mark[Tensor]:
        def gate(value: Tensor, role: Role) -> Tensor:
            if recording is not None and name in recording.gates:
                recording.gates[name][:, t] = torch.where(valid, value.detach(), 0)
            return value

        return gate

    return Named(mark)


def _watched(output: Tensor, recording: Recording | None, t: int, valid: Tensor) -> Tensor:
    """The output of a step, whose gradient is recorded when it is known."""
    gradient = None if recording is None else recording.gradient
    if gradient is not None and output.requires_grad:
        output = output.view_as(output)  # itself alone, where other states are the same tensor

        def keep(found: Tensor) -> None:
            gradient[:, t] = torch.where(valid, found, 0)

        output.register_hook(keep)  # type: ignore[no-untyped-call]
    return output
