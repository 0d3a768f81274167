"""The LSTMs against the equations of their papers, written here in numpy, and against torch where it has them."""

from typing import get_args

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from pydantic import TypeAdapter, ValidationError

from cells.variants import every_cell
from rnncli.cells import CELLS, AnyCell, make_cell
from rnncli.cells.families.lstm_variants import VARIANTS, VariantName
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine
from rnncli.engines.torch_kernels import TorchEngine
from rnncli.sequences import Padded

BATCH, STEPS, INPUT, HIDDEN = 3, 3, 5, 4


def sigm(v):
    return 1 / (1 + np.exp(-v))


class Equations:
    """A step as a paper prints it, on the parameters of a cell: W, b and R by block, p by gate."""

    def __init__(self, weights):
        graph, numbers = weights.cell.graph, {k: v.detach().numpy() for k, v in weights.named_parameters()}
        self.W = self.split(numbers["weight_ih"], graph.inputs)
        self.R = self.split(numbers["weight_hh"], graph.recurrent)
        self.b = self.split(numbers["bias"], graph.inputs) if "bias" in numbers else {}
        self.p = {k.removeprefix("vectors."): v for k, v in numbers.items() if k.startswith("vectors.")}

    @staticmethod
    def split(rows, blocks):
        return dict(zip(blocks, np.split(rows, len(blocks)), strict=True))

    def sum(self, block, x, y):
        """W x + R y + b of a block."""
        return x @ self.W[block].T + y @ self.R[block].T + self.b[block]


class Printed(Equations):
    """The slide: f, i, C~, C = sigm(f * C- + i * C~), o, h = o * tanh(C)."""

    def step(self, x, y, c):
        f, i, new = sigm(self.sum("f", x, y)), sigm(self.sum("i", x, y)), np.tanh(self.sum("g", x, y))
        c = sigm(f * c + i * new)
        return sigm(self.sum("o", x, y)) * np.tanh(c), c


class Greff(Equations):
    """Section 2.1: z, i, f, c, o, y, with the switches of the eight variants."""

    def __init__(self, weights, *changes):
        super().__init__(weights)
        self.changes = changes

    def step(self, x, y, c, *old):
        changes, old = self.changes, dict(zip("ifo", old, strict=False))

        def gate(name, memory):
            if {"i": "NIG", "f": "NFG", "o": "NOG"}[name] in changes:
                return np.ones_like(c)
            total = self.sum(name, x, y)
            if "NP" not in changes:
                total = total + self.p[name] * memory
            for source, value in old.items():
                total = total + value @ self.R[source + name].T
            return sigm(total)

        z = self.sum("g", x, y)
        z = z if "NIAF" in changes else np.tanh(z)
        i = gate("i", c)
        f = 1 - i if "CIFG" in changes else gate("f", c)
        c = z * i + c * f
        o = gate("o", c)
        y = (c if "NOAF" in changes else np.tanh(c)) * o
        return y, c, *((i, f, o) if "FGR" in changes else ())


class Jozefowicz(Equations):
    """Section 1.1, where the candidate is i, the input gate j; o goes through a sigmoid."""

    def __init__(self, weights, open_gate=""):
        super().__init__(weights)
        self.open = open_gate

    def step(self, x, h, c):
        i = np.tanh(self.sum("g", x, h))
        j = 1 if self.open == "i" else sigm(self.sum("i", x, h))
        f = 1 if self.open == "f" else sigm(self.sum("f", x, h))
        o = 1 if self.open == "o" else sigm(self.sum("o", x, h))
        c = c * f + i * j
        return np.tanh(c) * o, c


class FullPeepholes(Equations):
    """The slide: f = sigm(W_f [C-, h-, x]), i alike, o = sigm(W_o [C, h-, x]), each W one matrix."""

    def step(self, x, h, c):
        def gate(name, memory):
            whole = np.concatenate([self.R[name + "c"], self.R[name], self.W[name]], axis=1)
            return sigm(np.concatenate([memory, h, x], axis=1) @ whole.T + self.b[name])

        f, i = gate("f", c), gate("i", c)
        c = f * c + i * np.tanh(self.sum("g", x, h))
        return gate("o", c) * np.tanh(c), c


class LayerNorm(Equations):
    """Ba et al. 2016: LN(U h) + LN(W x) + b in each block, LN of the memory before the last tanh."""

    @staticmethod
    def normal(v):
        return (v - v.mean(1, keepdims=True)) / np.sqrt(v.var(1, keepdims=True) + 1e-5)

    def step(self, x, h, c):
        assert not self.b
        i, f, g, o = (
            self.p[f"U_{k}"] * self.normal(h @ self.R[k].T)
            + self.p[f"W_{k}"] * self.normal(x @ self.W[k].T)
            + self.p[f"b_{k}"]
            for k in "ifgo"
        )
        c = sigm(f) * c + sigm(i) * np.tanh(g)
        return sigm(o) * np.tanh(self.p["c"] * self.normal(c) + self.p["b_c"]), c


ORACLES = {
    "lstm": Jozefowicz,
    "lstm_printed": Printed,
    "peephole_lstm-diagonal": Greff,
    "peephole_lstm-full": FullPeepholes,
    "layer_norm_lstm": LayerNorm,
    "lstm_vanilla": Greff,
    **{
        f"lstm_{change.lower()}": lambda weights, change=change: Greff(weights, change)
        for change in ("NIG", "NFG", "NOG", "NIAF", "NOAF", "CIFG", "NP", "FGR")
    },
    **{f"lstm_{gate}": lambda weights, gate=gate: Jozefowicz(weights, gate) for gate in "fio"},
    "lstm_b": Jozefowicz,
}


def drawn(key, hidden=HIDDEN, size=INPUT):
    """A cell's parameters, all of them random."""
    torch.manual_seed(4)
    weights = CellWeights(make_cell(every_cell(hidden)[key]), size).double()
    with torch.no_grad():
        for parameter in weights.parameters():
            parameter.normal_()
    return weights


def steps_of(weights):
    """Three steps of inputs, and a state to start from."""
    generator = np.random.default_rng(5)
    return generator.normal(size=(STEPS, BATCH, INPUT)), [
        generator.normal(size=(BATCH, HIDDEN)) for _ in weights.cell.states
    ]


def test_every_lstm_has_an_oracle():
    assert set(ORACLES) == {key for key in every_cell() if "lstm" in key and not key.startswith("min_")}


@pytest.mark.parametrize("key", list(ORACLES))
def test_equals_the_equations_of_its_paper(key):
    weights = drawn(key)
    xs, state = steps_of(weights)
    equations = ORACLES[key](weights)
    ours = tuple(map(torch.from_numpy, state))
    for x in xs:
        with torch.no_grad():
            ours = LoopEngine().step(weights, torch.from_numpy(x), ours)
        state = equations.step(x, *state)
        assert len(ours) == len(state)
        for mine, theirs in zip(ours, state, strict=True):
            assert_allclose(mine.numpy(), theirs, rtol=1e-11, atol=1e-13)


def test_the_names_of_the_table_are_those_of_the_settings():
    assert tuple(VARIANTS) == get_args(VariantName)


@pytest.mark.parametrize("key", list(ORACLES))
def test_gates_are_marked_with_their_roles(key):
    roles = {"i": "write", "f": "keep", "o": "read"}
    for gate, names in {"i": ("lstm_nig", "lstm_i"), "f": ("lstm_nfg", "lstm_f"), "o": ("lstm_nog", "lstm_o")}.items():
        if key in names:
            del roles[gate]
    assert {gate.name: gate.role for gate in drawn(key).cell.graph.gates} == roles


@pytest.mark.parametrize("key", [key for key in ORACLES if key not in ("lstm_vanilla", "peephole_lstm-diagonal")])
def test_differs_from_vanilla(key):
    """With equal numbers in all blocks that both have."""
    weights, vanilla = drawn(key), drawn("lstm_vanilla")
    ours, theirs = Equations(weights), Equations(vanilla)
    for kind in "WRbp":
        blocks = getattr(ours, kind)
        for name in blocks.keys() & getattr(theirs, kind).keys():
            blocks[name][:] = getattr(theirs, kind)[name]  # in place: these are the memory of the parameters
    xs, state = steps_of(weights)
    outputs = []
    for each, start in ((weights, state), (vanilla, state[:2])):
        values = Padded(torch.from_numpy(xs).transpose(0, 1), torch.full((BATCH,), STEPS))
        outputs.append(LoopEngine().run(each, values, tuple(map(torch.from_numpy, start)))[0].values)
    assert (outputs[0] - outputs[1]).abs().max() > 0.01


SIZES = {  # the cells by their number of matrices and of vectors
    (6, 3): "lstm_f lstm_i lstm_o",
    (6, 5): "lstm_nig lstm_nfg lstm_nog lstm_cifg",
    (8, 4): "lstm lstm_printed lstm_np lstm_b",
    (8, 7): "peephole_lstm-diagonal lstm_vanilla lstm_niaf lstm_noaf",
    (8, 14): "layer_norm_lstm",
    (11, 4): "peephole_lstm-full",
    (17, 7): "lstm_fgr",
}


def test_number_of_parameters():
    found = {}
    for key in ORACLES:  # matrices are square where the input is as wide as the state
        numbers = sum(each.numel() for each in drawn(key, hidden=20, size=20).parameters())
        found.setdefault((numbers // 400, numbers % 400 // 20), set()).add(key)
    assert found == {size: set(keys.split()) for size, keys in SIZES.items()}


TWINS = {"lstm": (), "lstm_np": (), "lstm_b": (), "lstm_f": ("f",), "lstm_i": ("i",), "lstm_o": ("o",)}


def test_torch_runs_those_without_peepholes():
    twins = {key: make_cell(every_cell()[key]).twin() for key in ORACLES}
    assert {key: twin.open_gates for key, twin in twins.items() if twin is not None} == TWINS


@pytest.mark.parametrize("key", list(TWINS))
def test_torch_equals_the_loop(key):
    weights = drawn(key)
    xs, state = steps_of(weights)
    results = []
    for engine in (LoopEngine(), TorchEngine()):
        values = torch.from_numpy(xs).transpose(0, 1).requires_grad_()
        start = tuple(torch.from_numpy(each).requires_grad_() for each in state)
        inputs = Padded(values, torch.tensor([2, 3, 1]))
        outputs, final = engine.run(weights, inputs, start, final_state=True)
        loss = sum((torch.cos(each) * (k + 1)).sum() for k, each in enumerate((outputs.values, *final)))
        results.append((outputs.values, final, torch.autograd.grad(loss, (values, *start, *weights.parameters()))))
    torch.testing.assert_close(*results)


def at_start(**options):
    """A cell's parameters right after initialisation."""
    torch.manual_seed(1)
    settings = TypeAdapter(AnyCell).validate_python({"hidden_size": HIDDEN, **options})
    return Equations(CellWeights(make_cell(settings), INPUT))


@pytest.mark.parametrize("key", [key for key in ORACLES if "f" in Equations(drawn(key)).b])
def test_forget_bias_is_added_to_the_forget_gate_alone(key):
    name, _, peephole = key.partition("-")
    options = {"type": name} | ({"peephole": peephole} if peephole else {})
    plain, more = at_start(**options, forget_bias=0.0).b, at_start(**options, forget_bias=2.5).b
    for block, numbers in plain.items():
        assert_allclose(more[block], numbers + (2.5 if block == "f" else 0), atol=1e-6)


def test_lstm_b_is_the_lstm_with_a_forget_bias_of_one():
    plain, more = at_start(type="lstm").b, at_start(type="lstm_b").b
    for block, numbers in plain.items():
        assert_allclose(more[block], numbers + (block == "f"), atol=1e-6)


@pytest.mark.parametrize("name", ["lstm_f", "lstm_nfg", "lstm_cifg"])
def test_forget_bias_without_such_a_gate_is_refused(name):
    with pytest.raises(ValidationError, match=f"would do nothing: {name} has no forget gate with a bias of its own"):
        at_start(type=name, forget_bias=1.0)


def test_layer_norm_starts_from_gains_of_one_and_shifts_of_zero():
    found = at_start(type="layer_norm_lstm", forget_bias=0.5).p
    gains = dict.fromkeys([*(f"{letter}_{block}" for letter in "WU" for block in "ifgo"), "c"], 1.0)
    shifts = dict.fromkeys([f"b_{block}" for block in "igoc"], 0.0) | {"b_f": 0.5}
    assert {name: numbers.tolist() for name, numbers in found.items()} == {
        name: [number] * HIDDEN for name, number in (gains | shifts).items()
    }


def test_each_name_of_the_table_has_its_own_sentence():
    assert len({CELLS[name].about(name) for name in VARIANTS}) == len(VARIANTS)
