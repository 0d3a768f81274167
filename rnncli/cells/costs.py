"""What a step of a cell costs: parameters and floating-point operations, counted in its graph."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.expressions import in_order

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
class Parameter:
    """One tensor of CellWeights.

    Attributes:
        name: as in CellWeights.
        letter: in the equations: W, U, b, p or P.
        blocks: whose rows stand in it, `hidden` rows each, in this order; none for P.
    """

    name: str
    shape: tuple[int, ...]
    letter: str
    blocks: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


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


def parameters(cell: Cell[Any], input_size: int) -> list[Parameter]:
    """The parameters of a cell for inputs of that size."""
    graph, hidden = cell.graph, cell.hidden_size
    rows, width = len(graph.inputs) * hidden, hidden if graph.raw else input_size
    found = [
        Parameter("weight_ih", (rows, width), "W", graph.inputs),
        Parameter("weight_hh", (len(graph.recurrent) * hidden, hidden), "U", graph.recurrent),
    ]
    if cell.bias:
        found.append(Parameter("bias", (rows,), "b", graph.inputs))
    found += [Parameter(f"vectors.{name}", (hidden,), "p", (name,)) for name in graph.vectors]
    if width != input_size:
        found.append(Parameter("projection", (hidden, input_size), "P", ()))
    return found


def count_as_formula(cell: Cell[Any], input_size: int) -> str:
    """The number of parameters in h, the hidden size, and i, that of the input: "4hi + 4h² + 4h"."""
    graph = cell.graph
    inputs, projected = len(graph.inputs), graph.raw and input_size != cell.hidden_size
    terms = {
        "hi": projected + (0 if graph.raw else inputs),
        "h²": len(graph.recurrent) + (inputs if graph.raw else 0),
        "h": cell.bias * inputs + len(graph.vectors),
    }
    return " + ".join(f"{number if number > 1 else ''}{term}" for term, number in terms.items() if number)


def flops(cell: Cell[Any], input_size: int) -> Flops:
    """What one step costs for inputs of that size."""
    graph, hidden = cell.graph, cell.hidden_size
    by_letter = {each.letter: each.count for each in parameters(cell, input_size)}
    nodes = in_order(graph.state)
    elementwise = sum(_OPERATIONS.get(node.operation, 0) for node in nodes) + cell.bias * len(graph.inputs)
    return Flops(2 * (by_letter["W"] + by_letter.get("P", 0)), 2 * by_letter["U"], elementwise * hidden)
