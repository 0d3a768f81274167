"""The simple recurrent network."""

from __future__ import annotations

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings, Twin
from rnncli.cells.expressions import Named, V, relu, tanh
from rnncli.cells.graph import Gates, Products


class RNNSettings(CellSettings):
    """Options of the simple recurrent network."""

    type: Literal["rnn"]
    """A simple recurrent network (Elman 1990)."""

    activation: Literal["tanh", "relu", "identity"] = "tanh"
    """Function applied to the sum of input and recurrent product."""


@CELLS.register("rnn")
class RNN(Cell[RNNSettings]):
    """The simple recurrent network of Elman, "Finding structure in time" (Cognitive Science 14, 1990).

    h' = activation(W x + b + U h). With identity the network is linear in its input.
    """

    settings_type = RNNSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        a = x.a + U.a(h)
        match self.settings.activation:
            case "tanh":
                return (tanh(a),)
            case "relu":
                return (relu(a),)
            case "identity":
                return (a,)

    def twin(self) -> Twin | None:
        match self.settings.activation:
            case "tanh":
                return Twin("rnn_tanh")
            case "relu":
                return Twin("rnn_relu")
            case "identity":
                return None
