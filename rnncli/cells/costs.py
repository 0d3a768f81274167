"""What a cell costs: its parameters as a formula, and the floating-point operations of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.expressions import in_order
from rnncli.cells.parameters import parameters, projects

_OPERATIONS = {
    "add": 1,
    "subtract": 1,
    "multiply": 1,
    "divide": 1,
    "negate": 1,
    "sigmoid": 1,
    "tanh": 1,
    "relu": 1,
    "normalize": 5,  # two sums over the row, and for each number a difference, a square and a product
}
"""Operations that a value costs for each of its numbers; a function of one number counts as one."""


@dataclass(frozen=True)
class Flops:
    """Floating-point operations of one step of one sequence; a multiplication with its addition is two.

    Attributes:
        inputs: of the products with the input; an engine computes them for all steps at once.
        recurrent: of the products with states.
        elementwise: of all else, biases included.
    """

    inputs: int
    recurrent: int
    elementwise: int

    @property
    def total(self) -> int:
        return self.inputs + self.recurrent + self.elementwise


def count_as_formula(cell: Cell[Any], input_size: int) -> str:
    """The number of parameters in h, the hidden size, and i, that of the input: "4hi + 4h² + 4h"."""
    graph, inputs = cell.graph, len(cell.graph.inputs)
    terms = {
        "hi": projects(cell, input_size) + (0 if graph.raw else inputs),
        "h²": len(graph.recurrent) + (inputs if graph.raw else 0),
        "h": cell.bias * inputs + len(graph.vectors),
    }
    return " + ".join(f"{number if number > 1 else ''}{term}" for term, number in terms.items() if number)


def flops(cell: Cell[Any], input_size: int) -> Flops:
    """What one step costs for inputs of that size."""
    graph = cell.graph
    counts = {each.name: each.count for each in parameters(cell, input_size)}
    nodes = in_order(graph.state)
    elementwise = sum(_OPERATIONS.get(node.operation, 0) for node in nodes) + cell.bias * len(graph.inputs)
    inputs = counts["weight_ih"] + counts.get("projection", 0)
    return Flops(2 * inputs, 2 * counts["weight_hh"], elementwise * cell.hidden_size)
