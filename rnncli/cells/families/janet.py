"""The LSTM with a forget gate alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products
from rnncli.cells.initializers import ConstantStartSettings, Finite, InitializerSettings


class JANETSettings(CellSettings):
    """Options of the JANET."""

    type: Literal["janet"]
    """The JANET, an LSTM with a forget gate alone, whose memory is its output (van der Westhuizen & Lasenby 2018)."""

    beta: Finite = 1.0
    """How much easier it is to write than to forget: subtracted inside the sigmoid that makes room for new values."""


@CELLS.register("janet")
class JANET(Cell[JANETSettings]):
    """The JANET, an LSTM with a forget gate alone, whose memory is its output (van der Westhuizen & Lasenby 2018).

    Van der Westhuizen & Lasenby, "The unreasonable effectiveness of the forget gate" (arXiv 1804.04849v3, 2018). The
    biases start as in the authors' code where the longest dependency is not known: 1 at the forget gate, else 0. Where
    it is, they use `initialization: {b_f: {type: chrono, longest: 784}}`.
    """

    settings_type = JANETSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        s = x.f + U.f(h)
        f = gate.f(sigmoid(s), "keep")
        i = gate.i(1 - sigmoid(s - self.settings.beta), "write")
        g = tanh(x.g + U.g(h))
        return (f * h + i * g,)

    def starts(self) -> Mapping[str, InitializerSettings]:
        return {"b": ConstantStartSettings(value=0.0), "b_f": ConstantStartSettings(value=1.0)}
