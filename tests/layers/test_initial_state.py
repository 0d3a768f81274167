"""The learned state before the first step, against the same numbers given as a state."""

import pytest
import torch
from cells.variants import every_cell
from torch import nn

from rnncli.cells.families.lstm import LSTM, LSTMSettings
from rnncli.layers.recurrent import Stack
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=4)
LENGTHS = torch.tensor([5, 1, 7, 2, 6])


def made(cell, learned=True):
    torch.manual_seed(0)
    stack = Stack(CELLS[cell], 3, layers=2, bidirectional=True, learned_initial_state=learned).double()
    return stack, Padded(torch.randn(5, 7, 3, dtype=torch.float64), LENGTHS)


@pytest.mark.parametrize("cell", list(CELLS))
def test_it_starts_from_zeros(cell):
    results = [stack(inputs, final_state=True) for stack, inputs in (made(cell), made(cell, learned=False))]
    torch.testing.assert_close(*[(outputs.values, final) for outputs, final in results], rtol=0, atol=0)


@pytest.mark.parametrize("cell", list(CELLS))
def test_it_is_that_state_in_every_row_and_its_gradient_is_the_sum_over_rows(cell):
    stack, inputs = made(cell)
    for parameter in stack.initial.parameters():
        nn.init.normal_(parameter)
    given = tuple(
        tuple(each.detach().expand(5, -1).clone().requires_grad_() for each in learned) for learned in stack.initial
    )
    weights = torch.randn(5, 7, 8, dtype=torch.float64)
    learned_outputs, _ = stack(inputs)
    given_outputs, _ = stack(inputs, given)
    torch.testing.assert_close(learned_outputs.values, given_outputs.values)
    (learned_outputs.values * weights).sum().backward()
    (given_outputs.values * weights).sum().backward()
    assert any(each.grad.any() for state in given for each in state)
    for learned, state in zip(stack.initial, given, strict=True):
        for parameter, each in zip(learned, state, strict=True):
            torch.testing.assert_close(parameter.grad, each.grad.sum(0))


def test_a_state_that_is_given_takes_its_place():
    stack, inputs = made("lstm")
    zeros = tuple(weights.zero_state(5) for weights in stack.weights)
    before, _ = stack(inputs, zeros)
    for parameter in stack.initial.parameters():
        nn.init.normal_(parameter)
    torch.testing.assert_close(stack(inputs, zeros)[0].values, before.values, rtol=0, atol=0)
    assert not torch.allclose(stack(inputs)[0].values, before.values)


def test_states_may_have_any_name(monkeypatch):
    monkeypatch.setattr(LSTM, "states", ("h", "copy of c.1"))
    stack = Stack(LSTMSettings(type="lstm", hidden_size=4), 3, learned_initial_state=True, engine="loop")
    assert sum(parameter.numel() for parameter in stack.initial.parameters()) == 8
