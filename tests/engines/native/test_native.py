"""The engine native against the loop in double precision: sizes, threads, layouts of memory, numbers that are none."""

from __future__ import annotations

import pytest
import torch
from cells.variants import every_cell

from engines.test_engines import NEEDS, Case, gradients, random_sum
from rnncli.cells import make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import Masks
from rnncli.sequences import Padded

pytestmark = NEEDS["native"]

SIZES = {
    "one of each": (1, 3, [1], 1),
    "unequal rows in groups": (7, 5, [2, 1, 2, 1, 1], 2),
    "more threads than panels": (33, 2, [1, 2, 2, 1, 2], 5),
    "threads share the panels": (70, 3, [2, 1], 2),
    "several chunks of steps": (7, 1, [40, 25, 35, 7], 1),
    "several chunks, shared": (33, 3, [60, 1, 45], 2),
    "more rows than a chunk": (3, 2, [1] * 60 + [3] * 70, 1),
}
"""Hidden size, input size, lengths, threads."""
BACKWARDS = ("unequal rows in groups", "threads share the panels", "several chunks of steps")


@pytest.fixture
def threads():
    """Sets the number of threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def drawn(cell, hidden_size, input_size=3, lengths=(5, 1, 7, 2, 6), dtype=torch.float64):
    """Random parameters, inputs and initial state, all of which want gradients; equal but for rounding in each type."""
    torch.manual_seed(hidden_size)
    weights = CellWeights(make_cell(every_cell(hidden_size)[cell]), input_size).to(dtype)
    values = torch.randn(max(lengths), len(lengths), input_size, dtype=torch.float32).to(dtype).transpose(0, 1)
    state = tuple(
        torch.randn(each.shape, dtype=torch.float32).to(dtype).requires_grad_()
        for each in weights.zero_state(len(lengths))
    )
    return Case(weights, Padded(values.requires_grad_(), torch.tensor(lengths)), state)


def everything(ours, engine="native", **options):
    outputs, final = ours.run(engine, **options)
    found = gradients(ours, outputs.double(), [each.double() for each in final])  # the same loss in any precision
    return {"outputs": outputs, "final": final, "gradients": found}


def detached(found):
    return {**found, "outputs": found["outputs"].detach(), "final": [each.detach() for each in found["final"]]}


def as_double(found):
    if isinstance(found, torch.Tensor):
        return found.double()
    if isinstance(found, dict):
        return {key: as_double(each) for key, each in found.items()}
    return [as_double(each) for each in found]


@pytest.mark.parametrize("cell", list(every_cell()))
def test_equals_the_loop(cell, threads):
    for size, (hidden_size, input_size, lengths, count) in SIZES.items():
        ours, reverse = drawn(cell, hidden_size, input_size, lengths), size in BACKWARDS
        expected = everything(ours, "loop", reverse=reverse)
        threads(count)
        torch.testing.assert_close(everything(ours, reverse=reverse), expected)


@pytest.mark.parametrize("size", ["unequal rows in groups", "threads share the panels", "more threads than panels"])
@pytest.mark.parametrize("cell", list(every_cell()))
def test_single_precision_is_close_to_the_loop_in_double(cell, size, threads):
    *sizes, count = SIZES[size]
    expected = everything(drawn(cell, *sizes), "loop")
    threads(count)
    found = everything(drawn(cell, *sizes, dtype=torch.float32))
    torch.testing.assert_close(as_double(found), as_double(expected), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("cell", ["lstm", "layer_norm_lstm", "gru-before", "peephole_lstm-diagonal"])
def test_every_hidden_size(cell, threads):
    """Around the widths of vectors, panels, and shares of threads."""
    for hidden_size in (*range(1, 20), 31, 32, 33, 47, 48, 49, 63, 64, 65):
        ours = drawn(cell, hidden_size, input_size=hidden_size % 5 + 1, lengths=[2, 3, 1])
        expected = everything(ours, "loop")
        for count in (1, 2, 3):
            threads(count)
            torch.testing.assert_close(everything(ours), expected)


@pytest.mark.parametrize("lengths", [[9, 3, 7], [4] * 20])
@pytest.mark.parametrize("cell", ["lstm", "layer_norm_lstm", "gru-before"])
def test_as_many_threads_give_the_same_bits(cell, lengths, threads):
    for count in (1, 2, 3, 5):
        threads(count)
        ours = drawn(cell, 70, lengths=lengths, dtype=torch.float32)
        first = everything(ours)
        with torch.no_grad():
            outputs, final = ours.run("native")
        for found in (everything(ours), first | {"outputs": outputs, "final": final}):
            torch.testing.assert_close(detached(found), detached(first), rtol=0, atol=0)


def by_batch(values):
    return values.contiguous()


def with_gaps(values):
    wide = torch.full((values.shape[0], 2 * values.shape[1], 3 * values.shape[2]), float("nan"), dtype=values.dtype)
    wide[:, ::2, ::3] = values
    return wide[:, ::2, ::3]


def with_longer_rows(values):
    wide = torch.full((*values.shape[:2], values.shape[2] + 3), float("nan"), dtype=values.dtype)
    wide[..., 2:-1] = values
    return wide[..., 2:-1]


@pytest.mark.parametrize("layout", [by_batch, with_gaps, with_longer_rows])
@pytest.mark.parametrize("cell", ["lstm", "gru-before"])
def test_any_layout_of_inputs(cell, layout):
    ours = drawn(cell, 7)
    other = ours._replace(inputs=ours.inputs.with_values(layout(ours.inputs.values.detach()).requires_grad_()))
    torch.testing.assert_close(everything(other), everything(ours), rtol=0, atol=0)


@pytest.mark.parametrize("sizes", [(7, 5), (1, 1)])
def test_inputs_and_gradients_that_are_expanded(sizes):
    ours = drawn("lstm", *sizes)
    expanded = ours.inputs.with_values(ours.inputs.values.detach()[:1, :1].expand(5, 7, -1).requires_grad_())
    found = []
    for engine in ("native", "loop"):
        outputs, final = ours._replace(inputs=expanded).run(engine)
        loss = outputs.sum() + sum(each.mean() for each in final)
        found.append(torch.autograd.grad(loss, [expanded.values, *ours.state, *ours.weights.parameters()]))
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("cell", ["lstm", "layer_norm_lstm", "gru-before", "mut1"])
def test_each_gradient_alone_is_that_among_all(cell):
    ours = drawn(cell, 7)
    outputs, final = ours.run("native")
    wanted = [ours.inputs.values, *ours.state, *(each for each in ours.weights.parameters() if each.numel())]
    expected = torch.autograd.grad(random_sum([outputs, *final]), wanted)
    for each in wanted:
        each.requires_grad_(False)
    for each, gradient in zip(wanted, expected, strict=True):
        each.requires_grad_()
        outputs, final = ours.run("native")
        (found,) = torch.autograd.grad(random_sum([outputs, *final]), [each])
        torch.testing.assert_close(found, gradient, rtol=0, atol=0)
        each.requires_grad_(False)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("junk", [float("nan"), float("inf")])
@pytest.mark.parametrize("cell", ["lstm", "layer_norm_lstm", "gru-before", "rnn-relu"])
def test_what_is_not_finite_reaches_all_weights_and_no_other_row(cell, junk, count, threads):
    ours = drawn(cell, 33, lengths=[4] * 5)
    with torch.no_grad():
        ours.inputs.values[3, 1, 0] = junk
    expected = everything(ours, "loop")
    threads(count)
    found = everything(ours)
    torch.testing.assert_close(found["outputs"], expected["outputs"], equal_nan=True)
    others = [0, 1, 2, 4]
    torch.testing.assert_close(found["gradients"]["inputs"][others], expected["gradients"]["inputs"][others])
    assert found["outputs"][others].isfinite().all()
    for name, gradient in expected["gradients"].items():
        assert not found["gradients"][name][~gradient.isfinite()].isfinite().any(), name
    assert not found["gradients"]["weight_ih"].isfinite().all()


@pytest.mark.parametrize("count", [1, 2])
def test_subnormal_numbers_are_numbers(count, threads):
    ours = drawn("rnn-identity", 70, lengths=[3], dtype=torch.float32)
    with torch.no_grad():
        for each in (*ours.weights.parameters(), ours.inputs.values):
            each.zero_()
        ours.weights.weight_hh.copy_(torch.eye(70))
        ours.state[0].fill_(1e-40)
    threads(count)
    outputs, _ = ours.run("native")
    assert (outputs == torch.tensor(1e-40)).all() and torch.tensor(1e-40) > 0
    small = torch.full((100_000,), 1e-40)
    assert (small * 1.5 > small).all()  # nor has the process unlearnt them, in any of torch's threads


@pytest.mark.parametrize("drawn_in", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", ["lstm", "gru-before", "gru-after", "layer_norm_lstm"])
def test_masks_in_single_precision(cell, drawn_in, threads):
    results = []
    threads(2)
    for engine, dtype in (("loop", torch.float64), ("native", torch.float32)):
        ours = drawn(cell, 33, dtype=dtype)
        generator = torch.Generator().manual_seed(2)
        hidden = (torch.rand(5, 33, generator=generator) < 0.6).to(drawn_in) * 2
        share = (torch.rand(7, 5, 33, generator=generator) < 0.4).to(drawn_in).transpose(0, 1)
        results.append(as_double(everything(ours, engine, masks=Masks(hidden, {"h": share}))))
    torch.testing.assert_close(*results, rtol=1e-4, atol=2e-5)
