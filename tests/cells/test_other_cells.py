"""Cells whose one state is their output, against the equations of their papers in numpy."""

from functools import partial

import numpy as np
import pytest
import torch

from cells.variants import every_cell
from rnncli.cells import CELLS, make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import Recording
from rnncli.engines.loop import LoopEngine
from rnncli.sequences import Padded

BATCH, TIME, INPUT, HIDDEN = 3, 3, 5, 4


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def relu(v):
    return np.maximum(v, 0)


def identity(v):
    return v


# Each gives the new state, and the gates by name and role. W("r", x) and U("r", h) are products with the matrix r.


def rnn(x, h, W, U, b, p, f):
    return f(W("a", x) + U("a", h) + b["a"]), {}


def gru(x, h, W, U, b, p, reset):
    r = sigmoid(W("r", x) + U("r", h) + b["r"])
    z = sigmoid(W("z", x) + U("z", h) + b["z"])
    recurrent = r * (U("n", h) + p["hn"]) if reset == "after" else U("n", r * h)
    return (1 - z) * np.tanh(W("n", x) + b["n"] + recurrent) + z * h, {("r", "read"): r, ("z", "keep"): z}


def gru_slide(x, h, W, U, b, p):
    r = sigmoid(W("r", x) + U("r", h))
    z = sigmoid(W("z", x) + U("z", h))
    candidate = np.tanh(W("n", x) + U("n", r * h))
    return (1 - z) * h + z * candidate, {("r", "read"): r, ("z", "write"): z}


def mut1(x, h, W, U, b, p):
    z = sigmoid(W("z", x) + b["z"])
    r = sigmoid(W("r", x) + U("r", h) + b["r"])
    new = np.tanh(U("n", r * h) + np.tanh(x) + p["n"])
    return new * z + h * (1 - z), {("r", "read"): r, ("z", "write"): z}


def mut2(x, h, W, U, b, p):
    z = sigmoid(W("z", x) + U("z", h) + b["z"])
    r = sigmoid(x + U("r", h) + p["r"])
    new = np.tanh(U("n", r * h) + W("n", x) + b["n"])
    return new * z + h * (1 - z), {("r", "read"): r, ("z", "write"): z}


def mut3(x, h, W, U, b, p):
    z = sigmoid(W("z", x) + U("z", np.tanh(h)) + b["z"])
    r = sigmoid(W("r", x) + U("r", h) + b["r"])
    new = np.tanh(U("n", r * h) + W("n", x) + b["n"])
    return new * z + h * (1 - z), {("r", "read"): r, ("z", "write"): z}


def mgu(x, h, W, U, b, p):
    f = sigmoid(W("f", x) + U("f", h) + b["f"])
    return (1 - f) * h + f * np.tanh(W("n", x) + U("n", f * h) + b["n"]), {("f", "write"): f}


def indrnn(x, h, W, U, b, p, f):
    return f(W("a", x) + b["a"] + p["a"] * h), {}


def janet(x, h, W, U, b, p, beta):
    s = W("f", x) + U("f", h) + b["f"]
    candidate = np.tanh(W("g", x) + U("g", h) + b["g"])
    keep, write = sigmoid(s), 1 - sigmoid(s - beta)
    return keep * h + write * candidate, {("f", "keep"): keep, ("i", "write"): write}


def ugrnn(x, h, W, U, b, p):
    g = sigmoid(W("g", x) + U("g", h) + b["g"])
    return g * h + (1 - g) * np.tanh(W("c", x) + U("c", h) + b["c"]), {("g", "keep"): g}


def rhn(x, s, W, U, b, p, depth):
    gates = {}
    for layer in ["", "2", "3", "4"][:depth]:
        h, t = U("h" + layer, s), U("t" + layer, s)
        h, t = (h + p["h" + layer], t + p["t" + layer]) if layer else (h + W("h", x) + b["h"], t + W("t", x) + b["t"])
        h, t = np.tanh(h), sigmoid(t)
        s = h * t + s * (1 - t)
        gates["t" + layer, "write"] = t
    return s, gates


def min_gru(x, h, W, U, b, p):
    z = sigmoid(W("z", x) + b["z"])
    return (1 - z) * h + z * (W("n", x) + b["n"]), {("z", "write"): z}


def min_lstm(x, h, W, U, b, p):
    f, i = sigmoid(W("f", x) + b["f"]), sigmoid(W("i", x) + b["i"])
    f, i = f / (f + i), i / (f + i)
    return f * h + i * (W("g", x) + b["g"]), {("f", "keep"): f, ("i", "write"): i}


EQUATIONS = {
    "rnn-tanh": partial(rnn, f=np.tanh),
    "rnn-relu": partial(rnn, f=relu),
    "rnn-identity": partial(rnn, f=identity),
    "irnn": partial(rnn, f=relu),
    "gru-after": partial(gru, reset="after"),
    "gru-before": partial(gru, reset="before"),
    "gru_slide": gru_slide,
    "mut1": mut1,
    "mut2": mut2,
    "mut3": mut3,
    "mgu": mgu,
    "indrnn-relu": partial(indrnn, f=relu),
    "indrnn-tanh": partial(indrnn, f=np.tanh),
    "janet": partial(janet, beta=1),
    "ugrnn": ugrnn,
    "rhn": partial(rhn, depth=3),
    "min_gru": min_gru,
    "min_lstm": min_lstm,
}
OTHER_CELLS = {name: settings for name, settings in every_cell(HIDDEN).items() if make_cell(settings).states == ("h",)}
CASES = [pytest.param(OTHER_CELLS[name], equations, id=name) for name, equations in EQUATIONS.items()] + [
    pytest.param(OTHER_CELLS[name].model_copy(update=options), equations, id=f"{name} {options}")
    for name, options, equations in [
        ("janet", {"beta": 0.3}, partial(janet, beta=0.3)),
        ("rhn", {"depth": 1}, partial(rhn, depth=1)),
        ("rhn", {"depth": 4}, partial(rhn, depth=4)),
    ]
]


def test_every_cell_whose_one_state_is_its_output_has_its_equations_here():
    assert set(OTHER_CELLS) == set(EQUATIONS)


@pytest.mark.parametrize(("settings", "equations"), CASES)
def test_a_sequence_is_that_of_the_papers_equations(settings, equations):
    torch.manual_seed(4)
    cell = make_cell(settings)
    weights = CellWeights(cell, INPUT).double().requires_grad_(False)
    for parameter in weights.parameters():
        parameter.normal_()
    values = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    h = torch.randn(BATCH, HIDDEN, dtype=torch.float64)
    recorded = {gate.name: torch.zeros(BATCH, TIME, HIDDEN, dtype=torch.float64) for gate in cell.graph.gates}
    outputs, final = LoopEngine().run(
        weights, Padded(values, torch.full((BATCH,), TIME)), (h,), recording=Recording(recorded), final_state=True
    )

    W = dict(
        zip(cell.graph.inputs, weights.weight_ih.numpy().reshape(-1, HIDDEN, weights.weight_ih.shape[1]), strict=True)
    )
    U = dict(zip(cell.graph.recurrent, weights.weight_hh.numpy().reshape(-1, HIDDEN, HIDDEN), strict=True))
    b = (
        {}
        if weights.bias is None
        else dict(zip(cell.graph.inputs, weights.bias.numpy().reshape(-1, HIDDEN), strict=True))
    )
    p = {name: vector.numpy() for name, vector in weights.vectors.items()}
    inputs, h = values.numpy(), h.numpy()
    if weights.projection is not None:
        inputs = inputs @ weights.projection.numpy().T
    for t in range(TIME):
        h, gates = equations(inputs[:, t], h, lambda k, v: v @ W[k].T, lambda k, v: v @ U[k].T, b, p)
        np.testing.assert_allclose(outputs.values[:, t].numpy(), h, rtol=1e-10, atol=1e-12)
        assert {(gate.name, gate.role) for gate in cell.graph.gates} == set(gates)
        for (name, _), value in gates.items():
            np.testing.assert_allclose(recorded[name][:, t].numpy(), value, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(final[0].numpy(), h, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "squares", "singles"),
    [
        ("rnn-tanh", 2, 1),  # the first and the next five: Jozefowicz et al. 2015, of one layer where x is as wide as h
        ("gru-before", 6, 3),
        ("mut1", 4, 3),
        ("mut2", 5, 3),
        ("mut3", 6, 3),
        ("irnn", 2, 1),
        ("gru_slide", 6, 0),
        ("mgu", 4, 2),
        ("indrnn-relu", 1, 2),
        ("janet", 4, 2),
        ("ugrnn", 4, 2),
        ("rhn", 8, 6),
        ("min_gru", 2, 2),
        ("min_lstm", 3, 3),
    ],
)
def test_count_of_parameters(name, squares, singles):
    weights = CellWeights(make_cell(every_cell(7)[name]), 7)
    assert sum(parameter.numel() for parameter in weights.parameters()) == squares * 7**2 + singles * 7


def started(name, input_size=50, **options):
    torch.manual_seed(5)
    return CellWeights(make_cell(CELLS[name].settings_type(type=name, hidden_size=64, **options)), input_size)


def test_irnn_starts_at_a_multiple_of_the_identity_with_small_input_weights():
    for scale in (1.0, 0.01):
        weights = started("irnn", scale=scale)
        torch.testing.assert_close(weights.weight_hh.detach(), scale * torch.eye(64))
        assert not weights.bias.any()
        assert weights.weight_ih.std().item() == pytest.approx(0.001, rel=0.05)
        assert weights.weight_ih.abs().max() > 0.003  # uniform numbers of that deviation end at 0.0017


def test_the_transform_gates_of_an_rhn_start_closed_at_every_depth():
    weights = started("rhn", depth=3, transform_bias=-1.5)
    closed = torch.full((64,), -1.5)
    torch.testing.assert_close(weights.bias[64:].detach(), closed)
    torch.testing.assert_close(weights.vectors["t2"].detach(), closed)
    torch.testing.assert_close(weights.vectors["t3"].detach(), closed)
    for rest in (weights.bias[:64], weights.vectors["h2"], weights.vectors["h3"]):
        assert 0.1 < rest.abs().max() <= 1 / 8


def test_the_biases_of_a_janet_start_at_1_for_the_forget_gate_and_else_at_0():
    torch.testing.assert_close(started("janet").bias.detach(), torch.tensor([1.0] * 64 + [0.0] * 64))


def test_the_recurrent_vector_of_an_indrnn_starts_between_0_and_1():
    vector = started("indrnn").vectors["a"]
    assert 0 <= vector.min() < 0.1
    assert 0.9 < vector.max() <= 1
