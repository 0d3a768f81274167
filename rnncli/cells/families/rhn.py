"""The recurrent highway network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products
from rnncli.cells.initializers import ConstantStartSettings, Finite, InitializerSettings


class RHNSettings(CellSettings):
    """Options of the recurrent highway network."""

    type: Literal["rhn"]
    """The recurrent highway network, with several highway layers in each step (Zilly et al. 2017)."""

    depth: Annotated[int, Field(gt=0)] = 3
    """Number of highway layers in a step."""

    transform_bias: Finite = -2.0
    """Bias of the transform gates at the start; below 0 keeps the state (the authors: -2 for words, -4 for letters)."""


@CELLS.register("rhn")
class RHN(Cell[RHNSettings]):
    """The recurrent highway network, with several highway layers in each step (Zilly et al. 2017).

    Zilly, Srivastava, Koutník & Schmidhuber, "Recurrent highway networks" (arXiv 1607.03474v5, ICML 2017), with the
    carry gate 1 - t. The first layer alone reads the input. The blocks of the layers are h and t, h2 and t2, and so on.
    """

    settings_type = RHNSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (s,) = state
        h = tanh(x.h + U.h(s))
        t = gate.t(sigmoid(x.t + U.t(s)), "write")
        s = h * t + s * (1 - t)
        for layer in self._deeper():
            H, T = f"h{layer}", f"t{layer}"
            h = tanh(getattr(U, H)(s) + getattr(p, H))
            t = getattr(gate, T)(sigmoid(getattr(U, T)(s) + getattr(p, T)), "write")
            s = h * t + s * (1 - t)
        return (s,)

    def starts(self) -> Mapping[str, InitializerSettings]:
        start = ConstantStartSettings(value=self.settings.transform_bias)
        return {"b_t": start} | {f"p_t{layer}": start for layer in self._deeper()}

    def _deeper(self) -> range:
        """The numbers of the layers after the first."""
        return range(2, self.settings.depth + 1)
