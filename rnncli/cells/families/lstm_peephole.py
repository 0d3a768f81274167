"""The LSTM whose gates see the memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.families.lstm import ForgetGateSettings
from rnncli.cells.graph import Gates, Products


class PeepholeLSTMSettings(ForgetGateSettings):
    """Options of the LSTM with peepholes."""

    type: Literal["peephole_lstm"]
    """The LSTM whose gates see the memory (Gers & Schmidhuber 2000)."""

    peephole: Literal["diagonal", "full"] = "diagonal"
    """Whether a gate sees its own unit of the memory (the papers), or all of them through a matrix."""


@CELLS.register("peephole_lstm")
class PeepholeLSTM(Cell[PeepholeLSTMSettings]):
    """The LSTM whose gates see the memory (Gers & Schmidhuber 2000).

    The peepholes of Gers & Schmidhuber, "Recurrent nets that time and count" (IJCNN 2000). Input and forget gate see
    the old memory, the output gate the new one. `diagonal` is the paper, and the equations of Greff et al., "LSTM: a
    search space odyssey" (arXiv 1503.04069v2); `full` multiplies the memory by a matrix, for which courses write W [c,
    h, x].
    """

    settings_type = PeepholeLSTMSettings
    states = ("h", "c")

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        h, c = state
        full = self.settings.peephole == "full"
        i = gate.i(sigmoid(x.i + U.i(h) + (U.ic(c) if full else p.i * c)), "write")
        f = gate.f(sigmoid(x.f + U.f(h) + (U.fc(c) if full else p.f * c)), "keep")
        g = tanh(x.g + U.g(h))
        c = f * c + i * g
        o = gate.o(sigmoid(x.o + U.o(h) + (U.oc(c) if full else p.o * c)), "read")
        return o * tanh(c), c

    def bias_shifts(self) -> Mapping[str, float]:
        return {"f": self.settings.forget_bias}
