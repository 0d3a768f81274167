"""Averages of weights against brute force."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rnncli.training.averaging import Average, swapped_in
from rnncli.training.events import Evaluation, Step
from rnncli.training.settings import AveragingSettings

from .small import loop_of, model_for, sequences, weights_of


def average(**options: object) -> tuple[nn.Parameter, Average]:
    weight = nn.Parameter(torch.randn(3, 4))
    return weight, Average([weight], AveragingSettings.model_validate(options))


def walk(weight: nn.Parameter, kept: Average, steps: int) -> list[torch.Tensor]:
    torch.manual_seed(2)
    seen = []
    for _ in range(steps):
        with torch.no_grad():
            weight.add_(torch.randn(3, 4))
        kept.update()
        seen.append(weight.detach().clone())
    return seen


def test_mean_is_the_mean_of_all_weights_seen() -> None:
    weight, kept = average(type="mean")
    seen = walk(weight, kept, 9)
    torch.testing.assert_close(kept.values[0], torch.stack(seen).mean(0))


def test_exponential_by_hand() -> None:
    weight, kept = average(type="exponential", decay=0.4)
    seen = walk(weight, kept, 9)
    expected = seen[0]
    for number, value in enumerate(seen[1:], start=2):
        decay = min(0.4, number / (9 + number))
        expected = decay * expected + (1 - decay) * value
    torch.testing.assert_close(kept.values[0], expected)


def test_swapping_in_restores_the_bits() -> None:
    weights = [nn.Parameter(torch.randn(3)), nn.Parameter(torch.randn(2, 2))]
    before, others = [weight.detach().clone() for weight in weights], [torch.randn(3), torch.randn(2, 2)]

    def go_wrong() -> None:
        with swapped_in(weights, others):
            assert all(torch.equal(weight, other) for weight, other in zip(weights, others, strict=True))
            raise ValueError

    with pytest.raises(ValueError):
        go_wrong()
    assert all(torch.equal(weight, own) for weight, own in zip(weights, before, strict=True))


@pytest.mark.parametrize("start", [1, 2])
def test_the_loop_averages_from_its_epoch_on(start: int) -> None:
    data = sequences()
    model = model_for(data)
    loop = loop_of(model, data, epochs=3, averaging={"type": "mean", "start": start})
    seen: list[dict[str, torch.Tensor]] = []
    for event in loop.events():
        if isinstance(event, Step) and event.epoch >= start:
            seen.append(weights_of(model))
        if isinstance(event, Evaluation):
            own = weights_of(model)
            with loop.chosen():
                chosen = weights_of(model)
            torch.testing.assert_close(weights_of(model), own, rtol=0, atol=0)
            expected = {name: torch.stack([one[name] for one in seen]).mean(0) for name in own} if seen else own
            torch.testing.assert_close(chosen, expected)
    assert len(seen) == 4 * (4 - start)


def test_asgd_is_evaluated_with_its_average() -> None:
    data = sequences()
    model = model_for(data)
    loop = loop_of(model, data, epochs=2, optimizer={"type": "asgd", "start": 3, "decay": 0.0}, learning_rate=0.5)
    seen = [weights_of(model) for event in loop.events() if isinstance(event, Step)]
    # As torch's: with t0 = 3 the mean begins at the fifth step.
    expected = {name: torch.stack([one[name] for one in seen[4:]]).mean(0) for name in seen[0]}
    with loop.chosen():
        torch.testing.assert_close(weights_of(model), expected)
    torch.testing.assert_close(weights_of(model), seen[-1], rtol=0, atol=0)
