"""The compiled code of a cell, found by its equations."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.equations import equations
from rnncli.cells.graph import Graph
from rnncli.cells.notation import unicode
from rnncli.engines.native.call import Call
from rnncli.engines.native.compiler import library
from rnncli.engines.native.plan import Plan, plan
from rnncli.engines.native.source import Real, source
from rnncli.engines.native.team import join
from rnncli.errors import CompilerError, RnncliError


@dataclass(frozen=True)
class Library:
    """A cell's plan and its code.

    Attributes:
        pair: hidden units are padded to a multiple of it.
    """

    plan: Plan
    code: ctypes.CDLL
    pair: int

    def padded(self, columns: int) -> int:
        """So many columns with their padding."""
        return -(-columns // self.pair) * self.pair

    @property
    def kept_row(self) -> int:
        """Numbers that are kept of a row beside its planes."""
        return self.padded(2 * len(self.plan.normalized))

    def run(self, call: Call) -> None:
        """Runs a layer.

        Raises:
            RnncliError: there is not enough memory.
        """
        if self.code.run_layer(ctypes.byref(call)):
            raise RnncliError("not enough memory for a layer in engine native")


_LOADED: dict[tuple[Graph, bool, Real, bool], Library] = {}


def loaded(cell: Cell[Any], graph: Graph, real: Real, recorded: bool = False) -> bool:
    """Whether `load` has done its work already."""
    return (graph, cell.bias, real, recorded) in _LOADED


def load(cell: Cell[Any], graph: Graph, real: Real, recorded: bool = False) -> Library:
    """The compiled code of a cell.

    Args:
        graph: the cell's own, or the same with masks.
        recorded: whether it shows gates and the derivatives by the outputs.

    Raises:
        CompilerError: it can't be compiled here.
    """
    key = graph, cell.bias, real, recorded
    if key not in _LOADED:
        _LOADED[key] = _compiled(cell, plan(graph, cell.bias, recorded), real)
    return _LOADED[key]


def _compiled(cell: Cell[Any], made: Plan, real: Real) -> Library:
    lines = [f"{line.left} = {line.right}" for line in unicode(cell)]
    code = library(source(made, real, [cell.settings.type, *lines], equations(cell).names))
    try:
        code.run_layer.argtypes = [ctypes.POINTER(Call)]
        code.stepper_begin.argtypes, code.stepper_begin.restype = [ctypes.POINTER(Call)], ctypes.c_void_p
        code.stepper_step.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_void_p, ctypes.c_long]
        code.stepper_end.argtypes, code.stepper_end.restype = [ctypes.c_void_p], None
        pair = ctypes.c_int.in_dll(code, "pair").value
    except (AttributeError, ValueError) as missing:
        raise CompilerError(f"the compiler has left out a part of the code: {missing}") from missing
    join(code)
    return Library(made, code, pair)
