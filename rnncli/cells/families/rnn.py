"""The simple recurrent network, and the one of rectified linear units that starts at the identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings, Twin
from rnncli.cells.expressions import Named, V, relu, tanh
from rnncli.cells.graph import Gates, Products
from rnncli.cells.initializers import (
    ConstantStartSettings,
    IdentitySettings,
    InitializerSettings,
    NormalSettings,
    Positive,
)


class RNNSettings(CellSettings):
    """Options of the simple recurrent network."""

    type: Literal["rnn"]
    """The simple recurrent network (Elman 1990)."""

    activation: Literal["tanh", "relu", "identity"] = "tanh"
    """Function applied to the sum of input and recurrent product."""


@CELLS.register("rnn")
class RNN(Cell[RNNSettings]):
    """The simple recurrent network (Elman 1990).

    Elman, "Finding structure in time" (Cognitive Science 14, 1990): h' = activation(W x + b + U h). With identity the
    network is linear in its input.
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


class IRNNSettings(CellSettings):
    """Options of the IRNN."""

    type: Literal["irnn"]
    """The IRNN, rectified linear units whose recurrent matrix starts as the identity (Le et al. 2015)."""

    scale: Positive = 1.0
    """Number on the diagonal at the start; 0.01 where little has to be remembered, as in speech (Le et al. 2015)."""


@CELLS.register("irnn")
class IRNN(Cell[IRNNSettings]):
    """The IRNN, rectified linear units whose recurrent matrix starts as the identity (Le et al. 2015).

    Le, Jaitly & Hinton, "A simple way to initialize recurrent networks of rectified linear units" (arXiv 1504.00941v2,
    2015): h' = relu(W x + b + U h). U starts as the identity times `scale`, W normal with a standard deviation of
    0.001, b at 0.
    """

    settings_type = IRNNSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        return (relu(x.a + U.a(h)),)

    def starts(self) -> Mapping[str, InitializerSettings]:
        return {
            "U": IdentitySettings(scale=self.settings.scale),
            "W": NormalSettings(std=0.001),
            "b": ConstantStartSettings(value=0.0),
        }

    def twin(self) -> Twin:
        return Twin("rnn_relu")
