"""Forecasts by a decoder: at once is step by step, what is known ahead is read, and nothing looks at the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.data import windows
from rnncli.errors import ConfigError
from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.forecaster import Forecaster
from rnncli.models.settings import ModelSettings

CONTEXT, HORIZON, WIDTH = 8, 6, 3
TARGET = Target("forecast", ("p", "q"), horizon=HORIZON, known_ahead=2)
FEATURES = {"values": Values(WIDTH, (0, 2))}
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "patches": {"patch": 2},
    "shared": {"shared": True, "patch": 2},
    "normalized": {"window_normalization": "revin"},
    "a skip beside it": {"skip": "linear"},
    "additive": {"decoder": {"attention": "additive", "bridge": "mean"}},
    "no attention": {"decoder": {"attention": "none"}, "bidirectional": True},
    "two layers of another cell": {"decoder": {"cell": {"type": "gru", "hidden_size": 4}, "layers": 2}},
    "nothing written is read": {"decoder": {"reads_forecast": False}},
    "quantiles": {"head": {"type": "values", "loss": "quantiles"}},
}


def model_of(seed: int = 5, **options: Any) -> Forecaster:
    torch.manual_seed(seed)
    chosen = {"cell": {"type": "lstm", "hidden_size": 5}, "decoder": {}, **options}
    model = build_model(ModelSettings.model_validate(chosen), FEATURES, TARGET, context=CONTEXT)
    assert isinstance(model, Forecaster)
    return model.eval()


def batch(rows: int = 3) -> Batch:
    random = torch.Generator().manual_seed(8)
    made = windows(torch.randn(rows, CONTEXT, WIDTH, generator=random), torch.randn(rows, HORIZON, 2, generator=random))
    return replace(made, ahead=torch.randn(rows, HORIZON, 2, generator=random))


def forecast(model: Forecaster, given: Batch) -> Tensor:
    with torch.no_grad():
        return model.outputs(given, None)[0]


@pytest.mark.parametrize("way", [way for way in WAYS if "skip" not in WAYS[way]])
def test_given_its_own_forecast_to_read_the_decoder_says_the_same_at_once(way: str) -> None:
    """A fixed point: what step by step is written is what teacher forcing with it gives. (Beside a skip the forecast is
    not what the decoder wrote.)"""
    model, given = model_of(**WAYS[way]), batch()
    free = forecast(model, given)
    assert free.shape[:3] == (3, HORIZON, 2)
    said = free[..., free.shape[3] // 2]
    model.train()
    torch.testing.assert_close(forecast(model, replace(given, targets=said)), free, atol=2e-5, rtol=1e-4)
    other = forecast(model, replace(given, targets=said + 1))
    same = torch.allclose(other, free, atol=1e-5)
    assert same == (way == "nothing written is read")
    before = model.patch
    torch.testing.assert_close(other[:, :before], free[:, :before], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_no_forecast_depends_on_the_truth_or_on_other_windows(way: str) -> None:
    model, given = model_of(**WAYS[way]), batch()
    free = forecast(model, given)
    assert given.targets is not None and given.ahead is not None
    torch.testing.assert_close(forecast(model, replace(given, targets=given.targets + 3)), free, atol=0, rtol=0)
    for row in range(3):
        values = given.inputs["values"].values[row : row + 1]
        alone = replace(windows(values, None), ahead=given.ahead[row : row + 1])
        torch.testing.assert_close(forecast(model, alone), free[row : row + 1], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("way", WAYS)
def test_what_is_known_ahead_is_read_in_time(way: str) -> None:
    """A change at step 3 changes no forecast of the patches before it, and some from there on."""
    model, given = model_of(**WAYS[way]), batch()
    free = forecast(model, given)
    assert given.ahead is not None
    ahead = given.ahead.clone()
    ahead[:, 3] += 1
    changed = (forecast(model, replace(given, ahead=ahead)) - free).abs().amax(dim=(0, 2, 3))
    first = 3 // model.patch * model.patch
    assert (changed[:first] == 0).all() and (changed[first:] > 1e-5).all()


@pytest.mark.parametrize("way", WAYS)
def test_every_parameter_is_trained(way: str) -> None:
    model, given = model_of(**WAYS[way]).train(), batch()
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    before = float(model.loss(given)[0].detach())
    for _ in range(40):
        optimizer.zero_grad()
        model.loss(given)[0].backward()
        optimizer.step()
    idle = [name for name, each in model.named_parameters() if each.grad is None or not each.grad.any()]
    assert idle == []
    assert float(model.loss(given)[0].detach()) < 0.8 * before


def test_missing_truth_is_replaced_by_what_was_written() -> None:
    model, given = model_of().train(), batch()
    assert given.targets is not None
    targets = given.targets.clone()
    targets[:, 2, 1] = float("nan")
    said = forecast(model, replace(given, targets=targets))
    assert said.isfinite().all()
    targets[:, 2, 1] = said[:, 2, 1, 0]
    torch.testing.assert_close(forecast(model, replace(given, targets=targets)), said, atol=1e-5, rtol=1e-5)


def test_with_all_guesses_training_goes_as_prediction_does() -> None:
    model, given = model_of(decoder={"scheduled_sampling": 1.0, "scheduled_sampling_steps": 2}), batch()
    free = forecast(model, given)
    model.train()
    assert not torch.allclose(forecast(model, given), free, atol=1e-4)  # half of them yet
    torch.testing.assert_close(forecast(model, given), free, atol=1e-5, rtol=1e-5)


REFUSED = [
    ({"decoder": {"copy_words": True}}, "model.decoder.copy_words"),
    ({"decoder": {"embedding_size": 3}}, "model.decoder.embedding_size"),
    ({"patch": 4}, "model.patch"),
    ({"pooling": "mean"}, "model.pooling"),
    ({"dropout": {"recurrent": 0.2}}, "model.dropout.recurrent"),
    ({"decoder": None}, "data.future"),
]


@pytest.mark.parametrize(("options", "key"), REFUSED)
def test_what_would_do_nothing_is_refused(options: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        model_of(**options)
