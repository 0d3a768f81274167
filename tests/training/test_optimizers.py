"""Optimizers as torch has them, clipping, and their state as tensors."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from rnncli.training.optimizers import Optimizer, build_optimizer, clip
from rnncli.training.settings import OPTIMIZERS, TrainingSettings

CASES = [
    ({"type": "sgd"}, torch.optim.SGD, {}),
    (
        {"type": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    (
        {"type": "adam", "betas": [0.8, 0.95], "epsilon": 1e-4, "weight_decay": 0.1},
        torch.optim.Adam,
        {"betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
    ),
    ({"type": "adamw", "weight_decay": 0.1}, torch.optim.AdamW, {"weight_decay": 0.1}),
    (
        {"type": "rmsprop", "alpha": 0.8, "momentum": 0.3, "epsilon": 1e-3},
        torch.optim.RMSprop,
        {"alpha": 0.8, "momentum": 0.3, "eps": 1e-3},
    ),
    ({"type": "asgd", "decay": 0.01, "start": 2}, torch.optim.ASGD, {"lambd": 0.01, "t0": 2}),
]


def weights() -> list[nn.Parameter]:
    torch.manual_seed(5)
    return [nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(2))]


def rate_at(step: int, constant: bool) -> float:
    return 0.1 if constant else 0.1 / (step + 1)


def gradients_at(step: int, of: list[nn.Parameter]) -> None:
    for number, weight in enumerate(of):
        weight.grad = torch.sin(weight.detach() * (step + 2) + number)


def descend(optimizer: Optimizer, steps: range, constant: bool = False) -> None:
    for step in steps:
        gradients_at(step, optimizer.weights)
        optimizer.step(rate_at(step, constant))


def ours(options: dict[str, object], of: list[nn.Parameter]) -> Optimizer:
    return build_optimizer(TrainingSettings.model_validate({"optimizer": options}).optimizer, of)


def test_every_optimizer_has_a_case() -> None:
    assert {options["type"] for options, _, _ in CASES} == set(OPTIMIZERS)


@pytest.mark.parametrize(("options", "of_torch", "named"), CASES)
def test_as_torch(options: dict[str, object], of_torch: type, named: dict[str, object]) -> None:
    found, expected = weights(), weights()
    constant = of_torch is torch.optim.ASGD  # torch's takes a new rate one step late
    descend(ours(options, found), range(6), constant)
    optimizer = of_torch(expected, 0.1, **named)
    for step in range(6):
        optimizer.param_groups[0]["lr"] = rate_at(step, constant)
        gradients_at(step, expected)
        optimizer.step()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "options", [{"momentum": 0.95}, {"momentum": 0.6, "nesterov": True, "weight_decay": 0.01}, {"momentum": 0.0}]
)
def test_momentum_that_leaves_the_size_of_the_steps(options: dict[str, object]) -> None:
    found, expected = weights(), weights()
    descend(ours({"type": "sgd", "rescale_learning_rate": True, **options}, found), range(6))
    optimizer = torch.optim.SGD(expected, 0.1, **options)
    for step in range(6):
        optimizer.param_groups[0]["lr"] = rate_at(step, constant=False) * (1 - options["momentum"])
        gradients_at(step, expected)
        optimizer.step()
    torch.testing.assert_close(found, expected)


def test_averages_of_asgd_as_torch() -> None:
    found, expected = weights(), weights()
    optimizer = ours({"type": "asgd", "decay": 0.01, "start": 2}, found)
    descend(optimizer, range(7), constant=True)
    of_torch = torch.optim.ASGD(expected, 0.1, lambd=0.01, t0=2)
    for step in range(7):
        gradients_at(step, expected)
        of_torch.step()
    torch.testing.assert_close(optimizer.averages, [of_torch.state[weight]["ax"] for weight in expected])


@pytest.mark.parametrize("options", [options for options, _, _ in CASES])
def test_saved_and_restored_goes_on_bit_for_bit(options: dict[str, object]) -> None:
    whole, parted = weights(), weights()
    descend(ours(options, whole), range(6))
    first = ours(options, parted)
    descend(first, range(3))
    saved = {name: value.clone() for name, value in first.tensors().items()}
    second = ours(options, parted)
    second.restore(saved)
    descend(second, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(whole, parted, strict=True))


@pytest.mark.parametrize("options", [options for options, _, _ in CASES])
def test_weights_without_gradients_stay(options: dict[str, object]) -> None:
    moved, still = weights()
    expected = still.detach().clone()
    optimizer = ours(options, [still, moved])
    moved.grad = torch.ones_like(moved)
    before = moved.detach().clone()
    optimizer.step(0.1)
    assert torch.equal(still, expected) and not torch.equal(moved, before)


def test_torchs_compiler_is_not_loaded() -> None:
    code = """
import sys, torch
from rnncli.training.optimizers import build_optimizer, clip
from rnncli.training.settings import TrainingSettings
for options in ({"type": "sgd"}, {"type": "adam"}, {"type": "rmsprop"}, {"type": "asgd", "start": 1}):
    weight = torch.nn.Parameter(torch.ones(2))
    weight.sum().backward()
    clip([weight], 1.0, 1.0)
    build_optimizer(TrainingSettings.model_validate({"optimizer": options}).optimizer, [weight]).step(0.1)
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def with_gradients() -> list[nn.Parameter]:
    first, second = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1))
    first.grad, second.grad = torch.tensor([3.0, -12.0]), torch.tensor([4.0])
    return [first, second]


def gradients(of: list[nn.Parameter]) -> list[float]:
    return [number for weight in of if weight.grad is not None for number in weight.grad.tolist()]


def test_clipping_by_norm() -> None:
    clipped = with_gradients()
    assert clip(clipped, 1.0, None) == pytest.approx(13)
    assert gradients(clipped) == pytest.approx([3 / 13, -12 / 13, 4 / 13])
    short = with_gradients()
    assert clip(short, 20.0, None) == pytest.approx(13)
    assert gradients(short) == [3, -12, 4]


def test_clipping_by_value_and_both() -> None:
    clipped = with_gradients()
    assert clip(clipped, None, 3.5) is None
    assert gradients(clipped) == [3, -3.5, 3.5]
    both = with_gradients()
    norm = (3**2 + 2 * 3.5**2) ** 0.5
    assert clip(both, 1.0, 3.5) == pytest.approx(norm)
    assert gradients(both) == pytest.approx([3 / norm, -3.5 / norm, 3.5 / norm])
