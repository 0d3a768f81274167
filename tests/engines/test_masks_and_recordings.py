"""Dropout inside the recurrence and recordings: every engine that takes them does what the loop does."""

import pytest
import torch
from cells.variants import every_cell

from engines.test_engines import ALL, CELLS, LENGTHS, NEEDS, case, gradients, takes
from rnncli.cells import make_cell
from rnncli.engines.choice import choose
from rnncli.engines.engine import ENGINES, Masks, Recording, Wanted
from rnncli.errors import UserError

ASKED = {
    "hidden": Wanted(recurrent_dropout=True),
    "zoneout": Wanted(zoneout=True),
    "share": Wanted(zoneout=True),
    "weight": Wanted(),
    "all": Wanted(recurrent_dropout=True, zoneout=True),
}
SEVERAL = ("lstm", "gru-after", "mut3", "peephole_lstm-full")
"""Cells with which each kind of mask is tried alone; with the others native, which compiles each, has all at once."""

RUNS = [
    pytest.param(engine, cell, asked, id=f"{engine}-{cell}-{asked}", marks=NEEDS.get(engine, ()))
    for engine in ENGINES
    if engine != "loop"
    for cell in CELLS
    for asked, wanted in ASKED.items()
    if takes(engine, cell, wanted) and (engine != "native" or asked == "all" or cell in SEVERAL)
]


def masks_for(ours, asked):
    """Masks that differ from row to row, from step to step, and from state to state."""
    generator = torch.Generator().manual_seed(4)
    batch, time, _ = ours.inputs.values.shape
    hidden = ours.weights.cell.hidden_size

    def drawn(*shape):
        return (torch.rand(*shape, generator=generator, dtype=torch.float64) < 0.6).double()

    states = ours.weights.cell.states
    zoneout = {name: drawn(time, batch, hidden).transpose(0, 1) for name in states[:2]}
    return {
        "hidden": Masks(hidden=drawn(batch, hidden) / 0.6),
        "zoneout": Masks(zoneout=zoneout),
        "share": Masks(zoneout={states[0]: 0.3}),
        "weight": Masks(weight=drawn(*ours.weights.weight_hh.shape) / 0.6),
        "all": Masks(drawn(batch, hidden) / 0.6, zoneout, drawn(*ours.weights.weight_hh.shape) / 0.6),
    }[asked]


@pytest.mark.parametrize("lengths", ["unequal", "full"])
@pytest.mark.parametrize(("engine", "cell", "asked"), RUNS)
def test_masks_do_what_they_do_in_the_loop(engine, cell, asked, lengths):
    ours = case(cell, LENGTHS[lengths])
    masks = masks_for(ours, asked)
    results = {}
    for each in (engine, "loop"):
        outputs, final = ours.run(each, masks=masks)
        results[each] = outputs, final, gradients(ours, outputs, final)
    torch.testing.assert_close(results[engine], results["loop"])


@pytest.mark.parametrize("asked", ["hidden", "zoneout", "share", "weight"])
@pytest.mark.parametrize("cell", ["lstm", "gru-after", "rnn-tanh"])
def test_masks_change_what_the_loop_gives(cell, asked):
    ours = case(cell)
    plain, masked = ours.run("loop")[0], ours.run("loop", masks=masks_for(ours, asked))[0]
    assert (plain - masked).abs().max() > 0.01


def test_zoneout_by_hand():
    """h' = d h + (1 - d) o tanh(the memory before its own zoneout), as in Krueger et al. 2017."""
    ours = case("lstm", [1, 1])
    masks = masks_for(ours, "zoneout")
    (h_new, c_new) = ours.run("loop", masks=masks)[1]
    plain_h, plain_c = ours.run("loop")[1]
    (h, c), d = ours.state, {name: mask[:, 0] for name, mask in masks.zoneout.items()}
    torch.testing.assert_close(h_new, d["h"] * h + (1 - d["h"]) * plain_h)
    torch.testing.assert_close(c_new, d["c"] * c + (1 - d["c"]) * plain_c)


def recorded(ours, engine):
    shape = (*ours.inputs.values.shape[:2], ours.weights.cell.hidden_size)

    def filled():
        return torch.full(shape, 7.0, dtype=torch.float64)

    recording = Recording({gate.name: filled() for gate in ours.weights.cell.graph.gates}, filled())
    outputs, final = ours.run(engine, recording=recording)
    gradients(ours, outputs, final)
    return recording


@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("engine", [each for each in ALL if each.values[0] not in ("loop", "torch")])
def test_recordings_are_those_of_the_loop(engine, cell, lengths):
    ours = case(cell, LENGTHS[lengths])
    found, expected = recorded(ours, engine), recorded(ours, "loop")
    torch.testing.assert_close(dict(found.gates), dict(expected.gates))
    torch.testing.assert_close(found.gradient, expected.gradient)


def test_the_loop_records_gates_by_hand_and_the_gradient_through_all_that_follows():
    ours = case("rnn-identity", [3, 1])
    recording = recorded(ours, "loop")
    assert not recording.gates
    # h_t = ... + U h_{t-1}: the derivative by h_t is what falls on it, and U^T times that by h_{t+1}
    outputs, final = ours.run("loop")
    direct, last = weights_of([outputs, *final])
    U = ours.weights.weight_hh.detach()
    expected = torch.zeros_like(direct)
    expected[0, 2] = direct[0, 2] + last[0]
    expected[0, 1] = direct[0, 1] + expected[0, 2] @ U
    expected[0, 0] = direct[0, 0] + expected[0, 1] @ U
    expected[1, 0] = direct[1, 0] + last[1]
    torch.testing.assert_close(recording.gradient, expected)


def weights_of(tensors):
    """The factors of `random_sum` in the tests of engines."""
    generator = torch.Generator().manual_seed(9)
    return [torch.randn(each.shape, generator=generator, dtype=each.dtype) for each in tensors]


def test_recorded_gates_of_an_lstm_by_hand():
    ours = case("lstm", [1, 1, 1])
    gates = recorded(ours, "loop").gates
    weights, x, h = ours.weights, ours.inputs.values[:, 0], ours.state[0]
    sums = x @ weights.weight_ih.t() + weights.bias + h @ weights.weight_hh.t()
    i, f, _, o = sums.sigmoid().chunk(4, 1)
    torch.testing.assert_close({name: each[:, 0] for name, each in gates.items()}, {"i": i, "f": f, "o": o})


@pytest.mark.parametrize("cell", list(CELLS))
def test_second_derivatives_are_those_of_the_loop_or_refused_with_the_way_out(cell):
    for engine in ENGINES:
        if ENGINES[engine]().refusal(make_cell(CELLS[cell]), Wanted()) is not None:
            continue
        ours = case(cell, [3, 2])
        outputs, _ = ours.run(engine)
        try:
            (first,) = torch.autograd.grad(outputs.square().sum(), ours.inputs.values, create_graph=True)
        except UserError as refusal:
            assert engine != "loop"
            assert f"engine {engine}" in str(refusal)
            assert "model.engine: loop" in str(refusal)
            continue
        (second,) = torch.autograd.grad(first.square().sum(), ours.inputs.values)
        outputs, _ = ours.run("loop")
        (first,) = torch.autograd.grad(outputs.square().sum(), ours.inputs.values, create_graph=True)
        torch.testing.assert_close(second, torch.autograd.grad(first.square().sum(), ours.inputs.values)[0])


@pytest.mark.parametrize("engine", ALL)
def test_an_engine_refuses_what_it_cannot_do_when_it_is_chosen_and_when_it_is_run(engine):
    for settings in every_cell().values():
        cell = make_cell(settings)
        for wanted in (Wanted(zoneout=True), Wanted(recurrent_dropout=True), Wanted(recording=True)):
            reason = ENGINES[engine]().refusal(cell, wanted)
            if reason is None:
                assert choose(engine, cell, wanted).name == engine
            else:
                with pytest.raises(UserError, match="can't run this model"):
                    choose(engine, cell, wanted)
    ours = case("lstm")
    if ENGINES[engine]().refusal(ours.weights.cell, Wanted(zoneout=True)) is not None:
        with pytest.raises(ValueError, match="zoneout"):
            ours.run(engine, masks=Masks(zoneout={"h": 0.1}))
