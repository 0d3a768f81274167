"""The LSTM with the slip of a course slide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.families.lstm import ForgetGateSettings
from rnncli.cells.graph import Gates, Products


class PrintedLSTMSettings(ForgetGateSettings):
    """Options of the LSTM as a slide prints it."""

    type: Literal["lstm_printed"]
    """The LSTM as a course slide prints it, with a sigmoid around the memory."""


@CELLS.register("lstm_printed")
class PrintedLSTM(Cell[PrintedLSTMSettings]):
    """The LSTM as a course slide prints it, with a sigmoid around the memory.

    c' = sigmoid(f * c + i * g) is a slip, kept so that its effect can be measured; no paper has it. It keeps the memory
    between 0 and 1, where even f = 1 and i = 0 change what it holds.
    """

    settings_type = PrintedLSTMSettings
    states = ("h", "c")

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        h, c = state
        i = gate.i(sigmoid(x.i + U.i(h)), "write")
        f = gate.f(sigmoid(x.f + U.f(h)), "keep")
        g = tanh(x.g + U.g(h))
        o = gate.o(sigmoid(x.o + U.o(h)), "read")
        c = sigmoid(f * c + i * g)
        return o * tanh(c), c

    def bias_shifts(self) -> Mapping[str, float]:
        return {"f": self.settings.forget_bias}
