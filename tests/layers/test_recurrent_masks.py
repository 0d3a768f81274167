"""Weight-drop and zoneout, against matrices masked by hand and the equations of the papers."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from cells.variants import every_cell

from rnncli.engines.engine import ENGINES, Masks
from rnncli.errors import UserError
from rnncli.layers.dropout import draw_mask, draw_ones
from rnncli.layers.recurrent import Stack
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

CELLS = every_cell(hidden_size=4)
LENGTHS = torch.tensor([5, 1, 7, 2, 6])


def made(cell, **options):
    torch.manual_seed(0)
    rates = {key: options.pop(key) for key in list(options) if key in DropoutSettings.model_fields}
    stack = Stack(CELLS[cell], 3, dropout=DropoutSettings(**rates), **options).double()
    return stack, Padded(torch.randn(5, 7, 3, dtype=torch.float64), LENGTHS)


def test_ones_stand_at_the_share_asked_for():
    torch.manual_seed(2)
    ones = draw_ones((400, 500), 0.3, torch.zeros(1, dtype=torch.float64))
    assert ones.unique().tolist() == [0, 1]
    assert ones.mean().item() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("cell", list(CELLS))
def test_weight_drop_is_a_run_with_masked_matrices(cell):
    stack, inputs = made(cell, layers=2, bidirectional=True, weight=0.4)
    by_hand = deepcopy(stack)
    torch.manual_seed(5)
    outputs, _ = stack(inputs)
    torch.manual_seed(5)
    masks = [draw_mask(weights.weight_hh.shape, 0.4, weights.weight_hh) for weights in stack.weights]
    with torch.no_grad():
        for weights, mask in zip(by_hand.weights, masks, strict=True):
            weights.weight_hh *= mask
    expected, _ = by_hand.eval()(inputs)
    torch.testing.assert_close(outputs.values, expected.values)
    torch.testing.assert_close(
        stack.eval()(inputs)[0].values, made(cell, layers=2, bidirectional=True)[0](inputs)[0].values
    )
    if not stack.cell.graph.products:
        return
    outputs.values.square().sum().backward()
    expected.values.square().sum().backward()
    for ours, theirs, mask in zip(stack.weights, by_hand.weights, masks, strict=True):
        torch.testing.assert_close(ours.weight_hh.grad, theirs.weight_hh.grad * mask)


def zoned_out_lstm(weights, inputs, keep_h, keep_c):
    """Krueger et al. (arXiv 1606.01305v4), section 3.2, row by row; the output reads the memory before its zoneout.

    Args:
        keep_h, keep_c: (batch, time, hidden), the share of the old value that is kept.
    """
    W, U, b = (each.detach().numpy() for each in (weights.weight_ih, weights.weight_hh, weights.bias))
    outputs = np.zeros((inputs.batch, inputs.time, 4))
    for row, length in enumerate(inputs.lengths.tolist()):
        h = c = np.zeros(4)
        for t in range(length):
            i, f, g, o = np.split(W @ inputs.values[row, t].numpy() + U @ h + b, 4)
            i, f, o = (1 / (1 + np.exp(-each)) for each in (i, f, o))
            new_c = f * c + i * np.tanh(g)
            d = keep_h[row, t]
            h = d * h + (1 - d) * o * np.tanh(new_c)
            c = keep_c[row, t] * c + (1 - keep_c[row, t]) * new_c
            outputs[row, t] = h
    return torch.from_numpy(outputs)


@pytest.mark.parametrize(("zoneout", "memory"), [(0.3, 0.5), (0.3, 0.0), (0.0, 0.5)])
def test_zoneout_of_an_lstm_is_that_of_the_paper(zoneout, memory):
    stack, inputs = made("lstm", zoneout=zoneout, zoneout_memory=memory)
    torch.manual_seed(5)
    outputs, _ = stack(inputs)
    torch.manual_seed(5)
    drawn = [
        draw_ones((7, 5, 4), rate, inputs.values).transpose(0, 1).numpy() if rate else np.zeros((5, 7, 4))
        for rate in (zoneout, memory)
    ]
    torch.testing.assert_close(outputs.values, zoned_out_lstm(stack.weights[0], inputs, *drawn))
    expected = [np.full((5, 7, 4), rate) for rate in (zoneout, memory)]
    outputs, _ = stack.eval()(inputs)
    torch.testing.assert_close(outputs.values, zoned_out_lstm(stack.weights[0], inputs, *expected))


@pytest.mark.parametrize("cell", list(CELLS))
def test_zoneout_is_what_the_loop_does_with_one_mask_and_in_evaluation_with_the_rate(cell):
    stack, inputs = made(cell, zoneout=0.3)
    output = stack.cell.states[0]
    torch.manual_seed(5)
    outputs, _ = stack(inputs)
    torch.manual_seed(5)
    mask = draw_ones((7, 5, 4), 0.3, inputs.values).transpose(0, 1)
    for found, share in ((outputs, mask), (stack.eval()(inputs)[0], 0.3)):
        expected, _ = ENGINES["loop"]().run(stack.weights[0], inputs, masks=Masks(zoneout={output: share}))
        torch.testing.assert_close(found.values, expected.values)


def test_a_unit_zoned_out_keeps_its_value_at_that_step():
    stack, _ = made("lstm", zoneout=0.4)
    values = stack(Padded(torch.randn(40, 30, 3, dtype=torch.float64), torch.full((40,), 30)))[0].values
    same = values[:, 1:] == values[:, :-1]
    assert same.double().mean().item() == pytest.approx(0.4, abs=0.02)
    twice = (same[:, 1:] & same[:, :-1]).double().mean().item()
    assert twice == pytest.approx(0.4**2, abs=0.02), "drawn anew at each step"


@pytest.mark.parametrize("rates", [{"zoneout": 0.1}, {"zoneout_memory": 0.1}])
def test_an_engine_without_zoneout_is_refused(rates):
    with pytest.raises(UserError, match="no zoneout"):
        made("lstm", engine="torch", **rates)
    assert made("lstm", **rates)[0].choice.name != "torch"


def test_weight_drop_runs_on_every_engine_alike():
    found = {}
    for engine in ENGINES:
        stack, inputs = made("lstm", engine=engine, bidirectional=True, weight=0.4)
        torch.manual_seed(5)
        found[engine] = stack(inputs)[0].values
    for each in found.values():
        torch.testing.assert_close(each, found["loop"])
