"""The LSTMs of two studies, each of which takes one thing away from the LSTM, or adds one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import model_validator

from rnncli.cells.cell import CELLS, Cell, CellSettings, Twin
from rnncli.cells.expressions import Named, V, sigmoid, tanh
from rnncli.cells.graph import Gates, Products, Role

VariantName = Literal[
    "lstm_vanilla",
    "lstm_nig",
    "lstm_nfg",
    "lstm_nog",
    "lstm_niaf",
    "lstm_noaf",
    "lstm_cifg",
    "lstm_np",
    "lstm_fgr",
    "lstm_f",
    "lstm_i",
    "lstm_o",
    "lstm_b",
]


@dataclass(frozen=True)
class Variant:
    """What an LSTM of the table has and lacks.

    Attributes:
        about: what it is, with the study.
        peepholes: whether each gate sees its own unit of the memory, the output gate of the new one.
        lacks: the gates that are 1 at all times.
        input_tanh: whether what is written to the memory goes through a tanh.
        output_tanh: whether what is read of it does.
        coupled: whether the forget gate is 1 - i.
        gate_recurrence: whether each gate sees all three gates of the step before, each through a matrix.
        forget_bias: what is added to the forget gate's bias at initialisation.
    """

    about: str
    peepholes: bool = False
    lacks: tuple[str, ...] = ()
    input_tanh: bool = True
    output_tanh: bool = True
    coupled: bool = False
    gate_recurrence: bool = False
    forget_bias: float = 0.0

    @property
    def learns_to_forget(self) -> bool:
        """Whether there is a forget gate with a bias of its own."""
        return not self.coupled and "f" not in self.lacks


_GREFF = "(Greff et al. 2017)"
_JOZEFOWICZ = "(Jozefowicz et al. 2015)"

VARIANTS: dict[str, Variant] = {
    "lstm_vanilla": Variant(f"LSTM with peepholes, the one that the study changes {_GREFF}.", peepholes=True),
    "lstm_nig": Variant(f"Peephole LSTM without input gate, i = 1 {_GREFF}.", peepholes=True, lacks=("i",)),
    "lstm_nfg": Variant(f"Peephole LSTM without forget gate, f = 1 {_GREFF}.", peepholes=True, lacks=("f",)),
    "lstm_nog": Variant(f"Peephole LSTM without output gate, o = 1 {_GREFF}.", peepholes=True, lacks=("o",)),
    "lstm_niaf": Variant(f"Peephole LSTM without the tanh at its input {_GREFF}.", peepholes=True, input_tanh=False),
    "lstm_noaf": Variant(f"Peephole LSTM without the tanh at its output {_GREFF}.", peepholes=True, output_tanh=False),
    "lstm_cifg": Variant(f"Peephole LSTM with coupled gates, f = 1 - i {_GREFF}.", peepholes=True, coupled=True),
    "lstm_np": Variant(f"LSTM without peepholes, the equations of lstm {_GREFF}."),
    "lstm_fgr": Variant(
        f"Peephole LSTM whose gates see all gates of the step before {_GREFF}.", peepholes=True, gate_recurrence=True
    ),
    "lstm_f": Variant(f"LSTM without forget gate, f = 1, and without peepholes {_JOZEFOWICZ}.", lacks=("f",)),
    "lstm_i": Variant(f"LSTM without input gate, i = 1, and without peepholes {_JOZEFOWICZ}.", lacks=("i",)),
    "lstm_o": Variant(f"LSTM without output gate, o = 1, and without peepholes {_JOZEFOWICZ}.", lacks=("o",)),
    "lstm_b": Variant(f"LSTM whose forget gate starts with 1 added to its bias {_JOZEFOWICZ}.", forget_bias=1.0),
}


class LSTMVariantSettings(CellSettings):
    """Options of the LSTMs of the two studies."""

    type: VariantName
    """An LSTM of Greff et al. 2017 or of Jozefowicz et al. 2015."""

    forget_bias: float | None = None
    """Number added to the forget gate's bias at initialisation; null is 1 for lstm_b and 0 for the others."""

    @model_validator(mode="after")
    def _bias_has_a_gate(self) -> LSTMVariantSettings:
        if self.forget_bias is not None and not VARIANTS[self.type].learns_to_forget:
            raise ValueError(f"forget_bias would do nothing: {self.type} has no forget gate with a bias of its own")
        return self


class LSTMVariant(Cell[LSTMVariantSettings]):
    """An LSTM of Greff et al., "LSTM: a search space odyssey" (arXiv 1503.04069v2), or of Jozefowicz, Zaremba &
    Sutskever, "An empirical exploration of recurrent network architectures" (ICML 2015).

    Greff et al. write z for g, Jozefowicz et al. i for g and j for i; o is a sigmoid, where the latter print a tanh.
    With gate recurrence the gates are states too, and U.fi multiplies the old f for the new i.
    """

    settings_type = LSTMVariantSettings
    states: tuple[str, ...] = ("h", "c")

    def __init__(self, settings: LSTMVariantSettings) -> None:
        super().__init__(settings)
        self.variant = VARIANTS[settings.type]
        if self.variant.gate_recurrence:
            self.states = ("h", "c", "i", "f", "o")

    @classmethod
    def about(cls, name: str) -> str:
        return VARIANTS[name].about

    def step(self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V]) -> tuple[V, ...]:
        variant, (h, c, *old_gates) = self.variant, state

        def opened(name: str, role: Role, memory: V) -> V | None:
            if name in variant.lacks:
                return None
            a: V = getattr(x, name) + getattr(U, name)(h)
            if variant.peepholes:
                a = a + getattr(p, name) * memory
            for source, old in zip(self.states[2:], old_gates, strict=True):
                a = a + getattr(U, source + name)(old)
            value: V = getattr(gate, name)(sigmoid(a), role)
            return value

        i = opened("i", "write", c)
        f = gate.f(1 - i, "keep") if variant.coupled and i is not None else opened("f", "keep", c)
        g = x.g + U.g(h)
        c = _through(f, c) + _through(i, tanh(g) if variant.input_tanh else g)
        o = opened("o", "read", c)
        h = _through(o, tanh(c) if variant.output_tanh else c)
        return h, c, *(each for each in (i, f, o) if variant.gate_recurrence and each is not None)

    def bias_shifts(self) -> Mapping[str, float]:
        if not self.variant.learns_to_forget:
            return {}
        chosen = self.settings.forget_bias
        return {"f": self.variant.forget_bias if chosen is None else chosen}

    def twin(self) -> Twin | None:
        v = self.variant
        like_torch = v.input_tanh and v.output_tanh and not (v.peepholes or v.coupled or v.gate_recurrence)
        return Twin("lstm", open_gates=v.lacks) if like_torch else None


def _through(gate: V | None, value: V) -> V:
    """What a gate lets through of a value: all of it, where the variant lacks the gate."""
    return value if gate is None else gate * value


for _name in VARIANTS:
    CELLS.register(_name)(LSTMVariant)
