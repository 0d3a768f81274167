"""Connections around layers, against layers run one by one."""

import pytest
import torch
from cells.variants import every_cell
from torch import nn

from rnncli.errors import ConfigError
from rnncli.layers.recurrent import Stack
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

HIDDEN = 4
LENGTHS = torch.tensor([5, 1, 7, 2, 6])


def drawn(features):
    torch.manual_seed(1)
    return Padded(torch.randn(5, 7, features), LENGTHS)


def by_hand(stack, name, inputs):
    """What the layers give one by one, joined as the papers say."""
    current = inputs.values * inputs.mask.unsqueeze(2)
    for layer in range(len(stack.weights) // stack.directions):
        alone = Stack(stack.cell.settings, current.shape[2], bidirectional=stack.directions == 2)
        places = stack.weights[layer * stack.directions : (layer + 1) * stack.directions]
        alone.weights.load_state_dict(places.state_dict())
        read, current = current, alone(inputs.with_values(current))[0].values
        if read.shape != current.shape:
            continue
        if name == "residual":
            current = current + read
        else:
            gate = stack.connections[str(layer)].gate
            t = torch.sigmoid(read @ gate.weight.t() + gate.bias)
            current = t * current + (1 - t) * read
    return current


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("agreeing", [False, True])
@pytest.mark.parametrize("name", ["residual", "highway"])
def test_a_connected_stack_is_its_layers_one_by_one(name, agreeing, bidirectional):
    size = HIDDEN * (1 + bidirectional)
    width = size if agreeing else 3
    stack = Stack(every_cell(HIDDEN)["lstm"], width, layers=3, bidirectional=bidirectional, connections=name)
    for parameter in stack.connections.parameters():
        nn.init.uniform_(parameter)
    inputs = drawn(width)
    outputs, _ = stack(inputs)
    torch.testing.assert_close(outputs.values, by_hand(stack, name, inputs))
    assert not outputs.values[~inputs.mask].any()
    assert list(stack.connections) == [str(layer) for layer in range(0 if agreeing else 1, 3)]
    outputs.values.sum().backward()
    assert all(parameter.grad is not None for parameter in stack.parameters())


def test_highway_gates_start_nearer_to_carrying():
    stack = Stack(every_cell(HIDDEN)["gru-after"], 3, layers=2, connections="highway")
    assert (stack.connections["1"].gate.bias == -1).all()


@pytest.mark.parametrize("name", ["residual", "highway"])
def test_a_single_layer_is_connected_where_sizes_agree_and_refused_where_not(name):
    cell = every_cell(HIDDEN)["lstm"]
    inputs = drawn(HIDDEN)
    stack = Stack(cell, HIDDEN, connections=name)
    torch.testing.assert_close(stack(inputs)[0].values, by_hand(stack, name, inputs))
    with pytest.raises(ConfigError, match=r"^model.connections: .* another size \(3\) than its output \(4\)"):
        Stack(cell, 3, connections=name)


def test_what_passes_by_a_layer_is_not_dropped():
    cell = every_cell(HIDDEN)["rnn-identity"]
    stack = Stack(cell, HIDDEN, connections="residual", dropout=DropoutSettings(variational=0.25))
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.zero_()
        stack.weights[0].weight_ih.copy_(torch.eye(HIDDEN))
    inputs = Padded(torch.ones(50, 7, HIDDEN), torch.full((50,), 7))
    torch.testing.assert_close(stack(inputs)[0].values.unique(), torch.tensor([1.0, 1 + 4 / 3]))


def test_connections_change_no_other_parameter_and_no_name():
    made = {}
    for name in ("none", "residual", "highway"):
        torch.manual_seed(3)
        made[name] = Stack(every_cell(HIDDEN)["lstm"], 3, layers=2, connections=name).state_dict()
    plain = [f"weights.{place}.{parameter}" for place in (0, 1) for parameter in ("weight_ih", "weight_hh", "bias")]
    assert list(made["none"]) == list(made["residual"]) == plain
    assert list(made["highway"]) == [*plain, "connections.1.gate.weight", "connections.1.gate.bias"]
    for parameter in plain:
        torch.testing.assert_close(made["none"][parameter], made["highway"][parameter], rtol=0, atol=0)
