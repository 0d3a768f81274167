"""Steppers of a stack, against whole sequences and against rows alone."""

import pytest
import torch
from cells.variants import every_cell
from engines.test_engines import NEEDS
from torch import nn

from rnncli.cells import make_cell
from rnncli.engines.choice import choose
from rnncli.engines.engine import ENGINES, Wanted
from rnncli.errors import UserError
from rnncli.layers.recurrent import Stack
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=7)
OPTIONS = {
    "plain": {},
    "residual, zoneout": {
        "connections": "residual",
        "dropout": DropoutSettings(zoneout=0.2, recurrent=0.3, between_layers=0.5),
    },
    "highway, learned": {
        "connections": "highway",
        "learned_initial_state": True,
        "dropout": DropoutSettings(weight=0.2, variational=0.1),
    },
}
TIME, INPUT = 6, 3
NATIVE = pytest.param("native", marks=NEEDS["native"])
ALL = [pytest.param(engine, id=engine, marks=NEEDS.get(engine, ())) for engine in ENGINES]


def drawn(cell, engine="native", layers=2, input_size=INPUT, dtype=torch.float32, **options):
    """A stack with random parameters, the first state among them where it is learned."""
    torch.manual_seed(1)
    stack = Stack(cell, input_size, layers=layers, engine=engine, **options).to(dtype).eval()
    for parameter in stack.initial.parameters():
        nn.init.normal_(parameter)
    return stack


def stepwise(stack, values, state=None):
    """The outputs, (batch, time, size), and the final state, step by step."""
    stepper, outputs = stack.stepper(), []
    for t in range(values.shape[1]):
        output, state = stepper.step(values[:, t], state)
        outputs.append(output)
    return torch.stack(outputs, 1), state


def whole(stack, values):
    outputs, final = stack(Padded(values, torch.full((len(values),), values.shape[1])), final_state=True)
    return outputs.values, final


@pytest.mark.parametrize("options", list(OPTIONS))
@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("engine", ["loop", NATIVE])
def test_steps_are_the_whole_sequence(engine, cell, options):
    dtype = torch.float32 if engine == "native" else torch.float64  # torch's products round otherwise for other shapes
    stack = drawn(CELLS[cell], engine, dtype=dtype, **OPTIONS[options])
    for batch in (1, 3, 17):
        values = torch.randn(batch, TIME, INPUT, dtype=dtype)
        with torch.inference_mode():
            torch.testing.assert_close(stepwise(stack, values), whole(stack, values), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("cell", ["lstm", "gru-after", "rnn-tanh"])
def test_every_engine_has_them(engine, cell):
    stack = drawn(CELLS[cell], engine, dtype=torch.float64, connections="residual")
    values = torch.randn(5, TIME, INPUT, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(stepwise(stack, values), whole(stack, values))


@NEEDS["native"][0]
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", list(CELLS))
def test_native_steps_have_the_bits_of_the_whole_sequence_and_of_a_row_alone(cell, dtype):
    settings = every_cell(hidden_size=37)[cell]
    size = 37 if make_cell(settings).graph.raw else 19  # the projection to the size of a cell's state is made by torch
    stack = drawn(settings, input_size=size, dtype=dtype)
    values = torch.randn(23, TIME, size, dtype=dtype)
    with torch.inference_mode():
        outputs, final = together = stepwise(stack, values)
        torch.testing.assert_close(together, whole(stack, values), rtol=0, atol=0)
        for rows in ([4], [0, 22], [7, 3, 3], range(5), range(6), range(7), range(8), range(9, 20)):
            alone, last = stepwise(stack, values[list(rows)])
            torch.testing.assert_close(alone, outputs[list(rows)], rtol=0, atol=0)
            expected = tuple(tuple(each[list(rows)] for each in cell) for cell in final)
            torch.testing.assert_close(last, expected, rtol=0, atol=0)


@NEEDS["native"][0]
def test_a_row_has_the_same_bits_whatever_the_number_of_threads():
    before, stack, values = torch.get_num_threads(), drawn(CELLS["lstm"]), torch.randn(40, TIME, INPUT)
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            with torch.inference_mode():
                found.append(stepwise(stack, values))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(*found, rtol=0, atol=0)


@pytest.mark.parametrize("engine", ["loop", NATIVE])
def test_rows_come_go_and_change_places_between_steps(engine):
    stack = drawn(CELLS["layer_norm_lstm"], engine, learned_initial_state=True)
    values = torch.randn(4, TIME, INPUT)
    rows = [[0, 1, 2, 3], [2, 2, 0, 3, 1, 1, 1], [6, 0], [1, 0, 1], [0], [0, 0]]
    with torch.inference_mode():
        stepper, state, history = stack.stepper(), stack.stepper().begin(4), [[] for _ in range(4)]
        for chosen in rows:
            state = tuple(tuple(each[chosen] for each in cell) for cell in state)
            history = [history[row] for row in chosen]
            step = [(t + len(chosen)) % 4 for t in range(len(chosen))]  # what each row reads
            history = [[*before, number] for before, number in zip(history, step, strict=True)]
            output, state = stepper.step(values[step, len(history[0]) - 1], state)
        for row, read in enumerate(history):
            alone = values[read, range(TIME)].unsqueeze(0)
            torch.testing.assert_close(output[row], whole(stack, alone)[0][0, -1], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("engine", ["loop", NATIVE])
def test_strided_and_other_precision(engine):
    """What is handed over need not stand row by row in memory, nor in the type of the parameters."""
    stack = drawn(CELLS["lstm"], engine)
    values = torch.randn(INPUT, 5, dtype=torch.float64)
    state = tuple(tuple(torch.randn(7, 5).t() for _ in range(2)) for _ in range(2))
    dense = tuple(tuple(each.contiguous() for each in cell) for cell in state)
    with torch.no_grad():
        stepper = stack.stepper()
        found = stepper.step(values.t(), state)
        torch.testing.assert_close(found, stepper.step(values.float().t().contiguous(), dense))
        assert found[0].dtype == torch.float32


@pytest.mark.parametrize("engine", ["loop", NATIVE])
def test_states_that_were_given_out_are_not_written_again(engine):
    stack = drawn(CELLS["gru-before"], engine)
    with torch.inference_mode():
        stepper = stack.stepper()
        output, state = stepper.step(torch.randn(3, INPUT))
        given = [output, *(each for cell in state for each in cell)]
        before = [each.clone() for each in given]
        for _ in range(3):
            stepper.step(torch.randn(3, INPUT), state)
    torch.testing.assert_close(given, before, rtol=0, atol=0)


def test_a_stepper_sees_the_parameters_it_was_made_of():
    stack = drawn(CELLS["lstm"], "auto")
    values = torch.randn(2, TIME, INPUT)
    with torch.no_grad():
        stack.stepper()
        for parameter in stack.parameters():
            parameter.mul_(-0.5)
        torch.testing.assert_close(stepwise(stack, values), whole(stack, values), rtol=1e-6, atol=1e-6)


def test_what_is_refused():
    with pytest.raises(UserError, match=r"model\.bidirectional"):
        Stack(CELLS["lstm"], INPUT, bidirectional=True).stepper()
    stack = drawn(CELLS["lstm"], "auto")
    stepper, values = stack.stepper(), torch.randn(2, INPUT)
    with pytest.raises(ValueError, match="no gradients"):
        stepper.step(values)
    with torch.inference_mode():
        state = stepper.begin(2)
        with pytest.raises(ValueError, match=r"inputs: \(2, 4\), not \(batch, 3\)"):
            stepper.step(torch.randn(2, 4), state)
        with pytest.raises(ValueError, match=r"state h: \(2, 7\), not \(1, 7\)"):
            stepper.step(values[:1], state)
        with pytest.raises(ValueError, match=r"inputs: \(0, 3\)"):
            stepper.step(values[:0], stepper.begin(0))


def test_engines_refuse_what_they_do_not_run():
    weights = drawn(CELLS["lstm"], "loop").weights[0]
    with pytest.raises(ValueError, match="zoneout"):
        ENGINES["torch"]().stepper(weights, {"h": 0.1})
    with pytest.raises(ValueError, match="bfloat16"):
        ENGINES["native"]().stepper(weights.bfloat16())
    assert choose("auto", weights.cell, Wanted(precision="bfloat16")).engine.stepper(weights)
