"""The gated recurrent unit, as published, as torch has it, and as courses write it."""

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
    """The gated recurrent unit (Cho et al. 2014).

    Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation" (2014).
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


class GRUSlideSettings(CellSettings):
    """Options of the GRU as courses write it."""

    type: Literal["gru_slide"]
    """The gated recurrent unit as courses write it, without biases (Chung et al. 2014)."""


@CELLS.register("gru_slide")
class GRUSlide(Cell[GRUSlideSettings]):
    """The gated recurrent unit as courses write it, without biases (Chung et al. 2014).

    As Chung et al., "Empirical evaluation of gated recurrent neural networks on sequence modeling" (arXiv 1412.3555v1,
    2014), print it. The update gate takes the new value where it is near 1; the reset gate acts before the recurrent
    product.
    """

    settings_type = GRUSlideSettings
    bias = False

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        r = gate.r(sigmoid(x.r + U.r(h)), "read")
        z = gate.z(sigmoid(x.z + U.z(h)), "write")
        n = tanh(x.n + U.n(r * h))
        return ((1 - z) * h + z * n,)
