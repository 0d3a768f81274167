"""The LSTM with layer normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell
from rnncli.cells.expressions import Named, V, normalize, sigmoid, tanh
from rnncli.cells.families.lstm import ForgetGateSettings
from rnncli.cells.graph import Gates, Products
from rnncli.cells.initializers import ConstantStartSettings, InitializerSettings


class LayerNormLSTMSettings(ForgetGateSettings):
    """Options of the LSTM with layer normalization."""

    type: Literal["layer_norm_lstm"]
    """The LSTM with layer normalization of products and memory (Ba et al. 2016)."""


@CELLS.register("layer_norm_lstm")
class LayerNormLSTM(Cell[LayerNormLSTMSettings]):
    """The LSTM with layer normalization of products and memory (Ba et al. 2016).

    Ba, Kiros & Hinton, "Layer normalization" (arXiv 1607.06450v1). Each block of W x and of U h is normalized by itself
    over its units, as many ports have it (and, on the sum of the two, TensorFlow's LayerNormBasicLSTMCell); the paper
    prints one normalization over the four blocks together. p.W_i and p.U_i are gains, which start at 1; p.b_i is the
    bias, which starts at 0 (at forget_bias in b_f) and stands for the paper's two shifts.
    """

    settings_type = LayerNormLSTMSettings
    states = ("h", "c")
    bias = False  # the biases come after the normalization

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        h, c = state
        i = gate.i(sigmoid(p.W_i * normalize(x.i) + p.U_i * normalize(U.i(h)) + p.b_i), "write")
        f = gate.f(sigmoid(p.W_f * normalize(x.f) + p.U_f * normalize(U.f(h)) + p.b_f), "keep")
        g = tanh(p.W_g * normalize(x.g) + p.U_g * normalize(U.g(h)) + p.b_g)
        o = gate.o(sigmoid(p.W_o * normalize(x.o) + p.U_o * normalize(U.o(h)) + p.b_o), "read")
        c = f * c + i * g
        return o * tanh(p.c * normalize(c) + p.b_c), c

    def starts(self) -> Mapping[str, InitializerSettings]:
        biases = {f"b_{block}": 0.0 for block in "igoc"} | {"b_f": self.settings.forget_bias}
        shifts = {f"p_{name}": ConstantStartSettings(value=value) for name, value in biases.items()}
        return {"p": ConstantStartSettings(value=1.0), **shifts}
