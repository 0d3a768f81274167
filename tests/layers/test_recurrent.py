"""Stacks of layers in both directions, against packed torch.nn and against themselves."""

from copy import deepcopy

import pytest
import torch
from cells.variants import TWINS, every_cell, twin, twin_gradients
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncli.engines.engine import ENGINES
from rnncli.engines.reversal import Reversal
from rnncli.errors import UserError
from rnncli.layers.recurrent import Stack, detach
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=4)
LENGTHS = {"unequal": [5, 1, 7, 2, 6], "full": [4, 4, 4], "one step": [1, 1]}


def drawn(lengths, features=3):
    values = torch.randn(len(lengths), max(lengths), features, dtype=torch.float64, requires_grad=True)
    return Padded(values, torch.tensor(lengths))


def made(cell, layers=2, bidirectional=True, **options):
    torch.manual_seed(0)
    return Stack(CELLS[cell], 3, layers=layers, bidirectional=bidirectional, **options).double()


def state_of(stack, batch):
    """A random state of a stack."""
    return tuple(
        tuple(torch.randn_like(each).requires_grad_() for each in weights.zero_state(batch))
        for weights in stack.weights
    )


def random_sum(tensors):
    generator = torch.Generator().manual_seed(9)
    return sum((each * torch.randn(each.shape, generator=generator, dtype=each.dtype)).sum() for each in tensors)


def flat(state):
    return [each for cell in state for each in cell]


@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize("name", list(TWINS))
@pytest.mark.parametrize("engine", list(ENGINES))
def test_two_layers_in_both_directions_equal_packed_torch_nn(engine, name, lengths):
    stack = made(name, engine=engine)
    inputs = drawn(LENGTHS[lengths])
    state = state_of(stack, inputs.batch)
    outputs, final = stack(inputs, state, final_state=True)

    module = twin(name, list(stack.weights), layers=2, bidirectional=True)
    packed = pack_padded_sequence(inputs.values, inputs.lengths, batch_first=True, enforce_sorted=False)
    start = [torch.stack(each) for each in zip(*state, strict=True)]  # h of all, c of all
    theirs, last = module(packed, tuple(start) if isinstance(module, nn.LSTM) else start[0])
    theirs, _ = pad_packed_sequence(theirs, batch_first=True)
    last = last if isinstance(last, tuple) else (last,)
    torch.testing.assert_close(outputs.values, theirs)
    torch.testing.assert_close([torch.stack(each) for each in zip(*final, strict=True)], list(last))

    wanted = [inputs.values, *flat(state)]
    by_cell = [each[place] for place in range(4) for each in last]
    found = torch.autograd.grad(random_sum([outputs.values, *flat(final)]), [*wanted, *stack.parameters()])
    loss = random_sum([theirs, *by_cell])
    torch.testing.assert_close(found[: len(wanted)], torch.autograd.grad(loss, wanted, retain_graph=True))
    loss.backward()
    ours = dict(zip((name for name, _ in stack.named_parameters()), found[len(wanted) :], strict=True))
    for place in range(4):
        for parameter, gradient in twin_gradients(module, place, bidirectional=True).items():
            torch.testing.assert_close(ours[f"weights.{place}.{parameter}"], gradient)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("engine", ["loop", "auto"])
def test_the_backward_direction_is_reverse_run_reverse(engine, cell):
    both = made(cell, layers=1, engine=engine)
    alone = made(cell, layers=1, bidirectional=False, engine=engine)
    alone.weights[0].load_state_dict(both.weights[1].state_dict())
    inputs = drawn(LENGTHS["unequal"])
    outputs, _ = both(inputs)
    for row, length in enumerate(LENGTHS["unequal"]):
        turned = Padded(inputs.values[row : row + 1, :length].flip(1), torch.tensor([length]))
        torch.testing.assert_close(alone(turned)[0].values[0].flip(0), outputs.values[row, :length, 4:])


@pytest.mark.parametrize("junk", [1e3, float("nan"), float("inf")])
@pytest.mark.parametrize("cell", list(CELLS))
def test_junk_in_padding_changes_nothing(cell, junk):
    stack = made(cell)
    inputs = drawn(LENGTHS["unequal"])
    with torch.no_grad():
        other = torch.where(inputs.mask.unsqueeze(2), inputs.values, junk)
    results = []
    for each in (inputs, inputs.with_values(other.requires_grad_())):
        outputs, final = stack(each, final_state=True)
        assert not outputs.values[~each.mask].any()
        loss = random_sum([outputs.values, *flat(final)])
        # A cell without recurrent products has a matrix without rows, which nothing reads.
        found = torch.autograd.grad(loss, [each.values, *stack.parameters()], materialize_grads=True)
        assert not found[0][~each.mask].any()
        results.append([outputs.values, final, found])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_state_handed_over_is_one_long_run(cell):
    stack = made(cell, bidirectional=False)
    inputs = drawn([6, 6, 6])
    outputs, final = stack(inputs, final_state=True)
    head, state = stack(drawn_part(inputs, 0, 2), final_state=True)
    tail, last = stack(drawn_part(inputs, 2, 6), detach(state), final_state=True)
    torch.testing.assert_close(torch.cat([head.values, tail.values], dim=1), outputs.values)
    torch.testing.assert_close(last, final)
    assert not any(each.requires_grad for each in flat(detach(state)))


def drawn_part(inputs, start, stop):
    return Padded(inputs.values[:, start:stop], torch.full((inputs.batch,), stop - start))


def test_both_engines_agree_on_a_stack_in_float32():
    inputs = drawn(LENGTHS["unequal"])
    inputs = inputs.with_values(inputs.values.detach().float())
    results = []
    for engine in ("loop", "torch"):
        outputs, final = made("lstm", engine=engine).float()(inputs, final_state=True)
        results.append((outputs.values, final))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-5)


def test_no_state_comes_back_unless_asked_for():
    stack = made("gru-after")
    inputs = drawn(LENGTHS["unequal"])
    outputs, nothing = stack(inputs)
    assert nothing is None
    torch.testing.assert_close(outputs.values, stack(inputs, final_state=True)[0].values)


def test_a_copy_of_a_stack_computes_the_same():
    stack, inputs = made("gru-before"), drawn(LENGTHS["unequal"])
    torch.testing.assert_close(deepcopy(stack)(inputs)[0].values, stack(inputs)[0].values)


def test_an_engine_that_cannot_is_refused_when_the_stack_is_made():
    with pytest.raises(UserError, match="no dropout inside the recurrence"):
        made("lstm", engine="torch", dropout=DropoutSettings(recurrent=0.1))


@pytest.mark.parametrize("lengths", list(LENGTHS))
def test_reversal_turns_each_sequence_and_is_its_own_inverse(lengths):
    inputs = drawn(LENGTHS[lengths])
    reverse = Reversal(inputs)
    turned = reverse(inputs)
    for row, length in enumerate(LENGTHS[lengths]):
        torch.testing.assert_close(turned.values[row, :length], inputs.values[row, :length].flip(0))
    torch.testing.assert_close(reverse(turned).values, inputs.values)
    torch.autograd.gradcheck(lambda values: reverse(inputs.with_values(values)).values, (inputs.values,))
