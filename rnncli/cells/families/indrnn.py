"""The independently recurrent network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, relu, tanh
from rnncli.cells.graph import Gates, Products
from rnncli.cells.initializers import InitializerSettings, UniformSettings


class IndRNNSettings(CellSettings):
    """Options of the IndRNN."""

    type: Literal["indrnn"]
    """The independently recurrent network, each unit of which sees its own old value alone (Li et al. 2018)."""

    activation: Literal["relu", "tanh"] = "relu"
    """Function applied to the sum of input and old value."""


@CELLS.register("indrnn")
class IndRNN(Cell[IndRNNSettings]):
    """The independently recurrent network, each unit of which sees its own old value alone (Li et al. 2018).

    Li, Li, Cook, Zhu & Gao, "Independently recurrent neural network (IndRNN): building a longer and deeper RNN"
    (arXiv 1803.04831v3, CVPR 2018): h' = activation(W x + b + u * h), where p_a stands for u. It starts uniform from 0
    to 1, as in the authors' code; beyond ±1 it lets gradients explode. Near 1 suits a layer that has to remember.
    """

    settings_type = IndRNNSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        a = x.a + p.a * h
        return (relu(a) if self.settings.activation == "relu" else tanh(a),)

    def starts(self) -> Mapping[str, InitializerSettings]:
        return {"p": UniformSettings(low=0.0, high=1.0)}
