"""Recorded gates and gradients, against equations by hand, one sequence after the other."""

import pytest
import torch
from cells.variants import every_cell

from rnncli.cells import make_cell
from rnncli.engines.engine import ENGINES, Wanted
from rnncli.errors import UserError
from rnncli.layers.recurrent import Stack
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=4)
LENGTHS = [5, 1, 7, 2, 6]
ENGINES_THAT_RECORD = [
    name for name, engine in ENGINES.items() if not engine().refusal(make_cell(CELLS["lstm"]), Wanted(recording=True))
]


def made(cell, engine="loop"):
    torch.manual_seed(0)
    stack = Stack(CELLS[cell], 3, layers=2, bidirectional=True, engine=engine).double()
    return stack, Padded(torch.randn(5, 7, 3, dtype=torch.float64), torch.tensor(LENGTHS))


def loss_of(outputs):
    """A loss that knows each position."""
    generator = torch.Generator().manual_seed(9)
    weights = torch.randn(7, 8, generator=generator, dtype=torch.float64)
    return ((outputs.square() + outputs) * weights[: outputs.shape[-2]]).sum()


def recorded(stack, inputs):
    recordings = stack.recordings(inputs)
    outputs, _ = stack(inputs, recordings=recordings)
    loss_of(outputs.values).backward()
    return outputs, recordings


def lstm_by_hand(weights, sequence):
    """The outputs of each step, and the gates."""
    h = c = torch.zeros(4, dtype=torch.float64)
    outputs, gates = [], {"i": [], "f": [], "o": []}
    for x in sequence:
        i, f, g, o = (weights.weight_ih @ x + weights.weight_hh @ h + weights.bias).chunk(4)
        i, f, o = i.sigmoid(), f.sigmoid(), o.sigmoid()
        c = f * c + i * g.tanh()
        h = o * c.tanh()
        h.retain_grad()
        outputs.append(h)
        for name, value in (("i", i), ("f", f), ("o", o)):
            gates[name].append(value)
    return outputs, gates


@pytest.mark.parametrize("engine", ENGINES_THAT_RECORD)
def test_gates_and_gradients_of_an_lstm_are_those_by_hand(engine):
    stack, inputs = made("lstm", engine)
    _, recordings = recorded(stack, inputs)
    for row, length in enumerate(LENGTHS):
        current, places = list(inputs.values[row, :length]), []
        for layer in (0, 1):
            ahead = lstm_by_hand(stack.weights[2 * layer], current)
            back = lstm_by_hand(stack.weights[2 * layer + 1], current[::-1])
            back = back[0][::-1], {name: values[::-1] for name, values in back[1].items()}
            current = [torch.cat(both) for both in zip(ahead[0], back[0], strict=True)]
            places += [ahead, back]
        loss_of(torch.stack(current)).backward()
        for place, (outputs, gates) in enumerate(places):
            found = recordings[place]
            torch.testing.assert_close(found.gradient[row, :length], torch.stack([each.grad for each in outputs]))
            assert found.gates.keys() == gates.keys()
            for name, values in gates.items():
                torch.testing.assert_close(found.gates[name][row, :length], torch.stack(values))
            for values in (found.gradient, *found.gates.values()):
                assert not values[row, length:].any()


@pytest.mark.parametrize("cell", list(CELLS))
def test_what_a_row_shows_alone_it_shows_in_its_batch(cell):
    stack, inputs = made(cell)
    outputs, together = recorded(stack, inputs)
    torch.testing.assert_close(outputs.values, stack(inputs)[0].values)
    for row, length in enumerate(LENGTHS):
        _, alone = recorded(stack, Padded(inputs.values[row : row + 1, :length], torch.tensor([length])))
        for ours, theirs in zip(together, alone, strict=True):
            assert ours.gradient[row].any()
            torch.testing.assert_close(ours.gradient[row, :length], theirs.gradient[0])
            assert ours.gates.keys() == {gate.name for gate in stack.cell.graph.gates}
            for name, values in theirs.gates.items():
                assert values.any()
                torch.testing.assert_close(ours.gates[name][row, :length], values[0])


def test_an_engine_that_shows_no_gates_is_refused():
    stack, inputs = made("lstm", "torch")
    with pytest.raises(UserError, match=r"model\.engine: torch can't record: .* allowed: .*loop"):
        stack.recordings(inputs)
