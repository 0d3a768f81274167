"""Forecasts: scales of windows, skips, shared nets, patches."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnncli.inputs.features import Categories, Feature, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.windows import WindowNormalization
from rnncli.sequences import Padded

from .data import settings, windows

NORMALIZATIONS = ["none", "last", "level", "revin"]
TARGET = Target("forecast", ("p", "q"), horizon=5, season=3)
FEATURES: dict[str, Feature] = {"values": Values(4, (2, 0))}
CONTEXT = 8


def silenced(**options: object) -> nn.Module:
    """A model whose head says zero."""
    model = build_model(settings(**options), FEATURES, TARGET, context=CONTEXT).eval()
    for weight in model.head.parameters():
        nn.init.zeros_(weight)
    return model


def batch_of(rows: int = 4, **more: Tensor):
    return windows(torch.randn(rows, CONTEXT, 4) * 3 + 5, torch.randn(rows, 5, 2), **more)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_undo_undoes(name: str) -> None:
    history = torch.randn(3, 7, 2) * torch.tensor([0.1, 30.0]) + 4
    history[1, :, 0] = 2.5
    layer = WindowNormalization(name, 2)
    for weight in layer.parameters():
        nn.init.uniform_(weight, 0.5, 1.5)
    with torch.no_grad():
        normalised, scale = layer(history)
        back = layer.undo(torch.stack([normalised, normalised + 1], dim=3), scale)
    assert normalised.isfinite().all()
    torch.testing.assert_close(back[..., 0], history, rtol=1e-4, atol=1e-4)
    assert (back[..., 1] > back[..., 0]).all()


def test_scales_by_hand() -> None:
    history = torch.tensor([[1.0, -2.0, 6.0]]).unsqueeze(2)
    wanted = {"none": [1.0, -2, 6], "last": [-5.0, -8, 0], "level": [1 / 3, -2 / 3, 2]}
    for name, values in wanted.items():
        torch.testing.assert_close(WindowNormalization(name, 1)(history)[0].flatten(), torch.tensor(values))
    revin = WindowNormalization("revin", 1)(history)[0].flatten()
    expected = (history.flatten() - 5 / 3) / history.flatten().std(correction=0)
    torch.testing.assert_close(revin, expected, rtol=1e-4, atol=1e-5)
    zeros = torch.zeros(1, 3, 1)
    assert not any(WindowNormalization(name, 1)(zeros)[0].any() for name in NORMALIZATIONS)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_a_silent_net_with_a_seasonal_skip_is_seasonal_naive(name: str) -> None:
    center, scale = torch.randn(4, 1, 2), torch.rand(4, 1, 2) + 1
    batch = batch_of(center=center, scale=scale)
    outcome, _ = silenced(skip="seasonal", window_normalization=name).outcome(batch)
    history = batch.inputs["values"].values[..., [2, 0]]
    expected = torch.stack([history[:, CONTEXT - 3 + step % 3] for step in range(5)], dim=1) * scale + center
    np.testing.assert_allclose(outcome.predicted, expected.numpy(), rtol=1e-4, atol=1e-4)


def test_a_silent_net_minus_the_last_value_repeats_it() -> None:
    batch = batch_of()
    outcome, _ = silenced(window_normalization="last", shared=True).outcome(batch)
    last = batch.inputs["values"].values[:, -1:, [2, 0]]
    np.testing.assert_allclose(outcome.predicted, last.expand(-1, 5, -1).numpy(), rtol=1e-6)


def test_a_silent_net_with_a_linear_skip_is_one_map_of_each_variable() -> None:
    batch = batch_of()
    model = silenced(skip="linear")
    outcome, _ = model.outcome(batch)
    history = batch.inputs["values"].values
    for place, column in enumerate((2, 0)):
        with torch.no_grad():
            expected = model.linear(history[..., column])
        np.testing.assert_allclose(outcome.predicted[..., place], expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["none", "last", "level", "revin"])
@pytest.mark.parametrize("skip", ["none", "linear", "seasonal"])
@pytest.mark.parametrize("loss", ["mse", "quantiles"])
def test_a_shared_net_reads_each_variable_alone(name: str, skip: str, loss: str) -> None:
    options = settings(
        shared=True, window_normalization=name, skip=skip, patch=2, head={"type": "values", "loss": loss}
    )
    single = settings(window_normalization=name, skip=skip, patch=2, head={"type": "values", "loss": loss})
    features: dict[str, Feature] = {**FEATURES, "day": Categories(6)}
    model = build_model(options, features, TARGET, context=CONTEXT).eval()
    one: dict[str, Feature] = {"values": Values(3, (0,)), "day": Categories(6)}
    alone = build_model(single, one, Target("forecast", ("p",), horizon=5, season=3), context=CONTEXT).eval()
    weights = {n: v[:1] if n.startswith("normalization") else v for n, v in model.state_dict().items()}
    alone.load_state_dict(weights)
    batch = batch_of()
    values, days = batch.inputs["values"].values, Padded(torch.randint(0, 6, (4, CONTEXT)), torch.full((4,), CONTEXT))
    batch.inputs["day"] = days
    outcome, _ = model.outcome(batch)
    for place, column in enumerate((2, 0)):
        part = windows(values[..., [column, 1, 3]], None)
        part.inputs["day"] = days
        expected, _ = alone.outcome(part)
        np.testing.assert_allclose(outcome.predicted[..., [place]], expected.predicted, rtol=1e-4, atol=1e-5)
        if loss == "quantiles":
            np.testing.assert_allclose(outcome.quantiles[:, :, [place]], expected.quantiles, rtol=1e-4, atol=1e-5)


def test_a_patch_is_its_steps_side_by_side() -> None:
    batch = batch_of()
    model = build_model(settings(patch=4), FEATURES, TARGET, context=CONTEXT).eval()
    outcome, _ = model.outcome(batch)
    with torch.no_grad():
        values = batch.inputs["values"].values[..., [2, 0, 1, 3]]
        joined = torch.stack(
            [torch.cat([values[:, step] for step in steps], 1) for steps in ((0, 1, 2, 3), (4, 5, 6, 7))], 1
        )
        read, _ = model.stack(Padded(joined, torch.full((4,), 2)))
        expected = model.head.linear(read.values[:, -1]).view(4, 5, 2)
    np.testing.assert_allclose(outcome.predicted, expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "skip", "shared"), list(product(NORMALIZATIONS, ["none", "linear", "seasonal"], [False, True]))
)
def test_loss_is_that_of_the_outcome_in_scaled_units(name: str, skip: str, shared: bool) -> None:
    batch = batch_of(center=torch.randn(4, 1, 2), scale=torch.rand(4, 1, 2) + 1)
    batch.targets[1, 2, 0] = torch.nan
    model = build_model(
        settings(window_normalization=name, skip=skip, shared=shared), FEATURES, TARGET, context=CONTEXT
    )
    loss, items, state = model.loss(batch)
    outcome, _ = model.outcome(batch)
    error = (outcome.predicted - outcome.target) / outcome.scale
    assert float(loss.detach()) == pytest.approx(np.nanmean(error**2), rel=1e-3)
    assert items == 4 and state is None
    loss.backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_training_lowers_the_loss_and_weights_come_back(name: str) -> None:
    batch = windows(torch.randn(6, CONTEXT, 4), torch.randn(6, 5, 2))
    options = settings(window_normalization=name, pooling=["last", "mean"], layers=2)
    model = build_model(options, FEATURES, TARGET, context=CONTEXT)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    before = float(model.loss(batch)[0].detach())
    for _ in range(20):
        optimizer.zero_grad()
        loss, _, _ = model.loss(batch)
        loss.backward()
        optimizer.step()
    after = float(model.loss(batch)[0].detach())
    assert after < 0.9 * before
    again = build_model(options, FEATURES, TARGET, context=CONTEXT)
    again.load_state_dict(model.state_dict())
    assert float(again.loss(batch)[0].detach()) == after


def test_windows_do_not_see_each_other() -> None:
    model = build_model(
        settings(shared=True, window_normalization="revin", skip="linear"), FEATURES, TARGET, context=CONTEXT
    )
    batch = batch_of()
    together, _ = model.outcome(batch)
    for row in range(4):
        alone, _ = model.outcome(windows(batch.inputs["values"].values[row : row + 1], None))
        np.testing.assert_allclose(together.predicted[[row]], alone.predicted, rtol=1e-4, atol=1e-5)
