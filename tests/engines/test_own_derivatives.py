"""The engines with derivatives of their own, fused and native: odd equations, parts alone, passes one after another."""

import pytest
import torch

from engines.test_engines import ALL, CELLS, LENGTHS, case, random_sum
from rnncli.cells import Cell, CellSettings
from rnncli.cells.expressions import normalize, relu, sigmoid, tanh
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import ENGINES
from rnncli.sequences import Padded

OWN = [each for each in ALL if each.values[0] not in ("loop", "torch")]


class Odd(Cell[CellSettings]):
    """Takes the roads that no cell of the literature takes."""

    states = ("h", "c", "k")

    def step(self, x, state, U, p, gate):
        h, c, k = state
        a = x.a - U.b(h) - p.a  # a product that is taken away
        shared = U.s(c) + x.s  # a sum in two places
        d = sigmoid(shared) * 2 + tanh(shared - 1) / (1.5 + sigmoid(a))
        e = U.e(d * h)  # a product in two places
        n = normalize(c * e + x.raw) * p.gain
        c_new = 0.5 - relu(n + e) * h / (2 + sigmoid(p.one * k))
        twice = sigmoid(x.t + U.t(p.twice * k) + p.twice * h)  # a vector in a sum and in what the sum is made of
        return c_new * tanh(d) + p.late * twice, c, h * -c_new  # the old memory handed on, states that cross


@pytest.fixture
def odd():
    torch.manual_seed(0)
    weights = CellWeights(Odd(CellSettings(type="odd", hidden_size=4)), 4).double()
    values = torch.randn(5, 7, 4, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn(5, 4, dtype=torch.float64, requires_grad=True) for _ in range(3))
    return weights, Padded(values, torch.tensor([5, 1, 7, 2, 6])), state


@pytest.mark.parametrize("engine", OWN)
def test_equations_that_nobody_has_written_before(engine, odd):
    weights, inputs, state = odd
    results = []
    for each in (engine, "loop"):
        outputs, final = ENGINES[each]().run(weights, inputs, state, final_state=True)
        wanted = [inputs.values, *state, *weights.parameters()]
        loss = random_sum([outputs.values, *final])
        results.append((outputs.values, final, torch.autograd.grad(loss, wanted, allow_unused=True)))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("engine", OWN)
def test_derivatives_of_parts_alone(engine, cell):
    """Frozen parameters, inputs without history, a loss of the final state or of the outputs only."""
    ours = case(cell, [3, 1, 2])
    plain = ours._replace(inputs=ours.inputs.with_values(ours.inputs.values.detach()), state=None)
    for part in (0, 1):
        found = []
        for each in (engine, "loop"):
            chosen = random_sum([plain.run(each)[0]] if part == 0 else list(plain.run(each)[1]))
            found.append(torch.autograd.grad(chosen, ours.weights.weight_ih, retain_graph=False))
        torch.testing.assert_close(*found)
    ours.weights.requires_grad_(False)
    by_inputs = [torch.autograd.grad(random_sum([ours.run(e)[0]]), ours.inputs.values) for e in (engine, "loop")]
    torch.testing.assert_close(*by_inputs)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("engine", OWN)
def test_nothing_is_kept_of_one_run_in_the_next(engine, cell):
    """Two runs of one plan before their backward passes."""
    first, second = case(cell, [3, 1]), case(cell, [2, 4], seed=5)
    outputs = [each.run(engine)[0] for each in (first, second)]
    found = [
        torch.autograd.grad(random_sum([o]), c.inputs.values)[0] for o, c in zip(outputs, (first, second), strict=True)
    ]
    for each, gradient in zip((first, second), found, strict=True):
        expected = torch.autograd.grad(random_sum([each.run("loop")[0]]), each.inputs.values)[0]
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("cell", ["lstm", "gru-after", "mut1"])
@pytest.mark.parametrize("engine", OWN)
def test_single_precision_stays_close_to_double(engine, cell):
    ours = case(cell, [40, 7, 33])
    exact, _ = ours.run("loop")
    single = Padded(ours.inputs.values.detach().float(), ours.inputs.lengths)
    outputs, _ = ENGINES[engine]().run(ours.weights.float(), single, tuple(s.detach().float() for s in ours.state))
    torch.testing.assert_close(outputs.values.double(), exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize("lengths", ["unequal", "full"])
@pytest.mark.parametrize("cell", ["lstm", "gru-before", "rnn-tanh"])
@pytest.mark.parametrize("engine", OWN)
def test_two_backward_passes_over_one_graph_give_twice_the_same(engine, cell, lengths):
    ours = case(cell, LENGTHS[lengths])
    outputs, final = ours.run(engine)
    loss = random_sum([outputs, *final])
    wanted = [ours.inputs.values, *ours.state, *(each for each in ours.weights.parameters() if each.numel())]
    first = [each.clone() for each in torch.autograd.grad(loss, wanted, retain_graph=True)]
    again = torch.autograd.grad(loss, wanted)
    torch.testing.assert_close(list(again), first, rtol=0, atol=0)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, wanted)


@pytest.mark.parametrize("lengths", ["unequal", "full"])
@pytest.mark.parametrize("junk", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("engine", OWN)
def test_what_is_not_finite_passes_through_and_stays_in_its_row(engine, cell, junk, lengths):
    ours = case(cell, LENGTHS[lengths])
    clean, _ = ours.run(engine)
    by_inputs = torch.autograd.grad(random_sum([clean]), ours.inputs.values)[0]
    values = ours.inputs.values.detach().clone()
    values[0, 1, 2] = junk
    spoilt = ours._replace(inputs=ours.inputs.with_values(values.requires_grad_()))
    outputs, _ = spoilt.run(engine)
    torch.testing.assert_close(outputs, spoilt.run("loop")[0], equal_nan=True)
    torch.testing.assert_close(outputs[1:], clean[1:])
    torch.testing.assert_close(outputs[0, 0], clean[0, 0])
    torch.testing.assert_close(torch.autograd.grad(random_sum([outputs]), values)[0][1:], by_inputs[1:])
