"""Settings, parameters and single steps of the cells."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from cells.variants import TWINS, every_cell, twin
from rnncli.cells import CELLS, AnyCell, make_cell
from rnncli.cells.families.gru import GRUSettings
from rnncli.cells.families.lstm import LSTMSettings
from rnncli.cells.families.rnn import RNNSettings
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine


def test_settings_of_every_cell_are_known_without_torch():
    code = (
        "import sys, rnncli.cells, rnncli.engines.settings, rnncli.layers.settings\n"
        "assert list(rnncli.cells.CELLS), 'no cells'\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", list(CELLS))
def test_type_chooses_the_settings(name):
    settings = TypeAdapter(AnyCell).validate_python({"type": name, "hidden_size": 3})
    assert type(make_cell(settings)) is CELLS[name]
    assert make_cell(settings).hidden_size == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "lstn", "hidden_size": 3},
        {"type": "lstm", "hidden_size": 0},
        {"type": "lstm", "hidden_size": 3, "reset": "after"},
        {"type": "gru", "hidden_size": 3, "reset": "later"},
        {"type": "gru"},
    ],
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        TypeAdapter(AnyCell).validate_python(wrong)


@pytest.mark.parametrize("name", list(TWINS))
def test_parameters_are_laid_out_as_in_torch(name):
    weights = CellWeights(make_cell(every_cell()[name]), 3)
    module = twin(name, [weights])
    assert weights.weight_ih.shape == module.weight_ih_l0.shape
    assert weights.weight_hh.shape == module.weight_hh_l0.shape
    assert weights.bias.shape == module.bias_ih_l0.shape


@pytest.mark.parametrize("name", list(every_cell()))
def test_all_parameters_start_uniform_within_one_over_root_hidden(name):
    torch.manual_seed(0)
    weights = CellWeights(make_cell(every_cell(hidden_size=64)[name]), 50)
    for parameter in weights.parameters():
        assert parameter.abs().max() <= 1 / 8
        assert parameter.std().item() == pytest.approx(1 / 8 / 3**0.5, rel=0.25)
        assert parameter.abs().max() > 0.8 / 8


def test_forget_bias_is_added_to_the_forget_gate_alone():
    def bias(**options):
        torch.manual_seed(1)
        return CellWeights(make_cell(LSTMSettings(type="lstm", hidden_size=4, **options)), 3).bias.detach()

    difference = bias(forget_bias=1.5) - bias()
    torch.testing.assert_close(difference, torch.tensor([0.0] * 4 + [1.5] * 4 + [0.0] * 8))


def one_step(settings, x, *state):
    """The new state by the loop engine, with the parameters as numpy arrays for an equation written by hand."""
    torch.manual_seed(2)
    weights = CellWeights(make_cell(settings), x.shape[1]).double()
    with torch.no_grad():
        new = LoopEngine().step(weights, torch.from_numpy(x), tuple(map(torch.from_numpy, state)))
    blocks = len(weights.cell.graph.inputs)
    W, U = (np.split(w.detach().numpy(), blocks) for w in (weights.weight_ih, weights.weight_hh))
    return [each.numpy() for each in new], W, U, np.split(weights.bias.detach().numpy(), blocks)


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


@pytest.fixture
def drawn():
    generator = np.random.default_rng(3)
    return generator.normal(size=(2, 3)), generator.normal(size=(2, 4)), generator.normal(size=(2, 4))


def test_gru_that_resets_before_the_product_by_hand(drawn):
    x, h, _ = drawn
    (new,), (Wr, Wz, Wn), (Ur, Uz, Un), (br, bz, bn) = one_step(
        GRUSettings(type="gru", hidden_size=4, reset="before"), x, h
    )
    r = sigmoid(x @ Wr.T + h @ Ur.T + br)
    z = sigmoid(x @ Wz.T + h @ Uz.T + bz)
    np.testing.assert_allclose(new, z * h + (1 - z) * np.tanh(x @ Wn.T + (r * h) @ Un.T + bn), rtol=1e-12)


def test_lstm_by_hand(drawn):
    x, h, c = drawn
    (h_new, c_new), W, U, b = one_step(LSTMSettings(type="lstm", hidden_size=4), x, h, c)
    i, f, g, o = (x @ W[k].T + h @ U[k].T + b[k] for k in range(4))
    memory = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    np.testing.assert_allclose(c_new, memory, rtol=1e-12)
    np.testing.assert_allclose(h_new, sigmoid(o) * np.tanh(memory), rtol=1e-12)


@pytest.mark.parametrize(
    ("activation", "function"), [("tanh", np.tanh), ("relu", lambda v: np.maximum(v, 0)), ("identity", lambda v: v)]
)
def test_rnn_by_hand(drawn, activation, function):
    x, h, _ = drawn
    (new,), (W,), (U,), (b,) = one_step(RNNSettings(type="rnn", hidden_size=4, activation=activation), x, h)
    np.testing.assert_allclose(new, function(x @ W.T + h @ U.T + b), rtol=1e-12)
