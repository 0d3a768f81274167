"""The gated recurrent unit."""

from __future__ import annotations

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings, Twin
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products


class GRUSettings(CellSettings):
    """Options of the GRU."""

    type: Literal["gru"]
    """The gated recurrent unit (Cho et al. 2014)."""

    reset: Literal["after", "before"] = "after"
    """Whether the reset gate acts after the recurrent product (torch, cuDNN) or before it (the published paper)."""


@CELLS.register("gru")
class GRU(Cell[GRUSettings]):
    """The gated recurrent unit of Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014).

    `reset: before` is arXiv 1406.1078v3, r acts on h; `after` is v1, r acts on U h, with the bias inside as
    torch.nn.GRU has it. In both, z near 1 keeps the old state.
    """

    settings_type = GRUSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        r = gate.r(sigmoid(x.r + U.r(h)), "read")
        z = gate.z(sigmoid(x.z + U.z(h)), "keep")
        n = tanh(x.n + U.n(r * h)) if self.settings.reset == "before" else tanh(x.n + r * (U.n(h) + p.hn))
        return ((1 - z) * n + z * h,)

    def twin(self) -> Twin | None:
        return Twin("gru") if self.settings.reset == "after" else None
