"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings, Twin
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products


class ForgetGateSettings(CellSettings):
    """Options of a cell with a forget gate."""

    forget_bias: float = 0.0
    """Number added to the forget gate's bias at initialisation; 1 helps to remember (Jozefowicz et al. 2015)."""


class LSTMSettings(ForgetGateSettings):
    """Options of the LSTM."""

    type: Literal["lstm"]
    """Long short-term memory with a forget gate, without peepholes (Gers et al. 2000)."""


@CELLS.register("lstm")
class LSTM(Cell[LSTMSettings]):
    """Long short-term memory with a forget gate, without peepholes (Gers et al. 2000).

    Hochreiter & Schmidhuber, "Long short-term memory" (Neural Computation 9, 1997), with the forget gate of Gers,
    Schmidhuber & Cummins, "Learning to forget" (Neural Computation 12, 2000), as torch.nn.LSTM has it.
    """

    settings_type = LSTMSettings
    states = ("h", "c")

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        h, c = state
        i = gate.i(sigmoid(x.i + U.i(h)), "write")
        f = gate.f(sigmoid(x.f + U.f(h)), "keep")
        g = tanh(x.g + U.g(h))
        o = gate.o(sigmoid(x.o + U.o(h)), "read")
        c = f * c + i * g
        return o * tanh(c), c

    def bias_shifts(self) -> Mapping[str, float]:
        return {"f": self.settings.forget_bias}

    def twin(self) -> Twin:
        return Twin("lstm")
