"""The parameters that a cell's equations need: tensors, their shapes, and which rows belong to which block."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from rnncli.cells.cell import Cell


@dataclass(frozen=True)
class Parameter:
    """One tensor of CellWeights.

    Attributes:
        name: as in CellWeights.
        blocks: whose rows stand in it, `hidden` rows each, in this order; named as in `Cell.blocks`.
    """

    name: str
    shape: tuple[int, ...]
    blocks: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


def projects(cell: Cell[Any], input_size: int) -> bool:
    """Whether inputs of that size go through a matrix first, because the cell reads the input itself."""
    return cell.graph.raw and input_size != cell.hidden_size


def parameters(cell: Cell[Any], input_size: int) -> tuple[Parameter, ...]:
    """The parameters of a cell for inputs of that size."""
    graph, hidden = cell.graph, cell.hidden_size
    projected = projects(cell, input_size)

    def stacked(name: str, letter: str, blocks: tuple[str, ...], *columns: int) -> Parameter:
        return Parameter(name, (len(blocks) * hidden, *columns), tuple(f"{letter}_{block}" for block in blocks))

    return (
        stacked("weight_ih", "W", graph.inputs, hidden if projected else input_size),
        stacked("weight_hh", "U", graph.recurrent, hidden),
        *([stacked("bias", "b", graph.inputs)] if cell.bias else []),
        *(stacked(f"vectors.{name}", "p", (name,)) for name in graph.vectors),
        *([Parameter("projection", (hidden, input_size), ("P",))] if projected else []),
    )
