"""Training with gradients that go back a few steps only, on whole sequences and on windows."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
import torch
from models.data import settings, windows
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnncli.inputs.features import Values
from rnncli.inputs.targets import Kind, Target
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.training.events import Step
from rnncli.training.mistakes import training_mistakes
from rnncli.training.settings import TrainingSettings

from .small import InOrder, loop_of, model_for, sequences, stream

ROWS = [[4, 0, 7], [2, 9], [1, 3, 5, 6, 8]]


def by_hand(model: Model, batches: InOrder, steps: int) -> None:
    """Plain SGD, each sequence read by the single steps of the stack, the state without its history every so many steps
    from its end."""
    for entry in batches.plan(1, None):
        batch = batches.batch(entry)
        read = model.inputs(batch)
        last = []
        for row, length in enumerate(read.lengths.tolist()):
            state = None
            for t in range(length):
                if t and (length - t) % steps == 0:
                    state = tuple(tuple(each.detach() for each in cell) for cell in state)
                output, state = model.stack.step(read.values[row, t : t + 1], state)
            last.append(output)
        model.zero_grad()
        cross_entropy(torch.cat(last) @ model.head.weight.T + model.head.bias, batch.targets).backward()
        with torch.no_grad():
            for weight in model.parameters():
                weight -= 0.5 * weight.grad


@pytest.mark.parametrize("steps", [1, 2, 4, None])
def test_a_sequence_has_one_loss_and_one_update_and_gradients_that_go_back_so_many_steps(steps: int | None) -> None:
    data = sequences()
    batches = InOrder(data, ROWS)
    found, expected = model_for(data, layers=2), model_for(data, layers=2)
    loop = loop_of(found, batches, bptt_steps=steps, epochs=1, optimizer={"type": "sgd"}, learning_rate=0.5)
    events = list(loop.events())
    by_hand(expected, batches, steps or 6)
    assert [event.items for event in events if isinstance(event, Step)] == [3, 2, 5]
    for ours, theirs in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    if steps is not None:
        whole = model_for(data, layers=2)
        by_hand(whole, batches, 6)
        pairs = zip(found.parameters(), whole.parameters(), strict=True)
        assert not all(torch.allclose(ours, theirs, atol=1e-5) for ours, theirs in pairs)


def test_a_row_learns_the_same_whatever_stands_beside_it() -> None:
    data = sequences()
    model = model_for(data)

    def gradients(rows: list[int]) -> list[Tensor]:
        loss, items, _ = model.loss(data.batch(np.array(rows)), None, 2)
        return list(torch.autograd.grad(loss * items, list(model.parameters())))

    alone = [sum(each) for each in zip(*(gradients([row]) for row in range(13)), strict=True)]
    torch.testing.assert_close(gradients(list(range(13))), alone, rtol=1e-4, atol=1e-6)


def test_a_batch_of_a_stream_is_not_cut_again() -> None:
    """Its last window may be one step longer than the others."""
    data = stream(tokens=62)
    batch = data.batch(data.plan(4, None, 5)[-1])
    assert batch.sequences.time == 6
    model = model_for(data)
    whole, cut = (
        torch.autograd.grad(model.loss(batch, None, steps)[0], list(model.parameters())) for steps in (None, 5)
    )
    torch.testing.assert_close(cut, whole, rtol=0, atol=0)


@pytest.mark.parametrize(("options", "first_steps"), [({}, 5), ({"shared": True}, 5), ({"patch": 2}, 2)])
def test_a_window_is_cut_from_its_end_by_steps_of_the_recurrent_layers(
    options: dict[str, Any], first_steps: int
) -> None:
    torch.manual_seed(3)
    target = Target("forecast", ("p", "q"), horizon=5)
    model = build_model(settings(**options), {"values": Values(4, (2, 0))}, target, context=8)
    values = torch.randn(6, 8, 4, requires_grad=True)
    reached = []
    for steps in (None, 3):
        loss, _, _ = model.loss(windows(values, torch.randn(6, 5, 2)), None, steps)
        reached.append(torch.autograd.grad(loss, values)[0].abs().sum(dim=(0, 2)) > 0)
    assert reached[0].all()
    assert reached[1].tolist() == [step >= first_steps for step in range(8)]


def test_only_both_directions_are_refused() -> None:
    chosen = TrainingSettings.model_validate({"bptt_steps": 3})
    targets = [Target(kind, ("a", "b", "c")) for kind in get_args(Kind)]
    for target in targets:
        assert list(training_mistakes(chosen, target, ["valid"], [], bidirectional=False)) == []
        (mistake,) = training_mistakes(chosen, target, ["valid"], [], bidirectional=True)
        assert mistake.startswith("training.bptt_steps: ") and "model.bidirectional" in mistake
    assert list(training_mistakes(TrainingSettings(), targets[0], ["valid"], [], bidirectional=True)) == []
