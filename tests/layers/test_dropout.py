"""What each kind of dropout drops, and when."""

import pytest
import torch
from cells.variants import every_cell

from rnncli.engines.engine import ENGINES, Masks
from rnncli.layers.dropout import Dropout, InputDropout, draw_mask
from rnncli.layers.recurrent import Stack
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded

ALL = DropoutSettings(embedding=0.3, word=0.2, between_layers=0.4, variational=0.25, recurrent=0.5)


def sequences(batch=5, time=7, features=3, lengths=None):
    torch.manual_seed(0)
    return Padded(torch.randn(batch, time, features), torch.tensor(lengths or [time] * batch))


def test_nothing_is_dropped_in_evaluation():
    inputs = sequences()
    cell = every_cell()["lstm"]
    torch.manual_seed(1)
    dropping = Stack(cell, 3, layers=2, bidirectional=True, dropout=ALL).eval()
    torch.manual_seed(1)
    plain = Stack(cell, 3, layers=2, bidirectional=True, engine="loop")
    torch.testing.assert_close(dropping(inputs)[0].values, plain(inputs)[0].values)
    assert InputDropout(ALL).eval()(inputs) is inputs


def test_a_mask_keeps_the_expectation():
    torch.manual_seed(2)
    mask = draw_mask((400, 500), 0.3, torch.zeros(1, dtype=torch.float64))
    assert mask.unique().tolist() == pytest.approx([0, 1 / 0.7])
    assert mask.mean().item() == pytest.approx(1, abs=0.01)


def test_word_dropout_takes_whole_tokens_and_scales_the_others():
    inputs = sequences(batch=60, time=50)
    out = InputDropout(DropoutSettings(word=0.2))(inputs).values
    ratio = out / inputs.values
    dropped = (ratio == 0).all(dim=2)
    torch.testing.assert_close(ratio, torch.where(dropped, 0.0, 1.25).unsqueeze(2).expand_as(ratio))
    assert dropped.double().mean().item() == pytest.approx(0.2, abs=0.03)
    assert dropped.any(dim=0).all(), "every step is dropped somewhere"
    assert (~dropped).any(dim=1).all(), "not whole sequences"


def test_embedding_dropout_takes_single_numbers():
    inputs = sequences(batch=60, time=50)
    ratio = InputDropout(DropoutSettings(embedding=0.3))(inputs).values / inputs.values
    dropped = ratio == 0
    assert dropped.double().mean().item() == pytest.approx(0.3, abs=0.02)
    assert not dropped.all(dim=2).any(dim=1).all()
    torch.testing.assert_close(ratio[~dropped], torch.full_like(ratio[~dropped], 1 / 0.7))


def ones(batch=20, time=7):
    return Padded(torch.ones(batch, time, 3), torch.full((batch,), time))


def transparent(layers=1, bidirectional=False, **rates):
    """A linear stack whose layers add what they read to what they remember: W = I, U = 0 until a test sets it."""
    cell = every_cell(hidden_size=3)["rnn-identity"]
    stack = Stack(cell, 3, layers=layers, bidirectional=bidirectional, dropout=DropoutSettings(**rates))
    with torch.no_grad():
        for weights in stack.weights:
            weights.weight_ih.copy_(torch.eye(3))
            weights.weight_hh.zero_()
            weights.bias.zero_()
    return stack


def test_variational_masks_are_the_same_at_all_steps_and_differ_between_rows_and_layers():
    torch.manual_seed(3)
    one, _ = transparent(variational=0.25)(ones())
    torch.testing.assert_close(one.values, one.values[:, :1].expand(-1, 7, -1))
    torch.testing.assert_close(one.values.unique(), torch.tensor([0, 4 / 3]))
    assert len(one.values[:, 0].unique(dim=0)) > 2, "rows differ"
    two, _ = transparent(layers=2, variational=0.25)(ones(batch=500))
    torch.testing.assert_close(two.values, two.values[:, :1].expand(-1, 7, -1))
    share = (two.values[:, 0] != 0).double().mean().item()
    assert share == pytest.approx(0.75**2, abs=0.05), "each layer has a mask of its own"


def test_dropout_between_layers_leaves_a_single_layer_alone_and_changes_with_time():
    torch.manual_seed(4)
    torch.testing.assert_close(transparent(between_layers=0.4)(ones())[0].values, ones().values)
    two = transparent(layers=2, between_layers=0.4)(ones(batch=100))[0].values
    torch.testing.assert_close(two.unique(), torch.tensor([0, 1 / 0.6]))
    assert (two == 0).double().mean().item() == pytest.approx(0.4, abs=0.05)
    assert not torch.equal(two[:, 0], two[:, 1])


def test_recurrent_masks_are_the_same_at_all_steps_and_differ_between_rows_and_directions():
    stack = transparent(bidirectional=True, recurrent=0.5)
    with torch.no_grad():
        for weights in stack.weights:
            weights.weight_hh.copy_(torch.eye(3))
    start = (torch.ones(20, 3),)
    outputs, _ = stack(ones().with_values(torch.zeros(20, 7, 3)), (start, start))
    ahead, back = outputs.values.detach().split(3, dim=2)
    for direction in (ahead, back.flip(1)):
        mask = direction[:, 0]
        torch.testing.assert_close(mask.unique(), torch.tensor([0.0, 2.0]))
        for t in range(7):
            torch.testing.assert_close(direction[:, t], mask ** (t + 1))
        assert len(mask.unique(dim=0)) > 2, "rows differ"
    assert not torch.equal(ahead, back.flip(1))


@pytest.mark.parametrize("cell", list(every_cell()))
def test_recurrent_dropout_is_what_the_loop_does_with_one_mask(cell):
    inputs = sequences(lengths=[7, 1, 3, 6, 2])
    stack = Stack(every_cell()[cell], 3, dropout=DropoutSettings(recurrent=0.5))
    torch.manual_seed(5)
    outputs, _ = stack(inputs)
    torch.manual_seed(5)
    mask = draw_mask((5, 4), 0.5, inputs.values)
    expected, _ = ENGINES["loop"]().run(stack.weights[0], inputs, masks=Masks(hidden=mask))
    torch.testing.assert_close(outputs.values, expected.values)


def test_masks_of_any_shape_and_rate():
    torch.manual_seed(4)
    for shape, rate in (((3,), 0.5), ((7, 1, 3), 0.01), ((90_000, 5), 0.01), ((90_000, 5), 0.999)):
        mask = draw_mask(shape, rate, torch.zeros(1, dtype=torch.float64))
        assert mask.shape == shape
        assert set(mask.unique().tolist()) <= {0, 1 / (1 - rate)}
        if mask.numel() > 100:
            assert (mask == 0).double().mean().item() == pytest.approx(rate, abs=1e-3)
            flat = (mask.flatten() == 0).double()
            for lag in (1, 2, 3, 4):
                assert torch.corrcoef(torch.stack([flat[lag:], flat[:-lag]]))[0, 1].abs() < 0.01


def test_dropout_keeps_the_memory_of_sequences():
    torch.manual_seed(5)
    values = torch.randn(4, 6, 3).transpose(0, 1).requires_grad_()
    out = Dropout(0.4)(values)
    assert out.stride() == values.stride()
    dropped = out == 0
    torch.testing.assert_close(out, torch.where(dropped, 0.0, values / 0.6))
    out.sum().backward()
    torch.testing.assert_close(values.grad, torch.where(dropped, 0.0, 1 / 0.6).expand_as(values))
    assert Dropout(0.4).eval()(values) is values and Dropout(0.0)(values) is values
