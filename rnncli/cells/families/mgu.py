"""The minimal gated unit."""

from __future__ import annotations

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products


class MGUSettings(CellSettings):
    """Options of the MGU."""

    type: Literal["mgu"]
    """The minimal gated unit, a GRU whose one gate both resets and updates (Zhou et al. 2016)."""


@CELLS.register("mgu")
class MGU(Cell[MGUSettings]):
    """The minimal gated unit, a GRU whose one gate both resets and updates (Zhou et al. 2016).

    Zhou, Wu, Zhang & Zhou, "Minimal gated unit for recurrent neural networks" (arXiv 1603.09420v1, 2016). The gate,
    called forget gate there, takes the new value where it is near 1.
    """

    settings_type = MGUSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        f = gate.f(sigmoid(x.f + U.f(h)), "write")
        n = tanh(x.n + U.n(f * h))
        return ((1 - f) * h + f * n,)
