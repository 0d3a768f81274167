"""Single steps of a stack, against whole sequences."""

import pytest
import torch
from cells.variants import every_cell
from torch import nn

from rnncli.errors import UserError
from rnncli.layers.recurrent import Stack
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=4)
OPTIONS = {
    "plain": {},
    "residual, zoneout": {"connections": "residual", "dropout": DropoutSettings(zoneout=0.2, recurrent=0.3)},
    "highway, learned": {
        "connections": "highway",
        "learned_initial_state": True,
        "dropout": DropoutSettings(weight=0.2, variational=0.1, between_layers=0.5),
    },
}


@pytest.mark.parametrize("options", list(OPTIONS))
@pytest.mark.parametrize("cell", list(CELLS))
def test_steps_one_by_one_are_the_whole_sequence(cell, options):
    torch.manual_seed(0)
    stack = Stack(CELLS[cell], 3, layers=2, **OPTIONS[options]).double().eval()
    for parameter in stack.initial.parameters():
        nn.init.normal_(parameter)
    inputs = Padded(torch.randn(5, 7, 3, dtype=torch.float64), torch.full((5,), 7))
    outputs, final = stack(inputs, final_state=True)
    state = None
    for t in range(7):
        output, state = stack.step(inputs.values[:, t], state)
        torch.testing.assert_close(output, outputs.values[:, t])
    torch.testing.assert_close(state, final)


def test_steps_in_both_directions_are_refused():
    stack = Stack(CELLS["lstm"], 3, bidirectional=True)
    with pytest.raises(UserError, match=r"model\.bidirectional"):
        stack.step(torch.randn(5, 3))
