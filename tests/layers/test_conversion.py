"""Weights from and to torch.nn, against the real modules; from and to Keras, against its documented equations."""

import numpy as np
import pytest
import torch
from cells.variants import every_cell
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import rnncli
from rnncli.cells import make_cell
from rnncli.errors import UserError
from rnncli.layers.conversion import from_keras, from_torch, load_keras, load_torch, to_keras, to_torch
from rnncli.layers.recurrent import Stack
from rnncli.sequences import Padded

INPUT, HIDDEN, LENGTHS = 3, 4, [5, 1, 7, 2, 6]
CELLS = every_cell(HIDDEN)
TWINS = [name for name, settings in CELLS.items() if make_cell(settings).twin() is not None]
WITHOUT_TWIN = [name for name in CELLS if name not in TWINS]
IN_KERAS = [*TWINS, "gru-before", "rnn-identity"]
MODULES = {
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
    "RNN tanh": nn.RNN,
    "RNN relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
}


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(3)


def stack_of(name, layers=2, bidirectional=True):
    """A stack whose parameters are all random, those too that start at a constant."""
    stack = Stack(CELLS[name], INPUT, layers=layers, bidirectional=bidirectional).double()
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return stack


def assert_same(stack, module):
    """Outputs and final states of both are equal, from random states over sequences of unequal length."""
    values = torch.randn(len(LENGTHS), max(LENGTHS), INPUT, dtype=torch.float64)
    start = torch.randn(2, len(stack.weights), len(LENGTHS), HIDDEN, dtype=torch.float64)
    memory = isinstance(module, nn.LSTM)
    state = tuple(tuple(each[place] for each in start[: 1 + memory]) for place in range(len(stack.weights)))
    outputs, final = stack(Padded(values, torch.tensor(LENGTHS)), state, final_state=True)
    packed = pack_padded_sequence(
        values if module.batch_first else values.transpose(0, 1), LENGTHS, module.batch_first, enforce_sorted=False
    )
    theirs, last = module(packed, (start[0], start[1]) if memory else start[0])
    theirs, _ = pad_packed_sequence(theirs, batch_first=True)
    torch.testing.assert_close(outputs.values, theirs)
    last = last if memory else (last,)
    torch.testing.assert_close([torch.stack(each) for each in zip(*final, strict=True)], list(last))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("kind", list(MODULES))
def test_a_module_of_torch_becomes_a_stack_that_computes_the_same(kind, bidirectional, bias):
    module = MODULES[kind](INPUT, HIDDEN, 2, bidirectional=bidirectional, bias=bias, dropout=0.25).double().eval()
    stack = from_torch(module)
    assert_same(stack, module)
    assert (stack.dropout.between_layers, stack.training) == (0.25, False)
    back = to_torch(stack).state_dict()
    for name, values in module.state_dict().items():
        if "weight" in name:
            torch.testing.assert_close(back[name], values, rtol=0, atol=0)
        elif "bias_ih" in name:
            second = name.replace("_ih", "_hh")
            torch.testing.assert_close(back[name] + back[second], values + module.state_dict()[second])


@pytest.mark.parametrize("name", TWINS)
def test_a_stack_becomes_a_module_of_torch_and_the_same_stack_again(name):
    stack = stack_of(name)
    module = to_torch(stack)
    assert_same(stack, module)
    again = stack_of(name)
    load_torch(again, module)
    torch.testing.assert_close(again.state_dict(), stack.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("name", WITHOUT_TWIN)
def test_a_cell_without_a_module_is_refused(name):
    with pytest.raises(UserError, match=f"torch.nn has no module for {CELLS[name].type}"):
        to_torch(stack_of(name))


def test_what_does_not_fit_a_module_is_refused():
    stack = stack_of("lstm")
    with pytest.raises(UserError, match=r"the module is an nn.RNN with tanh; the cell lstm needs an nn.LSTM"):
        load_torch(stack, nn.RNN(INPUT, HIDDEN, 2, bidirectional=True))
    for name, sizes in {"input_size": (5, HIDDEN), "hidden_size": (INPUT, 5), "num_layers": (INPUT, HIDDEN, 3)}.items():
        with pytest.raises(
            UserError, match=f"{name} of the module is {sizes[-1] if len(sizes) == 3 else 5}; the stack"
        ):
            load_torch(stack, nn.LSTM(*sizes, **({} if len(sizes) == 3 else {"num_layers": 2}), bidirectional=True))
    with pytest.raises(UserError, match="bidirectional of the module is False; the stack needs True"):
        load_torch(stack, nn.LSTM(INPUT, HIDDEN, 2))
    with pytest.raises(UserError, match="proj_size 2"):
        from_torch(nn.LSTM(INPUT, HIDDEN, proj_size=2))
    with pytest.raises(UserError, match=r"LSTMCell is no nn.LSTM"):
        from_torch(nn.LSTMCell(INPUT, HIDDEN))
    with pytest.raises(UserError, match="l1_reverse of the module: gate f is not always open"):
        module = to_torch(stack_of("lstm_f"))
        with torch.no_grad():
            module.bias_ih_l1_reverse[HIDDEN + 1] = 2
        load_torch(stack_of("lstm_f"), module)


def test_what_the_layers_of_others_do_not_have_is_refused():
    connected = Stack(CELLS["lstm"], INPUT, layers=2, connections="residual")
    learned = Stack(CELLS["lstm"], INPUT, learned_initial_state=True)
    for convert in (to_torch, to_keras):
        with pytest.raises(UserError, match="the stack has connections"):
            convert(connected)
        with pytest.raises(UserError, match="has learned its state"):
            convert(learned)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def keras_layer(kind, arrays, x, state, **options):
    """One direction of a layer as keras.io and the docstrings of Keras 3 have it: outputs of (time, units), state."""
    kernel, recurrent = arrays[:2]
    units = len(recurrent)
    bias = arrays[2] if len(arrays) > 2 else np.zeros(kernel.shape[1])
    outputs = []
    for inputs in x:
        h = state[0]
        if kind == "LSTM":
            i, f, c, o = np.split(inputs @ kernel + h @ recurrent + bias, 4)
            carry = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(c)
            state = sigmoid(o) * np.tanh(carry), carry
        elif kind == "GRU":
            second = np.zeros(3 * units)
            first = bias
            if options["reset_after"]:
                first, second = bias if bias.ndim == 2 else (bias, second)
            x_z, x_r, x_h = np.split(inputs @ kernel + first, 3)
            z = sigmoid(x_z + h @ recurrent[:, :units] + second[:units])
            r = sigmoid(x_r + h @ recurrent[:, units : 2 * units] + second[units : 2 * units])
            if options["reset_after"]:
                hh = np.tanh(x_h + r * (h @ recurrent[:, 2 * units :] + second[2 * units :]))
            else:
                hh = np.tanh(x_h + (r * h) @ recurrent[:, 2 * units :])
            state = (z * h + (1 - z) * hh,)
        else:
            a = inputs @ kernel + h @ recurrent + bias
            state = (
                {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "identity": lambda a: a}[options["activation"]](
                    a
                ),
            )
        outputs.append(state[0])
    return np.stack(outputs), state


def keras_layers(kind, layers, x, states, bidirectional, **options):
    """Layers on one another, the outputs of both directions side by side: outputs, and states in our order."""
    final = []
    for number, arrays in enumerate(layers):
        ways = np.split(np.arange(len(arrays)), 2) if bidirectional else [np.arange(len(arrays))]
        outputs = []
        for backward, places in enumerate(ways):
            start = states[number * len(ways) + backward]
            made, last = keras_layer(kind, [arrays[k] for k in places], x[::-1] if backward else x, start, **options)
            outputs.append(made[::-1] if backward else made)
            final.append(last)
        x = np.concatenate(outputs, axis=1)
    return x, final


def assert_same_in_keras(stack, layers, kind, **options):
    """Outputs and final states of both are equal, from random states over sequences of unequal length."""
    values = torch.randn(len(LENGTHS), max(LENGTHS), INPUT, dtype=torch.float64)
    state = tuple(tuple(torch.randn_like(each) for each in w.zero_state(len(LENGTHS))) for w in stack.weights)
    outputs, final = stack(Padded(values, torch.tensor(LENGTHS)), state, final_state=True)
    for row, length in enumerate(LENGTHS):
        start = [tuple(each[row].numpy() for each in cell) for cell in state]
        x = values[row, :length].numpy()
        theirs, last = keras_layers(kind, layers, x, start, stack.directions == 2, **options)
        torch.testing.assert_close(outputs.values[row, :length], torch.as_tensor(theirs))
        torch.testing.assert_close([[each[row] for each in cell] for cell in final],
                                   [[torch.as_tensor(each) for each in cell] for cell in last])  # fmt: skip


KERAS = {
    "LSTM": ("LSTM", 4, (4 * HIDDEN,), {}),
    "GRU after": ("GRU", 3, (2, 3 * HIDDEN), {"reset_after": True}),
    "GRU before": ("GRU", 3, (3 * HIDDEN,), {"reset_after": False}),
    "SimpleRNN tanh": ("SimpleRNN", 1, (HIDDEN,), {"activation": "tanh"}),
    "SimpleRNN relu": ("SimpleRNN", 1, (HIDDEN,), {"activation": "relu"}),
    "SimpleRNN linear": ("SimpleRNN", 1, (HIDDEN,), {"activation": "identity"}),
}
"""Of each layer its kind, its number of blocks, the shape of its bias, and its options."""


def drawn_arrays(name, bidirectional=True, bias=True):
    """The random weights of two layers."""
    _, blocks, bias_shape, _ = KERAS[name]
    draw = np.random.default_rng(5)
    layers, inputs = [], INPUT
    for _ in range(2):
        shapes = [(inputs, blocks * HIDDEN), (HIDDEN, blocks * HIDDEN), bias_shape][: 2 + bias]
        layers.append([draw.normal(size=shape, scale=0.5) for _ in range(1 + bidirectional) for shape in shapes])
        inputs = HIDDEN * (1 + bidirectional)
    return layers


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("name", list(KERAS))
def test_layers_of_keras_become_a_stack_that_computes_the_same(name, bidirectional):
    kind, _, _, options = KERAS[name]
    layers = drawn_arrays(name, bidirectional)
    stack = from_keras(layers, **{key: value for key, value in options.items() if key == "activation"})
    assert next(stack.parameters()).dtype == torch.float64
    assert_same_in_keras(stack, layers, kind, **options)
    again = to_keras(stack)
    for arrays, theirs in zip(again, layers, strict=True):
        for ours, array in zip(arrays, theirs, strict=True):
            assert ours.shape == array.shape
            if array.shape[0] != 2:  # of two biases the sum stands in the first
                np.testing.assert_array_equal(ours, array)
    assert_same_in_keras(stack, again, kind, **options)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("name", list(KERAS))
def test_layers_of_keras_without_biases(name, bidirectional):
    kind, _, _, options = KERAS[name]
    layers = drawn_arrays(name, bidirectional, bias=False)
    cell = {"LSTM": "lstm", "GRU after": "gru-after", "GRU before": "gru-before"}.get(
        name, f"rnn-{options.get('activation')}"
    )
    stack = stack_of(cell, bidirectional=bidirectional)
    load_keras(stack, layers)
    assert_same_in_keras(stack, layers, kind, **options)


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("name", IN_KERAS)
def test_a_stack_becomes_layers_of_keras_and_the_same_stack_again(name, bidirectional):
    stack = stack_of(name, bidirectional=bidirectional)
    layers = to_keras(stack)
    blocks = layers[0][1].shape[1] // HIDDEN
    activation = {"rnn-tanh": "tanh", "rnn-identity": "identity"}.get(name, "relu")
    options = {4: {}, 3: {"reset_after": name == "gru-after"}, 1: {"activation": activation}}[blocks]
    assert_same_in_keras(stack, layers, {4: "LSTM", 3: "GRU", 1: "SimpleRNN"}[blocks], **options)
    again = stack_of(name, bidirectional=bidirectional)
    load_keras(again, layers)
    torch.testing.assert_close(again.state_dict(), stack.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("name", [name for name in CELLS if name not in IN_KERAS])
def test_a_cell_that_keras_has_not_is_refused(name):
    with pytest.raises(UserError, match=f"Keras has no counterpart of the cell {CELLS[name].type}"):
        to_keras(stack_of(name))


def test_arrays_that_do_not_fit_are_refused():
    layers, stack = drawn_arrays("LSTM"), stack_of("lstm")
    for wrong, message in (
        (layers[0], "a list with the get_weights"),
        (layers[:1], "weights of 1 layers; the stack has 2"),
        ([layers[0], layers[1][:5]], "layer 1 has 5 arrays; both directions have 6"),
        ([layers[0], [*layers[1][:4], layers[1][4][:, 1:], layers[1][5]]],
         r"the recurrent kernel of layer 1 backward is \(4, 15\); the stack needs \(4, 16\)"),
        ([layers[1], layers[1]], r"the kernel of layer 0 is \(8, 16\); the stack needs \(3, 16\)"),
        ([layers[0], [*layers[1][:2], layers[1][2].reshape(1, -1), *layers[1][3:]]],
         r"the bias of layer 1 is \(1, 16\); the stack needs \(16,\)"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=message):
            load_keras(stack, wrong)
    for wrong, message in (
        ([[layers[0][2]]], "layer 0 has arrays of shapes"),
        ([[layers[0][0][:, :8], layers[0][1][:, :8]]], r"layer 0 is \(4, 8\); LSTM has"),
        (drawn_arrays("GRU after", bias=False), "does not show its reset_after"),
    ):
        with pytest.raises(UserError, match=message):
            from_keras(wrong)
    with pytest.raises(UserError, match="activation relu is for SimpleRNN"):
        from_keras(layers, activation="relu")


def test_the_conversions_stand_at_the_door_of_the_package():
    for convert in (from_keras, from_torch, load_keras, load_torch, to_keras, to_torch):
        assert getattr(rnncli, convert.__name__) is convert
    with pytest.raises(AttributeError, match="no attribute 'from_jax'"):
        rnncli.from_jax  # noqa: B018
