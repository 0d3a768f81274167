"""Learning rates: those of torch where torch has the schedule, by hand elsewhere."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LRScheduler,
    ReduceLROnPlateau,
    StepLR,
)

from rnncli.training.events import Evaluation, Step
from rnncli.training.schedules import factor, warmup
from rnncli.training.settings import SCHEDULES, TrainingSettings

from .small import loop_of, model_for, sequences

BATCHES = 4  # 13 sequences in fours


def rates(epochs: int, values: list[float] | None = None, **options: object) -> list[float]:
    """The learning rate of every step of a training."""
    data = sequences()
    loop = loop_of(
        model_for(data), data, values, epochs=epochs, learning_rate=0.4, optimizer={"type": "sgd"}, **options
    )
    return [event.learning_rate for event in loop.events() if isinstance(event, Step)]


def torch_rates(build: object, steps: int) -> list[float]:
    """The same of a scheduler of torch, asked before each of its steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.4)
    scheduler: LRScheduler = build(optimizer)  # type: ignore[operator]
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def each_step(of_epochs: list[float]) -> list[float]:
    return [rate for rate in of_epochs for _ in range(BATCHES)]


def test_step_as_torch() -> None:
    expected = torch_rates(lambda optimizer: StepLR(optimizer, 2, gamma=0.3), 5)
    assert rates(5, schedule={"type": "step", "every": 2, "factor": 0.3}) == pytest.approx(each_step(expected))


def test_exponential_as_torch() -> None:
    expected = torch_rates(lambda optimizer: ExponentialLR(optimizer, 0.7), 4)
    assert rates(4, schedule={"type": "exponential", "factor": 0.7}) == pytest.approx(each_step(expected))


def test_cosine_as_torch_over_all_steps() -> None:
    expected = torch_rates(lambda optimizer: CosineAnnealingLR(optimizer, 3 * BATCHES, eta_min=0.04), 3 * BATCHES)
    assert rates(3, schedule={"type": "cosine", "final": 0.1}) == pytest.approx(expected)


def test_plateau_as_torch() -> None:
    values = [5.0, 4.0, 4.0, 4.5, 4.0, 4.2, 3.9, 4.0, 4.0, 4.0, 4.0, 1.0]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.4)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1, threshold=0.0)
    expected = []
    for value in values:
        expected.append(optimizer.param_groups[0]["lr"])
        scheduler.step(value)
    found = rates(len(values), values, schedule={"type": "plateau", "patience": 1, "factor": 0.5})
    assert found == pytest.approx(each_step(expected))
    assert len(set(expected)) > 3


def test_plateau_counts_evaluations_within_an_epoch() -> None:
    values = [1.0, 2.0, 2.0, 2.0]
    found = rates(1, values, evaluation_steps=1, schedule={"type": "plateau", "patience": 0, "factor": 0.5})
    assert found == pytest.approx([0.4, 0.4, 0.2, 0.1])


def test_halving_of_zaremba_by_hand() -> None:
    """Medium model of Zaremba et al. 2014: six epochs at the full rate, then divided by 1.2 before each later one."""
    settings = SCHEDULES["halving"].model_validate({"type": "halving", "constant": 6, "factor": 1 / 1.2})
    found = [factor(settings, epoch, 0.0, 0) for epoch in range(9)]
    assert found == pytest.approx([1, 1, 1, 1, 1, 1, 1 / 1.2, 1 / 1.44, 1 / 1.728])
    plain = SCHEDULES["halving"].model_validate({"type": "halving"})
    assert [factor(plain, epoch, 0.0, 0) for epoch in range(6)] == [1, 1, 1, 1, 0.5, 0.25]


def test_warm_up_by_hand() -> None:
    assert [warmup(4, step) for step in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    assert warmup(0, 0) == 1
    found = rates(2, warmup_steps=3, schedule={"type": "exponential", "factor": 0.5})
    assert found == pytest.approx([0.4 / 3, 0.8 / 3, 0.4, 0.4, 0.2, 0.2, 0.2, 0.2])


def test_constant() -> None:
    assert set(rates(2)) == {0.4}


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_are_told_with_the_evaluation(name: str) -> None:
    options = {"every": 1} if name == "step" else {"factor": 0.5} if name == "exponential" else {}
    data = sequences()
    loop = loop_of(model_for(data), data, [1.0, 2.0], schedule={"type": name, **options})
    events = list(loop.events())
    last = {event.epoch: event.learning_rate for event in events if isinstance(event, Step)}
    assert [event.learning_rate for event in events if isinstance(event, Evaluation)] == list(last.values())


@pytest.mark.parametrize(
    "options",
    [
        {"schedule": {"type": "step", "every": 0}},
        {"schedule": {"type": "exponential", "factor": 1.5}},
        {"refit": True, "schedule": {"type": "plateau"}},
        {"refit": True, "patience": 2},
        {"averaging": {"type": "mean", "decay": 0.9}},
        {"averaging": {"type": "mean"}, "optimizer": {"type": "asgd", "start": 3}},
        {"optimizer": {"type": "sgd", "nesterov": True}},
        {"optimizer": {"type": "adam", "betas": [0.9, 1.0]}},
    ],
)
def test_what_can_not_be_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainingSettings.model_validate(options)
