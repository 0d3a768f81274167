"""Which engine runs a cell, and why not a faster one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.engines import loop, torch_kernels  # noqa: F401  (registers them)
from rnncli.engines.engine import ENGINES, NOTHING_MORE, Engine, Wanted
from rnncli.engines.fused import engine as fused  # noqa: F401
from rnncli.engines.settings import EngineName
from rnncli.errors import UserError


@dataclass(frozen=True)
class Choice:
    """An engine, its name, and why it was taken."""

    name: EngineName
    engine: Engine
    reason: str


def choose(name: EngineName, cell: Cell[Any], wanted: Wanted = NOTHING_MORE, device: str = "cpu") -> Choice:
    """The engine of that name, or for auto the fastest that accepts the cell.

    Args:
        device: cpu, cuda or another kind that torch knows.

    Raises:
        UserError: the engine asked for refuses the cell.
    """
    engines = {each: ENGINES[each]() for each in _fastest_first(cell, device)}
    refusals = {each: engine.refusal(cell, wanted) for each, engine in engines.items()}
    if name != "auto":
        if refusals[name]:
            raise UserError(f"engine {name} can't run this model: {refusals[name]}; engine: auto finds one that can")
        return Choice(name, engines[name], "asked for")
    best = next(each for each, refusal in refusals.items() if refusal is None)
    faster = [f"{each} can't: {refusals[each]}" for each in takewhile(lambda each: each != best, engines)]
    return Choice(best, engines[best], "; ".join(faster) or f"the fastest that runs this cell on {device}")


def _fastest_first(cell: Cell[Any], device: str) -> tuple[EngineName, ...]:
    """The engines in the order of speed (benchmarks/cells.py); loop, which refuses nothing, is last.

    On a CPU torch has a fast kernel for the LSTM alone (oneDNN); its GRU and RNN run step by step.
    """
    twin = cell.twin()
    if device == "cpu" and (twin is None or twin.kernel != "lstm"):
        return "fused", "torch", "loop"
    return "torch", "fused", "loop"
