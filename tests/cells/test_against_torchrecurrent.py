"""Cells against those of torchrecurrent, an independent implementation, with the same parameters."""

from typing import NamedTuple

import pytest
import torch

from cells.variants import every_cell
from rnncli.cells import make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine
from rnncli.sequences import Padded

torchrecurrent = pytest.importorskip("torchrecurrent")

BATCH, TIME, INPUT, HIDDEN = 3, 6, 5, 4


class Theirs(NamedTuple):
    """A cell of torchrecurrent and where our parameters go.

    Attributes:
        name: its class.
        inputs: our input blocks in the order of its weight_ih and bias_ih; "raw" where it has a matrix before the x
            that ours takes as it is.
        recurrent: our recurrent blocks in the order of its weight_hh.
        vectors: the name of a vector of it, and ours in its order; else our vectors go into its bias_hh, which has the
            order of weight_hh.
        options: what it is made with.
    """

    name: str
    inputs: tuple[str, ...]
    recurrent: tuple[str, ...]
    vectors: tuple[str, tuple[str, ...]] | None = None
    options: dict[str, str] | None = None


PEEPHOLES = ("weight_ph", ("i", "f", "o"))
SAME = {
    "mut1": Theirs("MUT1Cell", ("z", "r", "raw"), ("r", "n")),
    "mut2": Theirs("MUT2Cell", ("z", "raw", "n"), ("z", "r", "n")),
    "mut3": Theirs("MUT3Cell", ("z", "r", "n"), ("z", "r", "n")),
    "mgu": Theirs("MGUCell", ("f", "n"), ("f", "n")),
    "indrnn-relu": Theirs("IndRNNCell", ("a",), (), ("vector_u", ("a",)), {"nonlinearity": "relu"}),
    "indrnn-tanh": Theirs("IndRNNCell", ("a",), (), ("vector_u", ("a",)), {"nonlinearity": "tanh"}),
    "janet": Theirs("JANETCell", ("f", "g"), ("f", "g")),
    "ugrnn": Theirs("UGRNNCell", ("c", "g"), ("c", "g")),
    "peephole_lstm-diagonal": Theirs("PeepholeLSTMCell", ("i", "f", "g", "o"), ("i", "f", "g", "o"), PEEPHOLES),
    "lstm_vanilla": Theirs("PeepholeLSTMCell", ("i", "f", "g", "o"), ("i", "f", "g", "o"), PEEPHOLES),
    "lstm_f": Theirs("OriginalLSTMCell", ("i", "g", "o"), ("i", "g", "o")),
}


def filled(theirs: Theirs, ours: CellWeights) -> torch.nn.Module:
    """Their cell with our parameters, and zeros where ours has none."""
    graph, zeros = ours.cell.graph, torch.zeros(HIDDEN, dtype=torch.float64)
    projection = torch.eye(INPUT, dtype=torch.float64) if ours.projection is None else ours.projection
    matrices = dict(zip(graph.inputs, ours.weight_ih.split(HIDDEN), strict=True)) | {"raw": torch.eye(HIDDEN).double()}
    biases = dict(zip(graph.inputs, ours.bias.split(HIDDEN), strict=True))
    recurrent = dict(zip(graph.recurrent, ours.weight_hh.reshape(-1, HIDDEN, HIDDEN), strict=True))
    vectors, order = theirs.vectors or ("bias_hh", theirs.recurrent)
    given = {
        "weight_ih": [matrices[block] @ projection for block in theirs.inputs],
        "bias_ih": [biases.get(block, zeros) for block in theirs.inputs],
        "weight_hh": [recurrent[block] for block in theirs.recurrent],
        vectors: [ours.vectors.get(block, zeros) for block in order],
    }
    module = getattr(torchrecurrent, theirs.name)(INPUT, HIDDEN, **(theirs.options or {})).double()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name in given:
                parameter.copy_(torch.cat(given[name]))
            elif name == "bias_hh":  # added to bias_ih, which takes all of ours
                parameter.zero_()
    return module


@pytest.mark.parametrize("name", list(SAME))
def test_outputs_are_those_of_torchrecurrent(name):
    torch.manual_seed(6)
    weights = CellWeights(make_cell(every_cell(HIDDEN)[name]), INPUT).double().requires_grad_(False)
    for parameter in weights.parameters():
        parameter.normal_()
    values = torch.randn(BATCH, TIME, INPUT, dtype=torch.float64)
    state = tuple(torch.randn(BATCH, HIDDEN, dtype=torch.float64) for _ in weights.cell.states)
    outputs, _ = LoopEngine().run(weights, Padded(values, torch.full((BATCH,), TIME)), state)

    module = filled(SAME[name], weights)
    two_states = name == "janet" or len(state) == 2  # a JANET's memory is its output; theirs holds it twice
    theirs = (*state, *state)[:2] if two_states else state[0]
    for t in range(TIME):
        theirs = module(values[:, t], theirs)
        torch.testing.assert_close(outputs.values[:, t], theirs[0] if two_states else theirs)
