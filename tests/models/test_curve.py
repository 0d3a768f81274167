"""Numbers written from one step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.errors import ConfigError
from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Categories, Feature, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.curve import Curve
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded

HORIZON, ROWS = 6, 5
TARGET = Target("forecast", ("value",), horizon=HORIZON, from_one=True)
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "of a class": {},
    "patches": {"patch": 2},
    "no attention": {"decoder": {"attention": "none"}},
    "attention alone": {"decoder": {"bridge": "none"}},
    "nothing written is read": {"decoder": {"reads_forecast": False}},
    "own guesses": {"decoder": {"scheduled_sampling": 0.5, "scheduled_sampling_steps": 3}},
    "quantiles": {"head": {"type": "values", "loss": "quantiles"}},
    "two layers": {"layers": 2, "connections": "residual"},
}


def model_of(way: str = "plain", **options: Any) -> Curve:
    torch.manual_seed(4)
    features: dict[str, Feature] = {"class": Categories(7)} if way == "of a class" else {"values": Values(3)}
    chosen = {"cell": {"type": "gru", "hidden_size": 8}, **WAYS[way], **options}
    model = build_model(ModelSettings.model_validate(chosen), features, TARGET)
    assert isinstance(model, Curve)
    return model.eval()


def batch(way: str = "plain") -> Batch:
    random = torch.Generator().manual_seed(2)
    lengths = torch.ones(ROWS, dtype=torch.int64)
    if way == "of a class":
        inputs = {"class": Padded(torch.arange(2, 2 + ROWS).view(ROWS, 1), lengths)}
    else:
        inputs = {"values": Padded(torch.randn(ROWS, 1, 3, generator=random), lengths)}
    return Batch(inputs, torch.randn(ROWS, HORIZON, 1, generator=random), np.arange(ROWS))


def written(model: Curve, given: Batch) -> Tensor:
    with torch.no_grad():
        return model.outputs(given, None)[0]


@pytest.mark.parametrize("way", WAYS)
def test_each_curve_is_learnt_by_heart(way: str) -> None:
    """Each of five random ones, so that none of them can do without what was read or without its place."""
    model, given = model_of(way).train(), batch(way)
    assert given.targets is not None
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(400):
        optimizer.zero_grad()
        model.loss(given)[0].backward()
        optimizer.step()
    idle = [name for name, each in model.named_parameters() if each.grad is None or not each.grad.any()]
    # There is one place to look at, so nothing can be learnt of where to look.
    assert [name for name in idle if ".attention." not in name] == []
    said = written(model.eval(), given)[..., model.head.middle]
    assert float((said - given.targets).square().mean()) < 0.1 * float(given.targets.var())


@pytest.mark.parametrize("way", WAYS)
def test_no_curve_depends_on_its_truth_or_on_others(way: str) -> None:
    model, given = model_of(way), batch(way)
    free = written(model, given)
    assert given.targets is not None and free.shape[:3] == (ROWS, HORIZON, 1)
    torch.testing.assert_close(written(model, replace(given, targets=given.targets + 2)), free, atol=0, rtol=0)
    torch.testing.assert_close(written(model, replace(given, targets=None)), free, atol=0, rtol=0)
    for row in range(ROWS):
        alone = {name: Padded(each.values[row : row + 1], each.lengths[:1]) for name, each in given.inputs.items()}
        one = written(model, Batch(alone, None, np.zeros(1, np.int64)))
        torch.testing.assert_close(one, free[row : row + 1], atol=2e-6, rtol=1e-5)


def test_given_its_own_numbers_to_read_it_says_the_same_at_once() -> None:
    model, given = model_of(), batch()
    free = written(model, given)
    model.train()
    torch.testing.assert_close(written(model, replace(given, targets=free[..., 0])), free, atol=1e-5, rtol=1e-5)


REFUSED = [
    ({"window_normalization": "last"}, "model.window_normalization: there is no window"),
    ({"skip": "linear"}, "model.skip: there is no window"),
    ({"shared": True}, "model.shared: there is only one"),
    ({"patch": 4}, "model.patch: a decoder writes whole patches"),
    ({"bidirectional": True}, "model.bidirectional: there is one step to read"),
    ({"pooling": "mean"}, "model.pooling"),
    ({"learned_initial_state": True}, "model.learned_initial_state"),
    ({"decoder": {"layers": 2}}, "model.decoder.layers: there is no encoder"),
    ({"decoder": {"bridge": "mean"}}, "model.decoder.bridge: there is one step"),
    ({"decoder": {"coverage": 1.0, "attention": "additive", "input_feeding": True}}, "model.decoder.coverage"),
]


@pytest.mark.parametrize(("options", "told"), REFUSED)
def test_what_would_do_nothing_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        model_of(**options)
