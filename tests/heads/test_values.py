"""Numbers, against torch's losses and scikit-learn's pinball loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_pinball_loss
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from rnncli.heads.build import build_head
from rnncli.heads.settings import ValuesSettings
from rnncli.inputs.targets import Target

NAMES = ("p", "q")
LOSSES = [
    {"loss": "mse"},
    {"loss": "mae"},
    {"loss": "huber", "delta": 0.4},
    {"loss": "quantiles", "levels": (0.2, 0.6, 0.7)},
]


def oracle(settings: ValuesSettings, outputs: torch.Tensor, truth: torch.Tensor) -> float:
    """The mean over what was observed; outputs have a last dimension of levels."""
    seen = ~truth.isnan()
    if settings.loss == "quantiles":
        losses = [
            mean_pinball_loss(truth[seen].numpy(), outputs[..., level][seen].numpy(), alpha=alpha)
            for level, alpha in enumerate(settings.levels)
        ]
        return float(np.mean(losses))
    said, truth = outputs[..., 0][seen], truth[seen]
    match settings.loss:
        case "mse":
            return float(mse_loss(said, truth))
        case "mae":
            return float(l1_loss(said, truth))
        case _:
            return float(huber_loss(said, truth, delta=settings.delta))


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("options", LOSSES, ids=lambda options: options["loss"])
def test_loss_of_forecasts(options: dict, missing: bool, per_sequence) -> None:
    truth = torch.randn(5, 3, 2)
    if missing:
        truth[0, 1, 0] = truth[4, :, 1] = torch.nan
    features, batch = per_sequence(truth)
    settings = ValuesSettings(type="values", **options)
    head = build_head(settings, 6, Target("forecast", NAMES, horizon=3))
    outputs = head(features, batch.sequences)
    assert outputs.shape == (5, 3, 2, 3 if settings.loss == "quantiles" else 1)
    loss, items = head.loss(outputs, batch)
    assert loss.item() == pytest.approx(oracle(settings, outputs.detach(), truth), rel=1e-5)
    assert items == 5
    loss.backward()
    assert head.linear.weight.grad.isfinite().all() and head.linear.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("options", LOSSES, ids=lambda options: options["loss"])
def test_nothing_observed_is_no_loss_and_no_gradient(options: dict, per_sequence) -> None:
    features, batch = per_sequence(torch.full((5, 2), torch.nan))
    head = build_head(ValuesSettings(type="values", **options), 6, Target("value", NAMES))
    loss, _ = head.loss(head(features, batch.sequences), batch)
    loss.backward()
    assert loss.item() == 0 and not head.linear.weight.grad.any()


def test_outcome_in_own_units_with_ordered_quantiles(per_sequence) -> None:
    truth = torch.randn(5, 3, 2)
    truth[2, 0, 1] = torch.nan
    center, scale = torch.randn(5, 1, 2) * 10, torch.rand(5, 1, 2) + 3
    features, batch = per_sequence(truth, center=center, scale=scale, naive_error=torch.rand(5, 2))
    settings = ValuesSettings(type="values", loss="quantiles", levels=(0.1, 0.45, 0.9))
    head = build_head(settings, 6, Target("forecast", NAMES, horizon=3))
    with torch.no_grad():
        outputs = head(features, batch.sequences)
        outcome = head.outcome(outputs, batch)
    own = outputs * scale.unsqueeze(3) + center.unsqueeze(3)
    assert (own.diff(dim=3) < 0).any()
    np.testing.assert_allclose(outcome.quantiles, np.sort(own.numpy(), axis=3), rtol=1e-6)
    np.testing.assert_array_equal(outcome.predicted, outcome.quantiles[..., 1])
    np.testing.assert_allclose(outcome.target, (truth * scale + center).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(outcome.scale, scale.numpy())
    np.testing.assert_array_equal(outcome.naive_error, batch.naive_error.numpy())
    assert outcome.levels == (0.1, 0.45, 0.9) and outcome.lengths.tolist() == [1] * 5


def test_outcome_of_each_step_has_the_units_of_its_sequence(per_step) -> None:
    truth = torch.randn(12, 2)
    center, scale = torch.randn(4, 1, 2) * 10, torch.rand(4, 1, 2) + 3
    features, batch = per_step(truth, center=center, scale=scale)
    head = build_head(ValuesSettings(type="values"), 6, Target("value", NAMES, per_step=True))
    with torch.no_grad():
        outcome = head.outcome(head(features, batch.sequences), batch)
        rows = [
            head.linear(features[row, :length]) * scale[row] + center[row] for row, length in enumerate((2, 5, 1, 4))
        ]
    np.testing.assert_allclose(outcome.predicted, torch.cat(rows).numpy(), rtol=1e-5)
    owners = np.repeat(np.arange(4), (2, 5, 1, 4))
    np.testing.assert_allclose(
        outcome.target, truth.numpy() * scale[owners, 0].numpy() + center[owners, 0].numpy(), rtol=1e-5
    )
    assert outcome.scale.shape == (12, 2) and outcome.quantiles is None and outcome.levels is None


def test_values_of_a_sequence_in_own_units(per_sequence) -> None:
    truth, center, scale = torch.randn(5, 2), torch.randn(5, 2) * 10, torch.rand(5, 2) + 3
    features, batch = per_sequence(truth, center=center, scale=scale)
    head = build_head(ValuesSettings(type="values"), 6, Target("value", NAMES))
    with torch.no_grad():
        outcome = head.outcome(head(features, batch.sequences), batch)
        expected = head.linear(features) * scale + center
    np.testing.assert_allclose(outcome.predicted, expected.numpy(), rtol=1e-6)
    np.testing.assert_allclose(outcome.target, (truth * scale + center).numpy(), rtol=1e-6)
