"""The update gate network."""

from __future__ import annotations

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products


class UGRNNSettings(CellSettings):
    """Options of the UGRNN."""

    type: Literal["ugrnn"]
    """The update gate network, a simple one with a gate that keeps the state (Collins et al. 2017)."""


@CELLS.register("ugrnn")
class UGRNN(Cell[UGRNNSettings]):
    """The update gate network, a simple one with a gate that keeps the state (Collins et al. 2017).

    Collins, Sohl-Dickstein & Sussillo, "Capacity and trainability in recurrent neural networks" (arXiv 1611.09913v3,
    ICLR 2017).
    """

    settings_type = UGRNNSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        c = tanh(x.c + U.c(h))
        g = gate.g(sigmoid(x.g + U.g(h)), "keep")
        return (g * h + (1 - g) * c,)
