"""Equations as text, read back and evaluated."""

from __future__ import annotations

import random
import re
import unicodedata

import numpy as np
import pytest
import torch

from cells.variants import every_cell
from rnncli.cells import Cell, CellSettings, make_cell, normalize, relu, sigmoid, tanh
from rnncli.cells.expressions import EPSILON
from rnncli.cells.notation import latex, products, unicode
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine

GOLDEN = {
    "lstm": """\
i_t = σ(W_i x_t + U_i h_{t-1} + b_i)
f_t = σ(W_f x_t + U_f h_{t-1} + b_f)
g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
o_t = σ(W_o x_t + U_o h_{t-1} + b_o)
h_t = o_t ⊙ tanh(c_t)""",
    "gru-after": """\
r_t = σ(W_r x_t + U_r h_{t-1} + b_r)
z_t = σ(W_z x_t + U_z h_{t-1} + b_z)
n_t = tanh(W_n x_t + r_t ⊙ (U_n h_{t-1} + p_hn) + b_n)
h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}""",
    "gru-before": """\
r_t = σ(W_r x_t + U_r h_{t-1} + b_r)
z_t = σ(W_z x_t + U_z h_{t-1} + b_z)
n_t = tanh(W_n x_t + U_n (r_t ⊙ h_{t-1}) + b_n)
h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}""",
    "peephole_lstm-diagonal": """\
i_t = σ(W_i x_t + U_i h_{t-1} + p_i ⊙ c_{t-1} + b_i)
f_t = σ(W_f x_t + U_f h_{t-1} + p_f ⊙ c_{t-1} + b_f)
g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)
c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t
o_t = σ(W_o x_t + U_o h_{t-1} + p_o ⊙ c_t + b_o)
h_t = o_t ⊙ tanh(c_t)""",
    "min_lstm": """\
f̃_t = σ(W_f x_t + b_f)
ĩ_t = σ(W_i x_t + b_i)
f_t = f̃_t / (f̃_t + ĩ_t)
i_t = ĩ_t / (f̃_t + ĩ_t)
g_t = W_g x_t + b_g
h_t = f_t ⊙ h_{t-1} + i_t ⊙ g_t""",
}

TOKEN = re.compile(r"\d[\d.]*(?:e[-+]?\d+)?|[^\W\d][\w\u0303]*(?:\{t-1\})?|[-+/·⊙()]|\S")
FUNCTIONS = {
    "σ": lambda v: 1 / (1 + np.exp(-v)),
    "tanh": np.tanh,
    "relu": lambda v: np.maximum(v, 0),
    "LN": lambda v: (v - v.mean(1, keepdims=True)) / np.sqrt(v.var(1, keepdims=True) + EPSILON),
}


class Reader:
    """Evaluates the right side of an equation as it is read by people: U h before ⊙ before +."""

    def __init__(self, text: str, values: dict[str, np.ndarray]) -> None:
        self.tokens, self.values = TOKEN.findall(text), values

    def whole(self):
        value = self.sum()
        assert not self.tokens, self.tokens
        return value

    def sum(self):
        sign = -1 if self.tokens[0] == "-" else 1
        if sign < 0:
            self.tokens.pop(0)
        value = sign * self.product()
        while self.tokens and self.tokens[0] in "+-":
            value = value + self.product() if self.tokens.pop(0) == "+" else value - self.product()
        return value

    def product(self):
        value, divided = self.factor(), False
        while self.tokens and self.tokens[0] in "⊙·/":
            sign = self.tokens.pop(0)
            assert not divided, "what is after a division needs brackets"
            divided = sign == "/"
            value = value / self.factor() if divided else value * self.factor()
        return value

    def factor(self):
        if self.tokens[0][:2] in ("W_", "U_"):
            matrix = self.values[self.tokens.pop(0)]
            return self.atom() @ matrix.T
        return self.atom()

    def atom(self):
        token = self.tokens.pop(0)
        if token == "(" or token in FUNCTIONS:
            if token != "(":
                assert self.tokens.pop(0) == "("
            value = self.sum()
            assert self.tokens.pop(0) == ")"
            return FUNCTIONS[token](value) if token != "(" else value
        return float(token) if token[0].isdigit() else self.values[token]


def check_equations(cell: Cell) -> None:
    """The equations as text give the step that the loop engine gives."""
    torch.manual_seed(5)
    weights = CellWeights(cell, 3).double()
    x, *state = (torch.randn(2, size, dtype=torch.float64) for size in (3, *[cell.hidden_size for _ in cell.states]))
    with torch.no_grad():
        new = LoopEngine().step(weights, x, tuple(state))
        read = x if weights.projection is None else x @ weights.projection.T
    values = {name: block.detach().numpy() for name, block in weights.blocks().items()}
    values["x_t"] = read.numpy()
    values |= {f"{name}_{{t-1}}": old.numpy() for name, old in zip(cell.states, state, strict=True)}
    for line in unicode(cell):
        assert line.left not in values, "each value has one line"
        values[line.left] = Reader(line.right, values).whole()
    for name, expected in zip(cell.states, new, strict=True):
        np.testing.assert_allclose(values[f"{name}_t"], expected.numpy(), rtol=1e-9, atol=1e-12)


def text_of(cell: Cell) -> str:
    return "\n".join(f"{line.left} = {line.right}" for line in unicode(cell))


def from_latex(text: str) -> str:
    """LaTeX without fractions in the letters of a terminal."""
    text = re.sub(r"\\tilde\{(\w)\}", "\\1\N{COMBINING TILDE}", text)
    text = re.sub(r"\\(?:mathit|operatorname)\{(\w+)\}", r"\1", text)
    text = re.sub(r"([WUbp])_\{([\w,]+)\}", lambda found: f"{found[1]}_{found[2].replace(',', '_')}", text)
    for old, new in ((r"\sigma", "σ"), (r"\tanh", "tanh"), (r"\odot", "⊙"), (r"\cdot", "·"), ("&=", "="), (r" \\", "")):
        text = text.replace(old, new)
    return "\n".join(line.strip() for line in text.splitlines()[1:-1])


@pytest.mark.parametrize("name", list(GOLDEN))
def test_equations_as_text(name):
    assert text_of(make_cell(every_cell()[name])) == unicodedata.normalize("NFD", GOLDEN[name])


@pytest.mark.parametrize("name", list(every_cell()))
def test_equations_evaluated_are_the_step(name):
    check_equations(make_cell(every_cell()[name]))


@pytest.mark.parametrize("name", list(every_cell()))
def test_every_parameter_and_gate_occurs_in_both_renderings(name):
    cell = make_cell(every_cell()[name])
    text, tex = text_of(cell), latex(cell)
    blocks = [block for block in cell.blocks if block != "P"]
    assert blocks == sorted(set(re.findall(r"\b[WUbp]_(?!\{)\w+", text)) & set(blocks), key=blocks.index)
    for block in blocks:
        letter, _, rest = block.partition("_")
        assert f"{letter}_{rest}" in tex or f"{letter}_{{{rest.replace('_', ',')}}}" in tex
    roles = {line.left: line.equation.role for line in unicode(cell)}
    for gate in cell.graph.gates:
        assert roles[f"{gate.name}_t"] == gate.role


@pytest.mark.parametrize("name", list(every_cell()))
def test_latex_says_the_same_as_the_terminal(name):
    cell = make_cell(every_cell()[name])
    tex = latex(cell)
    depth = 0
    for sign in tex:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    if r"\frac" not in tex:
        assert from_latex(tex) == text_of(cell)


@pytest.mark.parametrize("name", list(every_cell()))
def test_equations_are_written_plainly(name):
    text = text_of(make_cell(every_cell()[name]))
    assert not re.search(r"[-+] -|\b1 ·|\.0\b|\(\(|= -", text), text
    assert not re.search(r"(?<!\w)\(\w+\)", text), "brackets around a single name"


class Odd(Cell[CellSettings]):
    """A cell with the equations of a function."""

    def __init__(self, step, states=("h",), bias=True):
        super().__init__(CellSettings(type="odd", hidden_size=4))
        self.states, self.bias, self.step = states, bias, step

    def step(self, x, state, U, p, gate):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (lambda h, c: -h + c, "c_{t-1} - h_{t-1}"),
        (lambda h, c: -(h + c), "-h_{t-1} - c_{t-1}"),
        (lambda h, c: h + -2 * c, "h_{t-1} - 2 · c_{t-1}"),
        (lambda h, c: 1.0 * h - (c - 0.5), "h_{t-1} - c_{t-1} + 0.5"),
        (lambda h, c: h + 0.0 * 1 - c * -1, "h_{t-1} + c_{t-1}"),
        (lambda h, c: h * (c / h) / c, "(h_{t-1} ⊙ (c_{t-1} / h_{t-1})) / c_{t-1}"),
        (lambda h, c: (h - c) * (2 * c) * h, "2 · (h_{t-1} - c_{t-1}) ⊙ c_{t-1} ⊙ h_{t-1}"),
        (lambda h, c: tanh(-h) * (1 - 0.9), "0.1 · tanh(-h_{t-1})"),
        (lambda h, c: c, "c_{t-1}"),
    ],
)
def test_signs_numbers_and_brackets(expression, text):
    cell = Odd(lambda x, state, U, p, gate: (expression(*state), state[1]), ("h", "c"))
    assert {line.left: line.right for line in unicode(cell)}["h_t"] == text


def test_values_without_a_name_get_one_and_names_do_not_collide():
    def step(x, state, U, p, gate):
        h, c, i = state
        f = sigmoid(x.f + U.f(h))
        i = gate.i(f / (f + relu(x.i)), "write")
        shared = h * c + i * c
        c = normalize(shared) - shared
        return x.h * c + h, c, i

    cell = Odd(step, ("h", "c", "i"))
    assert [line.left for line in unicode(cell)] == [
        unicodedata.normalize("NFD", name) for name in ("f_t", "ĩ_t", "i_t", "h̃_t", "s_t", "c_t", "h_t")
    ]
    check_equations(cell)


def test_one_value_with_two_names_has_two_lines():
    def step(x, state, U, p, gate):
        z = gate.z(sigmoid(x.a + U.a(state[0])), "keep")
        return z * state[0], z

    assert text_of(Odd(step, ("h", "last"))).splitlines()[1] in ("last_t = z_t", "h_t = z_t ⊙ h_{t-1}")
    check_equations(Odd(step, ("h", "last")))


@pytest.mark.parametrize("seed", range(40))
def test_drawn_equations_are_the_step(seed):
    def step(x, state, U, p, gate):
        draw, blocks = random.Random(seed), iter("abcdefghklmnoqrstuvwyz")

        def grown(depth):
            if depth == 0:
                name = next(blocks, None)
                leaf = draw.choice(["state", "input", "vector"]) if name else "state"
                return {
                    "state": lambda: draw.choice(state),
                    "input": lambda: getattr(x, name),
                    "vector": lambda: getattr(p, name) * draw.choice(state),
                }[leaf]()
            one = grown(depth - 1)
            match draw.randrange(9):
                case 0:
                    return -one
                case 1:
                    return draw.choice([sigmoid, tanh, relu, normalize])(one)
                case 2:
                    return draw.choice([1, -2, 0.5]) * one
                case 3:
                    return one / (1.5 + sigmoid(grown(depth - 1)))
                case 4 if (name := next(blocks, None)) is not None:
                    return getattr(U, name)(one)
                case 5 | 6:
                    return one * grown(depth - 1)
                case 7:
                    return one + grown(depth - 1)
                case _:
                    return draw.choice([one, 1 - one]) - one * grown(depth - 1)

        return grown(4) + x.x, grown(3)

    check_equations(Odd(step, ("h", "c"), bias=seed % 3 > 0))


def test_products_are_named_with_what_they_multiply():
    cell = make_cell(every_cell()["gru-before"])
    assert products(cell) == [["[U_r, U_z] h_{t-1}"], ["[U_n] (r_t ⊙ h_{t-1})"]]
