"""What is special about the fused engine: few operations, valid steps only, derivatives of parts alone."""

import pytest
import torch
from cells.variants import every_cell

from engines.test_engines import CELLS, case, random_sum
from rnncli.cells import Cell, CellSettings, make_cell
from rnncli.cells.expressions import normalize, relu, sigmoid, tanh
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import ENGINES
from rnncli.engines.fused.packing import Packing
from rnncli.engines.fused.plan import plan
from rnncli.sequences import Padded


@pytest.mark.parametrize(
    ("cell", "forward", "backward"),
    [("lstm", 7, 5), ("gru-after", 6, 3), ("gru-before", 6, 6), ("rnn-tanh", 2, 2), ("peephole_lstm-diagonal", 10, 5)],
)
def test_a_step_takes_few_operations(cell, forward, backward):
    made = plan(make_cell(CELLS[cell]).graph, False, ())
    assert (len(made.forward.instructions), len(made.backward.instructions)) == (forward, backward)


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


def test_equations_that_nobody_has_written_before(odd):
    weights, inputs, state = odd
    results = {}
    for engine in ("fused", "loop"):
        outputs, final = ENGINES[engine]().run(weights, inputs, state, final_state=True)
        wanted = [inputs.values, *state, *weights.parameters()]
        loss = random_sum([outputs.values, *final])
        results[engine] = outputs.values, final, torch.autograd.grad(loss, wanted, allow_unused=True)
    torch.testing.assert_close(results["fused"], results["loop"])


@pytest.mark.parametrize("cell", list(every_cell()))
def test_derivatives_of_parts_alone(cell):
    """Frozen parameters, inputs without history, a loss of the final state or of the outputs only."""
    ours = case(cell, [3, 1, 2])
    plain = ours._replace(inputs=ours.inputs.with_values(ours.inputs.values.detach()), state=None)
    for part in (0, 1):
        found = []
        for engine in ("fused", "loop"):
            chosen = random_sum([plain.run(engine)[0]] if part == 0 else list(plain.run(engine)[1]))
            found.append(torch.autograd.grad(chosen, ours.weights.weight_ih, retain_graph=False))
        torch.testing.assert_close(*found)
    ours.weights.requires_grad_(False)
    by_inputs = [torch.autograd.grad(random_sum([ours.run(e)[0]]), ours.inputs.values) for e in ("fused", "loop")]
    torch.testing.assert_close(*by_inputs)


@pytest.mark.parametrize("cell", list(every_cell()))
def test_nothing_is_kept_of_one_run_in_the_next(cell):
    """Two runs of one plan before their backward passes."""
    first, second = case(cell, [3, 1]), case(cell, [2, 4], seed=5)
    outputs = [each.run("fused")[0] for each in (first, second)]
    found = [
        torch.autograd.grad(random_sum([o]), c.inputs.values)[0] for o, c in zip(outputs, (first, second), strict=True)
    ]
    for each, gradient in zip((first, second), found, strict=True):
        expected = torch.autograd.grad(random_sum([each.run("loop")[0]]), each.inputs.values)[0]
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("cell", ["lstm", "gru-after", "mut1"])
def test_single_precision_stays_close_to_double(cell):
    ours = case(cell, [40, 7, 33])
    exact, _ = ours.run("loop")
    single = Padded(ours.inputs.values.detach().float(), ours.inputs.lengths)
    outputs, _ = ENGINES["fused"]().run(ours.weights.float(), single, tuple(s.detach().float() for s in ours.state))
    torch.testing.assert_close(outputs.values.double(), exact, rtol=0, atol=2e-6)


@pytest.mark.parametrize("lengths", [[5, 1, 7, 2, 6], [3, 3], [1], [4, 4, 1]])
def test_packing_keeps_every_valid_step_once(lengths):
    torch.manual_seed(1)
    values = torch.randn(len(lengths), max(lengths), 3, dtype=torch.float64, requires_grad=True)
    sequences = Padded(values, torch.tensor(lengths))
    packing = Packing(sequences)
    rows = packing.pack(values)
    assert len(rows) == sum(lengths) == packing.rows
    torch.testing.assert_close(packing.spread(rows), sequences.zeroed().values)
    torch.autograd.gradcheck(lambda v: packing.spread(packing.pack(v).tanh()), (values,))
    state = torch.randn(len(lengths), 2)
    torch.testing.assert_close(packing.unsort(packing.sort(state)), state)
    last = values[torch.arange(len(lengths)), sequences.last]
    torch.testing.assert_close(packing.unsort(packing.last(rows)), last)
    start = torch.randn(len(lengths), 3, dtype=torch.float64)
    shifted = torch.cat([start.unsqueeze(1), values[:, :-1]], 1)
    torch.testing.assert_close(packing.before(packing.sort(start), rows), packing.pack(shifted))
