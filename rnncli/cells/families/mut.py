"""The three cells that an evolutionary search found."""

from __future__ import annotations

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products


class MUT1Settings(CellSettings):
    """Options of MUT1."""

    type: Literal["mut1"]
    """MUT1, a GRU whose update gate does not see the state (Jozefowicz et al. 2015)."""


@CELLS.register("mut1")
class MUT1(Cell[MUT1Settings]):
    """MUT1, a GRU whose update gate does not see the state (Jozefowicz et al. 2015).

    The first of three that a search over 10,000 cells found: Jozefowicz, Zaremba & Sutskever, "An empirical exploration
    of recurrent network architectures" (ICML 2015). The update gate takes the new value where it is near 1. Where no
    matrix stands before x, x has the size of h.
    """

    settings_type = MUT1Settings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        z = gate.z(sigmoid(x.z), "write")
        r = gate.r(sigmoid(x.r + U.r(h)), "read")
        n = tanh(U.n(r * h) + tanh(x.raw) + p.n)
        return (n * z + h * (1 - z),)


class MUT2Settings(CellSettings):
    """Options of MUT2."""

    type: Literal["mut2"]
    """MUT2, a GRU whose reset gate reads the input itself (Jozefowicz et al. 2015)."""


@CELLS.register("mut2")
class MUT2(Cell[MUT2Settings]):
    """MUT2, a GRU whose reset gate reads the input itself (Jozefowicz et al. 2015).

    The second of three that a search over 10,000 cells found: Jozefowicz, Zaremba & Sutskever, "An empirical
    exploration of recurrent network architectures" (ICML 2015). The update gate takes the new value where it is near 1.
    Where no matrix stands before x, x has the size of h.
    """

    settings_type = MUT2Settings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        z = gate.z(sigmoid(x.z + U.z(h)), "write")
        r = gate.r(sigmoid(x.raw + U.r(h) + p.r), "read")
        n = tanh(U.n(r * h) + x.n)
        return (n * z + h * (1 - z),)


class MUT3Settings(CellSettings):
    """Options of MUT3."""

    type: Literal["mut3"]
    """MUT3, a GRU whose update gate sees the tanh of the state (Jozefowicz et al. 2015)."""


@CELLS.register("mut3")
class MUT3(Cell[MUT3Settings]):
    """MUT3, a GRU whose update gate sees the tanh of the state (Jozefowicz et al. 2015).

    The third of three that a search over 10,000 cells found: Jozefowicz, Zaremba & Sutskever, "An empirical exploration
    of recurrent network architectures" (ICML 2015). The update gate takes the new value where it is near 1.
    """

    settings_type = MUT3Settings

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        (h,) = state
        z = gate.z(sigmoid(x.z + U.z(tanh(h))), "write")
        r = gate.r(sigmoid(x.r + U.r(h)), "read")
        n = tanh(U.n(r * h) + x.n)
        return (n * z + h * (1 - z),)
