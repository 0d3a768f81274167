"""The equations, one step after another: the specification of every other engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from rnncli.cells.cell import Cell
from rnncli.cells.graph import Named
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.engine import ENGINES, Engine
from rnncli.sequences import Padded


@ENGINES.register("loop")
class LoopEngine(Engine):
    """Calls the cell's equations with tensors; autograd does the rest. Runs every cell."""

    def refusal(self, cell: Cell[Any], recurrent_dropout: float) -> str | None:
        return None

    def run(
        self,
        weights: CellWeights,
        inputs: Padded,
        state: State | None = None,
        *,
        hidden_mask: Tensor | None = None,
        final_state: bool = False,
    ) -> tuple[Padded, State | None]:
        cell, graph = weights.cell, weights.cell.graph
        projected = linear(inputs.values.transpose(0, 1), weights.weight_ih, weights.bias)
        matrices = _matrices(weights)
        p = Named(dict(weights.vectors.items()).__getitem__)
        state = weights.zero_state(inputs.batch) if state is None else state
        valid = inputs.mask.t().unsqueeze(2)
        shortest = int(inputs.lengths.min())
        outputs = []
        for t, rows in enumerate(projected.unbind(0)):
            x = Named(dict(zip(graph.inputs, rows.chunk(len(graph.inputs), 1), strict=True)).__getitem__)
            new = cell.step(x, state, _products(matrices, hidden_mask), p)
            if t >= shortest:
                new = tuple(torch.where(valid[t], after, before) for after, before in zip(new, state, strict=True))
            state = new
            outputs.append(state[0])
        values = torch.stack(outputs).transpose(0, 1)
        return inputs.with_values(values).zeroed(), state if final_state else None


def _matrices(weights: CellWeights) -> list[tuple[tuple[str, ...], Tensor]]:
    """The names of the blocks of each product, with their rows of the recurrent matrix."""
    groups = [product.blocks for product in weights.cell.graph.products]
    rows = torch.split(weights.weight_hh, [len(blocks) * weights.cell.hidden_size for blocks in groups])
    return list(zip(groups, rows, strict=True))


def _products(matrices: list[tuple[tuple[str, ...], Tensor]], mask: Tensor | None) -> Named[Callable[[Tensor], Tensor]]:
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
