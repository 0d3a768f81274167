"""Truncated backpropagation through time, against plain loops over rows and steps, and against whole runs."""

import pytest
import torch
from cells.variants import every_cell
from engines.test_engines import ALL, RUNS
from torch import nn

from rnncli.layers.recurrent import Stack
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=4)
LENGTHS = {"unequal": [5, 1, 7, 2, 6], "full": [7, 7, 7], "shorter than padded": [4, 6, 4]}
STEPS = [1, 2, 3, 5, 6]


def drawn(name, time=7):
    torch.manual_seed(1)
    values = torch.randn(len(LENGTHS[name]), time, 3, dtype=torch.float64, requires_grad=True)
    return Padded(values, torch.tensor(LENGTHS[name]))


def made(cell, **options):
    torch.manual_seed(0)
    stack = Stack(CELLS[cell], 3, layers=2, learned_initial_state=True, **options).double()
    for parameter in stack.initial.parameters():
        nn.init.normal_(parameter)
    return stack


def random_sum(tensors):
    generator = torch.Generator().manual_seed(9)
    return sum((each * torch.randn(each.shape, generator=generator, dtype=each.dtype)).sum() for each in tensors)


def gradients(stack, inputs, outputs, final):
    """Of a random function of outputs and final state, by the inputs and all parameters."""
    loss = random_sum([outputs, *(each for cell in final for each in cell)])
    return torch.autograd.grad(loss, [inputs.values, *stack.parameters()], materialize_grads=True)


def rnn(weights, x, h):
    return (torch.tanh(weights.weight_ih @ x + weights.weight_hh @ h + weights.bias),)


def lstm(weights, x, h, c):
    i, f, g, o = (weights.weight_ih @ x + weights.weight_hh @ h + weights.bias).chunk(4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def by_hand(equations, stack, inputs, steps):
    """Both layers step by step in each row, the states without history where as many steps are left as make pieces."""
    outputs, ends = torch.zeros(inputs.batch, inputs.time, 4, dtype=torch.float64), []
    for row, length in enumerate(inputs.lengths.tolist()):
        states = [tuple(learned) for learned in stack.initial]
        for t in range(length):
            if t and (length - t) % steps == 0:
                states = [tuple(each.detach() for each in state) for state in states]
            x = inputs.values[row, t]
            for layer, weights in enumerate(stack.weights):
                states[layer] = equations(weights, x, *states[layer])
                x = states[layer][0]
            outputs[row, t] = x
        ends.append(states)
    return outputs, tuple(
        tuple(torch.stack([states[layer][k] for states in ends]) for k in range(len(ends[0][layer])))
        for layer in range(2)
    )


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize(("cell", "equations"), [("rnn-tanh", rnn), ("lstm", lstm)])
@pytest.mark.parametrize("engine", ALL)
def test_gradients_are_those_of_a_loop_that_drops_the_history(engine, cell, equations, lengths, steps):
    stack, inputs = made(cell, engine=engine), drawn(lengths)
    outputs, final = stack(inputs, final_state=True, bptt_steps=steps)
    expected, ends = by_hand(equations, stack, inputs, steps)
    torch.testing.assert_close((outputs.values, final), (expected, ends))
    torch.testing.assert_close(
        gradients(stack, inputs, outputs.values, final), gradients(stack, inputs, expected, ends)
    )


@pytest.mark.parametrize("lengths", ["unequal", "full"])
@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_every_engine_cuts_where_the_loop_does_and_computes_what_is_not_cut(engine, cell, lengths):
    inputs, results = drawn(lengths), []
    for each in (engine, "loop"):
        stack = made(cell, engine=each)
        outputs, final = stack(inputs, final_state=True, bptt_steps=3)
        results.append((outputs.values, final, gradients(stack, inputs, outputs.values, final)))
    torch.testing.assert_close(*results)
    outputs, final = stack(inputs, final_state=True)
    torch.testing.assert_close(results[0][:2], (outputs.values, final))


@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize("engine", ALL)
def test_with_as_many_steps_as_the_longest_nothing_is_cut(engine, lengths):
    stack, inputs = made("gru-after", engine=engine), drawn(lengths)
    results = []
    for steps in (None, max(LENGTHS[lengths]), 100):
        outputs, final = stack(inputs, final_state=True, bptt_steps=steps)
        results.append((outputs.values, final, gradients(stack, inputs, outputs.values, final)))
    torch.testing.assert_close(results[1], results[0])
    torch.testing.assert_close(results[2], results[0])


@pytest.mark.parametrize("cell", list(CELLS))
def test_gradients_are_whole_within_the_piece_of_a_step_and_zero_before(cell):
    stack, inputs = made(cell), drawn("unequal")
    whole, _ = stack(inputs)
    cut, _ = stack(inputs, bptt_steps=3)
    for row, length in enumerate(LENGTHS["unequal"]):
        for t in range(length):
            begin = max(0, length - 3 * ((length - 1 - t) // 3 + 1))
            found, expected = (
                torch.autograd.grad(each.values[row, t].square().sum(), inputs.values, retain_graph=True)[0]
                for each in (cut, whole)
            )
            assert not found[row, :begin].any()
            expected[row, :begin] = 0
            torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize("name", [name for name in DropoutSettings.model_fields if name not in ("word", "output")])
def test_all_pieces_share_what_is_dropped(name, lengths):
    """So that the cut run computes what the whole one does."""
    stack, inputs = made("lstm", dropout=DropoutSettings(**{name: 0.5})), drawn(lengths)
    results = []
    for steps in (None, 2):
        torch.manual_seed(5)
        outputs, final = stack(inputs, final_state=True, bptt_steps=steps)
        results.append((outputs.values, final))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("engine", ALL)
def test_junk_in_padding_changes_nothing(engine):
    stack, inputs = made("lstm", engine=engine), drawn("unequal")
    with torch.no_grad():
        other = torch.where(inputs.mask.unsqueeze(2), inputs.values, float("nan"))
    results = []
    for each in (inputs, inputs.with_values(other.requires_grad_())):
        outputs, final = stack(each, final_state=True, bptt_steps=2)
        results.append((outputs.values, final, gradients(stack, each, outputs.values, final)))
        assert not outputs.values[~each.mask].any()
    torch.testing.assert_close(*results)


def test_both_directions_and_recordings_are_not_cut():
    inputs = drawn("unequal")
    both = Stack(CELLS["lstm"], 3, bidirectional=True).double()
    alone = Stack(CELLS["lstm"], 3, engine="loop").double()
    with pytest.raises(ValueError, match="both directions"):
        both(inputs, bptt_steps=6)
    with pytest.raises(ValueError, match="recorded"):
        alone(inputs, recordings=alone.recordings(inputs), bptt_steps=6)
    both(inputs, bptt_steps=7)
