"""Every engine with every cell it accepts: against torch.nn, against the loop, and against themselves."""

from typing import NamedTuple, get_args

import pytest
import torch
from cells.variants import TWINS, every_cell, twin, twin_gradients
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncli.cells import make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.choice import choose
from rnncli.engines.engine import ENGINES, NOTHING_MORE, Masks, Wanted
from rnncli.engines.native import library
from rnncli.engines.native.compiler import why_not
from rnncli.engines.settings import EngineName
from rnncli.errors import UserError
from rnncli.sequences import Padded

INPUT = 3
CELLS = every_cell()
NEEDS = {"native": [pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]}
"""What a test of an engine is skipped without."""


def takes(engine, cell, wanted=NOTHING_MORE):
    """Whether an engine runs a cell. Native, which compiles a cell to find out, has to run them all."""
    return engine == "native" or ENGINES[engine]().refusal(make_cell(CELLS[cell]), wanted) is None


ALL = [pytest.param(engine, id=engine, marks=NEEDS.get(engine, ())) for engine in ENGINES]
RUNS = [
    pytest.param(engine, cell, id=f"{engine}-{cell}", marks=NEEDS.get(engine, ()))
    for engine in ENGINES
    for cell in CELLS
    if takes(engine, cell)
]
LENGTHS = {"unequal": [5, 1, 7, 2, 6], "full": [4, 4, 4], "one row": [5], "one step": [1, 1], "one of each": [1]}


class Case(NamedTuple):
    weights: CellWeights
    inputs: Padded
    state: tuple[torch.Tensor, ...]

    def run(self, engine, **options):
        """The outputs, (batch, time, hidden), and the final state."""
        outputs, final = ENGINES[engine]().run(self.weights, self.inputs, self.state, final_state=True, **options)
        return outputs.values, final


def case(cell, lengths=LENGTHS["unequal"], seed=0):
    """Random parameters, inputs and initial state, all of which want gradients."""
    torch.manual_seed(seed)
    weights = CellWeights(make_cell(CELLS[cell]), INPUT).double()
    values = torch.randn(len(lengths), max(lengths), INPUT, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(each).requires_grad_() for each in weights.zero_state(len(lengths)))
    return Case(weights, Padded(values, torch.tensor(lengths)), state)


def random_sum(tensors):
    """The same random function of these tensors at every call."""
    generator = torch.Generator().manual_seed(9)
    return sum((each * torch.randn(each.shape, generator=generator, dtype=each.dtype)).sum() for each in tensors)


def gradients(case, outputs, final):
    """Of a random function of outputs and final state: for each parameter, the inputs and the initial state."""
    loss = random_sum([outputs, *final])
    wanted = {name: each for name, each in case.weights.named_parameters() if each.numel()}
    wanted |= {"inputs": case.inputs.values}
    wanted |= {f"state {k}": each for k, each in enumerate(case.state)}
    return dict(zip(wanted, torch.autograd.grad(loss, list(wanted.values())), strict=True))


@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize("name", list(TWINS))
@pytest.mark.parametrize("engine", ALL)
def test_equals_packed_torch_nn(engine, name, lengths):
    ours = case(name, LENGTHS[lengths])
    outputs, final = ours.run(engine)
    module = twin(name, [ours.weights])
    packed = pack_padded_sequence(ours.inputs.values, ours.inputs.lengths, batch_first=True, enforce_sorted=False)
    start = tuple(each.unsqueeze(0) for each in ours.state)
    theirs, last = module(packed, start if isinstance(module, nn.LSTM) else start[0])
    theirs, _ = pad_packed_sequence(theirs, batch_first=True)
    last = [each.squeeze(0) for each in (last if isinstance(last, tuple) else (last,))]
    torch.testing.assert_close(outputs, theirs)
    torch.testing.assert_close(list(final), last)

    found = gradients(ours, outputs, final)
    loss = random_sum([theirs, *last])
    torch.testing.assert_close(found.pop("inputs"), torch.autograd.grad(loss, ours.inputs.values, retain_graph=True)[0])
    for k, each in enumerate(ours.state):
        torch.testing.assert_close(found.pop(f"state {k}"), torch.autograd.grad(loss, each, retain_graph=True)[0])
    loss.backward()
    torch.testing.assert_close(found, twin_gradients(module, 0))


@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize(("engine", "cell"), [run for run in RUNS if run.values[0] != "loop"])
def test_equals_the_loop(engine, cell, lengths):
    ours = case(cell, LENGTHS[lengths])
    results = {}
    for each in (engine, "loop"):
        outputs, final = ours.run(each)
        results[each] = outputs, final, gradients(ours, outputs, final)
    torch.testing.assert_close(results[engine], results["loop"])


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_outputs_are_the_same_whether_the_state_is_asked_for_or_not(engine, cell):
    ours = case(cell)
    outputs, nothing = ENGINES[engine]().run(ours.weights, ours.inputs, ours.state)
    assert nothing is None
    torch.testing.assert_close(outputs.values, ours.run(engine)[0])


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_without_a_state_it_starts_from_zeros(engine, cell):
    ours = case(cell)
    zeros = ours._replace(state=ours.weights.zero_state(5))
    torch.testing.assert_close(zeros._replace(state=None).run(engine), zeros.run(engine))


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_a_row_alone_is_the_row_in_its_batch(engine, cell):
    ours = case(cell)
    outputs, final = ours.run(engine)
    for row, length in enumerate(LENGTHS["unequal"]):
        alone = Padded(ours.inputs.values[row : row + 1, :length], torch.tensor([length]))
        state = tuple(each[row : row + 1] for each in ours.state)
        its_outputs, its_final = ours._replace(inputs=alone, state=state).run(engine)
        torch.testing.assert_close(its_outputs[0], outputs[row, :length])
        torch.testing.assert_close([each[0] for each in its_final], [each[row] for each in final])


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_junk_in_padding_changes_nothing(engine, cell):
    ours = case(cell)
    with torch.no_grad():
        junk = torch.where(ours.inputs.mask.unsqueeze(2), ours.inputs.values, 1e3)
    other = ours._replace(inputs=ours.inputs.with_values(junk.requires_grad_()))
    results = []
    for each in (ours, other):
        outputs, final = each.run(engine)
        padding = ~each.inputs.mask
        assert not outputs[padding].any()
        found = gradients(each, outputs, final)
        assert not found["inputs"][padding].any()
        results.append((outputs, final, found))
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("final_state", [True, False])
def test_what_overflows_beyond_the_end_of_a_short_row_changes_nothing(engine, final_state):
    weights = CellWeights(make_cell(CELLS["rnn-relu"]), INPUT)
    with torch.no_grad():
        weights.weight_hh.copy_(3 * torch.eye(4))  # from zero inputs the bias grows threefold a step, past any float32
        weights.weight_ih.fill_(-1)
        weights.bias.fill_(0.5)
    values = torch.zeros(2, 200, INPUT)
    values[0] = 1  # holds the long row at zero
    outputs, last = ENGINES[engine]().run(weights, Padded(values, torch.tensor([200, 3])), final_state=final_state)
    assert (last is not None) == final_state
    expected = torch.zeros(2, 200, 4)
    expected[1, :3] = torch.tensor([0.5, 2.0, 6.5]).unsqueeze(1)
    torch.testing.assert_close(outputs.values, expected)
    outputs.values.sum().backward()
    # Each unit of the short row: from the bias 1 + 4 + 13, from the old state h0 * (1 + 3) + h1 * 1.
    torch.testing.assert_close(weights.bias.grad, torch.full((4,), 18.0))
    torch.testing.assert_close(weights.weight_hh.grad, torch.full((4, 4), 4.0))
    torch.testing.assert_close(weights.weight_ih.grad, torch.zeros(4, INPUT))


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_a_state_handed_over_is_one_long_run(engine, cell):
    ours = case(cell)
    outputs, final = ours.run(engine)
    cut = 3
    first = Padded(ours.inputs.values[:, :cut], ours.inputs.lengths.clamp(max=cut))
    head, state = ours._replace(inputs=first).run(engine)
    longer = ours.inputs.lengths > cut
    rest = Padded(ours.inputs.values[longer, cut:], ours.inputs.lengths[longer] - cut)
    tail, last = ours._replace(inputs=rest, state=tuple(each[longer] for each in state)).run(engine)
    torch.testing.assert_close(head, outputs[:, :cut])
    torch.testing.assert_close(tail, outputs[longer, cut:])
    torch.testing.assert_close(last, tuple(each[longer] for each in final))


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_single_steps_are_the_whole_sequence(engine, cell):
    ours = case(cell, LENGTHS["full"])
    outputs, final = ours.run(engine)
    state = ours.state
    for t in range(4):
        state = ENGINES[engine]().step(ours.weights, ours.inputs.values[:, t], state)
        torch.testing.assert_close(state[0], outputs[:, t])
    torch.testing.assert_close(state, final)


@pytest.mark.parametrize(("engine", "cell"), RUNS)
def test_gradients_are_those_of_finite_differences(engine, cell):
    ours = case(cell, [3, 1, 2])

    def function(*_):  # gradcheck changes the tensors it is given in place, and these are the case's own
        outputs, final = ours.run(engine)
        return outputs, *final

    torch.autograd.gradcheck(
        function, (ours.inputs.values, *ours.state, *(p for p in ours.weights.parameters() if p.numel()))
    )


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_hidden_mask_acts_on_every_recurrent_product_at_every_step(cell):
    ours = case(cell, [5])
    mask = torch.tensor([[0.0, 2.0, 0.5, 1.0]], dtype=torch.float64)
    masked = ours.run("loop", masks=Masks(hidden=mask))
    with torch.no_grad():
        ours.weights.weight_hh *= mask
    torch.testing.assert_close(masked, ours.run("loop"))


def test_engine_names_are_the_registered_ones_and_auto():
    assert {*ENGINES, "auto"} == set(get_args(EngineName))


FASTEST_ON_CPU = "the fastest that runs this cell on cpu"


@pytest.mark.parametrize(
    ("cell", "recurrent_dropout", "device", "engine", "reason"),
    [
        *(pytest.param(cell, 0.0, "cpu", "native", FASTEST_ON_CPU, marks=NEEDS["native"]) for cell in CELLS),
        pytest.param("lstm", 0.2, "cpu", "native", FASTEST_ON_CPU, marks=NEEDS["native"]),
        ("lstm", 0.0, "cuda", "torch", "the fastest that runs this cell on cuda"),
        ("gru-after", 0.0, "cuda", "torch", "the fastest that runs this cell on cuda"),
        ("gru-before", 0.0, "cuda", "fused", "torch can't: it has no kernel for gru with reset: before"),
        ("rnn-identity", 0.0, "cuda", "fused", "torch can't: it has no kernel for rnn with activation: identity"),
        ("lstm", 0.2, "cuda", "fused", "torch can't: its kernels take no dropout inside the recurrence"),
    ],
)
def test_auto_takes_the_fastest_and_says_why(cell, recurrent_dropout, device, engine, reason):
    choice = choose("auto", make_cell(CELLS[cell]), Wanted(recurrent_dropout=recurrent_dropout > 0), device)
    assert choice.name == engine
    assert type(choice.engine) is ENGINES[engine]
    assert choice.reason == reason


@pytest.mark.parametrize(
    ("cell", "recurrent_dropout", "engine", "more"),
    [
        ("lstm", 0.0, "torch", ""),
        ("lstm_f", 0.0, "torch", ""),
        ("lstm", 0.2, "fused", "; torch can't: its kernels take no dropout inside the recurrence"),
        ("gru-after", 0.0, "fused", ""),
        ("rnn-relu", 0.0, "fused", ""),
        ("mut1", 0.0, "fused", ""),
    ],
)
def test_auto_without_a_compiler_takes_the_next_and_says_so(cell, recurrent_dropout, engine, more, monkeypatch):
    monkeypatch.setattr(library, "_LOADED", {})  # what is compiled already needs no compiler
    monkeypatch.setenv("CC", "no-such-compiler")
    choice = choose("auto", make_cell(CELLS[cell]), Wanted(recurrent_dropout=recurrent_dropout > 0))
    assert choice.name == engine
    missing = "there is no program 'no-such-compiler'; CC names the C compiler"
    assert choice.reason == f"native can't: CC=no-such-compiler: {missing}{more}"


def test_an_engine_asked_for_is_taken_or_refused_with_the_reason():
    assert choose("loop", make_cell(CELLS["lstm"])).name == "loop"
    with pytest.raises(
        UserError, match="engine torch can't run this model: it has no kernel for gru with reset: before"
    ):
        choose("torch", make_cell(CELLS["gru-before"]))
    with pytest.raises(UserError, match="engine native can't run this model: it does not run on cuda"):
        choose("native", make_cell(CELLS["lstm"]), device="cuda")


def test_torch_does_not_pass_over_a_mask_in_silence():
    ours = case("lstm")
    with pytest.raises(ValueError, match="no dropout inside the recurrence"):
        ours.run("torch", masks=Masks(hidden=torch.ones(5, 4, dtype=torch.float64)))
