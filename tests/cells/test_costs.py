"""Parameters and operations, counted in the graph, against tensors, torch's counter and figures worked out by hand."""

from __future__ import annotations

import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from cells.variants import every_cell
from rnncli.cells import CELLS, make_cell
from rnncli.cells.costs import count_as_formula, flops
from rnncli.cells.parameters import parameters
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine

EVERY = [(name, size) for name in every_cell() for size in (5, 7)]


@pytest.mark.parametrize(("name", "input_size"), EVERY)
def test_parameters_are_those_of_the_weights(name, input_size):
    weights = CellWeights(make_cell(every_cell(hidden_size=5)[name]), input_size)
    assert {each.name: each.shape for each in parameters(weights.cell, input_size)} == {
        name: tuple(parameter.shape) for name, parameter in weights.named_parameters()
    }


@pytest.mark.parametrize("name", list(every_cell()))
def test_blocks_stand_in_the_rows_in_the_order_of_the_graph(name):
    weights = CellWeights(make_cell(every_cell(hidden_size=5)[name]), 7)
    blocks, graph = weights.blocks(), weights.cell.graph
    for letter, names, whole in (
        ("W", graph.inputs, weights.weight_ih),
        ("U", graph.recurrent, weights.weight_hh),
        ("b", graph.inputs, weights.bias),
    ):
        for number, block in enumerate(names if whole is not None else ()):
            assert torch.equal(blocks.pop(f"{letter}_{block}"), whole[number * 5 : (number + 1) * 5])
    for vector in graph.vectors:
        assert torch.equal(blocks.pop(f"p_{vector}"), weights.vectors[vector])
    assert list(blocks) == ([] if weights.projection is None else ["P"])


@pytest.mark.parametrize(("name", "input_size"), EVERY)
def test_formula_gives_the_count(name, input_size):
    cell = make_cell(every_cell(hidden_size=5)[name])
    formula = count_as_formula(cell, input_size)
    terms = {"hi": 5 * input_size, "h²": 25, "h": 5}
    found = re.fullmatch(r"(\d*)(hi|h²|h)(?: \+ (\d*)(hi|h²|h))?(?: \+ (\d*)(hi|h²|h))?", formula)
    assert found, formula
    pairs = list(zip(found.groups()[::2], found.groups()[1::2], strict=True))
    counted = sum((int(number) if number else 1) * terms[term] for number, term in pairs if term)
    assert counted == sum(each.count for each in parameters(cell, input_size))


def test_formulas_of_known_cells():
    def formula(name, **options):
        return count_as_formula(make_cell(CELLS[name].settings_type(type=name, hidden_size=9, **options)), 9)

    assert formula("lstm") == "4hi + 4h² + 4h"
    assert formula("gru", reset="before") == "3hi + 3h² + 3h"
    assert formula("gru") == "3hi + 3h² + 4h"
    # Jozefowicz et al. 2015, where inputs are as large as the state
    assert formula("mut1") == "4h² + 3h"


@pytest.mark.parametrize(("name", "input_size"), EVERY)
def test_matrix_products_against_the_counter_of_torch(name, input_size):
    cell = make_cell(every_cell(hidden_size=5)[name])
    weights = CellWeights(cell, input_size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        LoopEngine().step(weights, torch.randn(3, input_size))
    cost = flops(cell, input_size)
    assert 3 * (cost.inputs + cost.recurrent) == counter.get_total_flops()


@pytest.mark.parametrize(
    ("name", "inputs", "recurrent", "a_unit"),
    [
        # 4 biases, 4 sums, 3 sigmoids, 2 tanh; f c, i g, their sum and o tanh(c)
        ("lstm", 2 * 20 * 3, 2 * 20 * 5, 4 + 4 + 3 + 2 + 4),
        # 3 biases; r and z: 2 sums, 2 sigmoids; + p, r *, + x, tanh; 1 - z and the mixture of 3
        ("gru-after", 2 * 15 * 3, 2 * 15 * 5, 3 + 4 + 4 + 4),
        # as before, r h in place of + p and r *
        ("gru-before", 2 * 15 * 3, 2 * 15 * 5, 3 + 4 + 3 + 4),
        # the same without biases
        ("gru_slide", 2 * 15 * 3, 2 * 15 * 5, 4 + 3 + 4),
        # as an LSTM, 4 biases with their sums on top, 2 normalizations and gains a block; the memory's, gain and shift
        ("layer_norm_lstm", 2 * 20 * 3, 2 * 20 * 5, 4 + 3 + 2 + 4 + 4 + 4 * 2 * (5 + 1) + 5 + 2),
    ],
)
def test_operations_by_hand(name, inputs, recurrent, a_unit):
    cost = flops(make_cell(every_cell(hidden_size=5)[name]), 3)
    assert (cost.inputs, cost.recurrent, cost.elementwise) == (inputs, recurrent, a_unit * 5)
    assert cost.total == inputs + recurrent + a_unit * 5
