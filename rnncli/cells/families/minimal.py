"""The GRU and the LSTM without recurrent products."""

from __future__ import annotations

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, sigmoid
from rnncli.cells.graph import Gates, Products


class MinGRUSettings(CellSettings):
    """Options of the minGRU."""

    type: Literal["min_gru"]
    """The minGRU, a GRU whose gate and candidate see the input alone (Feng et al. 2024)."""


@CELLS.register("min_gru")
class MinGRU(Cell[MinGRUSettings]):
    """The minGRU, a GRU whose gate and candidate see the input alone (Feng et al. 2024).

    Feng, Tung, Ahmed, Bengio & Hajimirsadeghi, "Were RNNs all we needed?" (arXiv 2410.01201v3, 2024), in the plain
    form, not the one in logarithms. It has no recurrent matrix. The gate takes the new value where it is near 1.
    """

    settings_type = MinGRUSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        z = gate.z(sigmoid(x.z), "write")
        return ((1 - z) * h + z * x.n,)


class MinLSTMSettings(CellSettings):
    """Options of the minLSTM."""

    type: Literal["min_lstm"]
    """The minLSTM, an LSTM whose gates, made to add up to 1, and candidate see the input alone (Feng et al. 2024)."""


@CELLS.register("min_lstm")
class MinLSTM(Cell[MinLSTMSettings]):
    """The minLSTM, an LSTM whose gates, made to add up to 1, and candidate see the input alone (Feng et al. 2024).

    Feng, Tung, Ahmed, Bengio & Hajimirsadeghi, "Were RNNs all we needed?" (arXiv 2410.01201v3, 2024), in the plain
    form, not the one in logarithms: in float32 both gates of a unit are 0 where both sums are below -88, which gives
    0 / 0, so inputs should not be in the thousands. It has no memory beside its output.
    """

    settings_type = MinLSTMSettings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        f, i = sigmoid(x.f), sigmoid(x.i)
        total = f + i
        return (gate.f(f / total, "keep") * h + gate.i(i / total, "write") * x.g,)
