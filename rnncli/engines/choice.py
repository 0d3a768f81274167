"""Which engine runs a cell, and why not a faster one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.engines import loop, torch_kernels  # noqa: F401  (registers them)
from rnncli.engines.engine import ENGINES, NOTHING_MORE, Engine, Wanted
from rnncli.engines.fused import engine as fused  # noqa: F401
from rnncli.engines.settings import EngineName
from rnncli.errors import UserError

_FASTEST_FIRST: tuple[EngineName, ...] = ("torch", "fused", "loop")  # loop refuses nothing


@dataclass(frozen=True)
class Choice:
    """An engine, its name, and why it was taken."""

    name: EngineName
    engine: Engine
    reason: str


def choose(name: EngineName, cell: Cell[Any], wanted: Wanted = NOTHING_MORE) -> Choice:
    """The engine of that name, or for auto the fastest that accepts the cell.

    Raises:
        UserError: the engine asked for refuses the cell.
    """
    engines = {each: ENGINES[each]() for each in _FASTEST_FIRST}
    refusals = {each: engine.refusal(cell, wanted) for each, engine in engines.items()}
    if name != "auto":
        if refusals[name]:
            raise UserError(f"engine {name} can't run this model: {refusals[name]}; engine: auto finds one that can")
        return Choice(name, engines[name], "asked for")
    best = next(each for each, refusal in refusals.items() if refusal is None)
    faster = [f"{each} can't: {refusal}" for each, refusal in refusals.items() if refusal is not None]
    return Choice(best, engines[best], "; ".join(faster) or "the fastest that runs this cell")
