"""The training loop: its steps against loops by hand, and its saving at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from rnncli.errors import TrainingStopped
from rnncli.inputs.batches import Dataset
from rnncli.models.model import Model
from rnncli.training.events import CheckpointDue, Ended, Evaluation, Event, Step
from rnncli.training.loop import Loop
from rnncli.training.progress import Progress
from rnncli.training.settings import OPTIMIZERS

from .small import InOrder, loop_of, model_for, sequences, stream, weights_of

SGD = {"type": "sgd"}


def run(loop: Loop) -> list[Event]:
    return list(loop.events())


@pytest.mark.parametrize("clip", [{}, {"clip_norm": 0.05}, {"clip_value": 0.01}])
def test_accumulated_batches_are_one_batch(clip: dict[str, float]) -> None:
    data = sequences(14)
    rows = np.random.default_rng(1).permutation(14).tolist()
    parted = InOrder(data, [rows[:4], rows[4:5], rows[5:8], rows[8:10], rows[10:14]])  # 3 batches, then the 2 left
    whole = InOrder(data, [rows[:8], rows[8:14]])
    torch.set_default_dtype(torch.float64)
    try:
        first, second = model_for(data), model_for(data)
    finally:
        torch.set_default_dtype(torch.float32)
    told = run(loop_of(first, parted, accumulate=3, optimizer=SGD, learning_rate=0.5, **clip))
    expected = run(loop_of(second, whole, optimizer=SGD, learning_rate=0.5, **clip))
    torch.testing.assert_close(weights_of(first), weights_of(second), rtol=1e-9, atol=1e-12)
    steps = [[event for event in events if isinstance(event, Step)] for events in (told, expected)]
    assert [step.items for step in steps[0]] == [step.items for step in steps[1]] == [8, 6, 8, 6]
    assert [step.loss for step in steps[0]] == pytest.approx([step.loss for step in steps[1]])
    assert [step.gradient_norm for step in steps[0]] == pytest.approx([step.gradient_norm for step in steps[1]])
    assert [step.batch for step in steps[0]] == [3, 5, 3, 5]


def by_hand(model: Model, data: Dataset, steps: int, carried: bool) -> None:
    """Plain SGD over the windows of a stream with the modules of the model, the state handed over without history."""
    for _ in range(2):
        state = None
        for entry in data.plan(4, None, steps):
            batch = data.batch(entry)
            read, state = model.stack(model.inputs(batch), state if carried else None, final_state=True)
            state = tuple(tuple(each.detach() for each in cell) for cell in state)
            valid = read.mask
            logits = model.head.weight @ read.values[valid].T + model.head.bias[:, None]
            model.zero_grad()
            cross_entropy(logits.T, batch.targets[valid]).backward()
            with torch.no_grad():
                for weight in model.parameters():
                    weight -= 0.5 * weight.grad


@pytest.mark.parametrize("carried", [True, False])
def test_truncated_bptt_carries_the_state_and_cuts_its_history(carried: bool) -> None:
    data = stream(tokens=63)
    found, expected = model_for(data), model_for(data)
    run(loop_of(found, data, bptt_steps=6, optimizer=SGD, learning_rate=0.5))
    by_hand(expected, data, 6, carried)
    close = all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found.parameters(), expected.parameters(), strict=True))
    assert close is carried, "without the state carried the weights would be others"


def test_no_gradient_reaches_the_window_before() -> None:
    data = stream()
    model = model_for(data)
    first, second = (data.batch(entry) for entry in data.plan(4, None, 5)[:2])
    _, _, state = model.loss(first)
    assert state is not None and not any(each.requires_grad for cell in state for each in cell)
    begun = [[torch.zeros_like(each).requires_grad_() for each in cell] for cell in state]
    loss, _, _ = model.loss(second, tuple(tuple(cell) for cell in begun))
    assert all(grad.abs().sum() > 0 for grad in torch.autograd.grad(loss, begun[0])), "the state is read"


MANY = {
    "epochs": 3,
    "evaluation_steps": 2,
    "checkpoint_steps": 3,
    "learning_rate": 0.05,
    "clip_norm": 0.5,
    "warmup_steps": 3,
    "averaging": {"type": "exponential", "decay": 0.8, "start": 2},
    "schedule": {"type": "plateau", "patience": 0, "factor": 0.7},
}
DROPPING = {"layers": 2, "dropout": {"embedding": 0.2, "variational": 0.2, "between_layers": 0.3, "output": 0.2}}


def told(events: Iterator[Event]) -> list[Any]:
    """Events without what clocks have to do with."""
    timed = {"seconds": 0.0, "items_per_second": 0.0}
    return [
        type(event)(**(vars(event) | timed)) if isinstance(event, Evaluation) else event
        for event in events
        if not isinstance(event, CheckpointDue)
    ]


@pytest.mark.parametrize("kind", ["stream", "sequences"])
def test_a_loop_stopped_at_any_event_goes_on_bit_for_bit(kind: str) -> None:
    data = stream() if kind == "stream" else sequences(33)
    options = MANY | ({"bptt_steps": 4} if kind == "stream" else {"accumulate": 2})
    rising = [3.0, 2.0, 2.5, 1.0, 4.0, 4.0, 1.5, 0.5, 0.7, 0.6, 0.4, 0.9]

    def fresh(seen: int) -> Loop:
        return loop_of(model_for(data, **DROPPING), data, rising[seen:], **options)

    loop = fresh(0)
    whole = told(loop.events())
    final = {name: value.clone() for name, value in loop.tensors().items()}
    assert sum(isinstance(event, Evaluation) for event in whole) >= 6
    count = len(run(fresh(0)))
    for moment in range(count):
        before = fresh(0)
        first = list(islice(before.events(), moment))
        saved = {name: value.clone() for name, value in before.tensors().items()}
        progress = Progress.from_json(before.progress.to_json())
        torch.manual_seed(99)
        after = fresh(sum(isinstance(event, Evaluation) for event in first))
        torch.rand(5)
        after.restore(saved, progress)
        assert told(iter([*first, *after.events()])) == whole, f"stopped after event {moment}"
        ended = after.tensors()
        assert ended.keys() == final.keys()
        assert all(torch.equal(ended[name], value) for name, value in final.items())


OPTIONS: dict[str, dict[str, object]] = {"asgd": {"start": 2}, "sgd": {"momentum": 0.9}}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_any_optimizer_goes_on_bit_for_bit(name: str) -> None:
    data = sequences()
    optimizer = {"type": name, **OPTIONS.get(name, {})}
    whole, first, second = (model_for(data) for _ in range(3))
    run(loop_of(whole, data, optimizer=optimizer))
    begun = loop_of(first, data, optimizer=optimizer)
    list(islice(begun.events(), 6))
    going_on = loop_of(second, data, optimizer=optimizer)
    going_on.restore(begun.tensors(), begun.progress)
    run(going_on)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), second.parameters(), strict=True))


def test_same_seed_same_bits_other_seed_other_bits() -> None:
    data = sequences()

    def trained(seed: int) -> dict[str, torch.Tensor]:
        model = model_for(data, seed=seed, dropout={"embedding": 0.3})
        run(loop_of(model, data, seed=seed))
        return weights_of(model)

    first, again, other = trained(1), trained(1), trained(2)
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not any(torch.equal(value, other[name]) for name, value in first.items())


def test_every_epoch_has_an_order_of_its_own() -> None:
    data = sequences(40)
    loop = loop_of(model_for(data), data)
    plans = [np.concatenate(loop._plan(epoch)).tolist() for epoch in (0, 1, 0)]
    assert plans[0] == plans[2] != plans[1]
    assert sorted(plans[0]) == sorted(plans[1]) == list(range(40))


def test_patience_counts_evaluations_since_the_best() -> None:
    data = sequences()
    loop = loop_of(model_for(data), data, [3.0, 1.0, 2.0, 1.0, 5.0, 6.0], epochs=9, patience=3)
    events = run(loop)
    assert events[-1] == Ended("patience")
    assert [event.best for event in events if isinstance(event, Evaluation)] == [True, True, False, False, False]
    assert (loop.progress.best, loop.progress.best_epoch, loop.progress.best_step) == (1.0, 2, 8)
    longer = loop_of(loop.model, data, [0.5, 0.4], epochs=7, patience=9)
    longer.restore(loop.tensors(), loop.progress)
    assert run(longer)[-1] == Ended("epochs"), "with more patience it goes on"
    assert (longer.progress.best, longer.progress.best_epoch) == (0.4, 7)


def test_a_number_is_better_than_none() -> None:
    data = sequences()
    loop = loop_of(model_for(data), data, [float("nan"), 2.0, float("nan")], epochs=3)
    loop.improves = lambda new, old: old != old or new < old
    assert [event.best for event in run(loop) if isinstance(event, Evaluation)] == [True, True, False]


def test_time_is_limited_and_what_was_done_is_evaluated() -> None:
    data = sequences()
    loop = loop_of(model_for(data), data, [1.0], max_time=1e-9)
    events = run(loop)
    assert [type(event) for event in events] == [Step, Evaluation, CheckpointDue, Ended]
    assert events[-1] == Ended("time") and not events[1].ends_epoch
    more = loop_of(loop.model, data, [1.0, 1.0], max_time=9)
    more.restore(loop.tensors(), loop.progress)
    assert run(more)[-1] == Ended("epochs")
    assert more.progress.step == 8


def test_without_a_validation_part_the_last_weights_are_the_best() -> None:
    data = sequences()
    loop = loop_of(model_for(data), data)
    assert [event.best for event in run(loop) if isinstance(event, Evaluation)] == [True, True]
    assert (loop.progress.best, loop.progress.best_epoch, loop.progress.best_step) == (None, 2, 8)


def test_training_loss_is_the_mean_over_items() -> None:
    data = sequences()
    events = run(loop_of(model_for(data), data, evaluation_steps=3))
    steps: list[Step] = []
    for event in events:
        if isinstance(event, Step):
            steps.append(event)
        if isinstance(event, Evaluation):
            expected = sum(step.loss * step.items for step in steps) / sum(step.items for step in steps)
            assert event.train_loss == pytest.approx(expected)
            steps = []


def spoil(model: Model, value: float) -> None:
    with torch.no_grad():
        model.head.bias[0] = value


def test_a_loss_that_is_not_finite_stops() -> None:
    data = sequences()
    model = model_for(data)
    events = loop_of(model, data).events()
    next(events)
    next(events)
    spoil(model, float("nan"))
    message = r"loss nan at step 3 \(epoch 1\); norm of the last gradient 0\.\d+, .*training\.clip_norm.*kept"
    with pytest.raises(TrainingStopped, match=message):
        next(events)


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_gradient_that_is_not_finite_never_gets_into_a_checkpoint(clip: float | None) -> None:
    data = sequences()
    model = model_for(data)
    loop = loop_of(model, data, clip_norm=clip, optimizer=SGD)
    model.head.bias.register_hook(lambda gradient: gradient * float("inf"))
    message = "gradient not finite at step 1" if clip else "weights not finite after step 1"
    with pytest.raises(TrainingStopped, match=message + ".*norm of the last gradient (inf|nan)"):
        next(loop.events())
        loop.tensors()


def test_an_epoch_that_was_over_when_the_run_was_stopped_is_counted() -> None:
    """Stopped right after the evaluation that ends it, resumed where patience allows no further step."""
    data = sequences()
    before = loop_of(model_for(data), data, [1.0, 2.0], epochs=5, patience=1)
    for event in before.events():
        if isinstance(event, Evaluation) and event.epoch == 2:
            break
    assert (before.progress.epoch, len(before.progress.epoch_seconds)) == (1, 1)
    after = loop_of(model_for(data), data, epochs=5, patience=1)
    after.restore(before.tensors(), Progress.from_json(before.progress.to_json()))
    assert [event.reason for event in after.events() if isinstance(event, Ended)] == ["patience"]
    assert (after.progress.epoch, len(after.progress.epoch_seconds)) == (2, 2)
