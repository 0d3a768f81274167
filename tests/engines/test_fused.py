"""What is special about the fused engine: few operations, valid steps only."""

import pytest
import torch

from engines.test_engines import CELLS
from rnncli.cells import make_cell
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
