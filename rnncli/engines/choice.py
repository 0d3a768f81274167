"""Which engine runs a cell, and why not a faster one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.engines import loop, torch_kernels  # noqa: F401  (registers them)
from rnncli.engines.engine import ENGINES, NOTHING_MORE, Engine, Wanted
from rnncli.engines.fused import engine as fused  # noqa: F401
from rnncli.engines.native import engine as native  # noqa: F401
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
    if name != "auto":
        engine = ENGINES[name]()
        here = name in _fastest_first(cell, device)
        if refusal := refusal_here(engine, cell, wanted) if here else f"it does not run on {device}":
            raise UserError(f"engine {name} can't run this model: {refusal}; engine: auto finds one that can")
        return Choice(name, engine, "asked for")
    slower_than = []
    for each in _fastest_first(cell, device):
        engine = ENGINES[each]()
        refusal = refusal_here(engine, cell, wanted)
        if refusal is None:
            break
        slower_than.append(f"{each} can't: {refusal}")
    return Choice(each, engine, "; ".join(slower_than) or f"the fastest that runs this cell on {device}")


def refusal_here(engine: Engine, cell: Cell[Any], wanted: Wanted) -> str | None:
    """Why the engine does not run the cell on this machine, or None where it does."""
    return engine.refusal(cell, wanted) or engine.missing(cell)


def _fastest_first(cell: Cell[Any], device: str) -> tuple[EngineName, ...]:
    """The engines in the order of speed (benchmarks/cells.py); loop, which refuses nothing, is last.

    On a CPU torch has a fast kernel for the LSTM alone (oneDNN); its GRU and RNN run step by step.
    """
    if device != "cpu":
        return "torch", "fused", "loop"
    twin = cell.twin()
    if twin is None or twin.kernel != "lstm":
        return "native", "fused", "torch", "loop"
    return "native", "torch", "fused", "loop"
