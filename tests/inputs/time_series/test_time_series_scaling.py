"""Scales against scikit-learn's scalers, which leave NaN out as well."""

import json

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from rnncli.inputs.time_series.scaling import Scale, Scaler, fit

ORACLES = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}


def numbers(missing: bool) -> np.ndarray:
    generator = np.random.default_rng(3)
    values = generator.normal([5, -200, 0.01, 1e6], [2, 30, 0.004, 1], (53, 4))
    if missing:
        values[generator.random(values.shape) < 0.2] = np.nan
    return values


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("kind", ORACLES)
def test_same_as_scikit_learn(kind, missing):
    values = numbers(missing)
    scale = fit(kind, values)
    wanted = ORACLES[kind]().fit_transform(values)
    np.testing.assert_allclose((values - scale.center) / scale.scale, wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ORACLES)
def test_columns_without_spread_get_the_scale_one(kind):
    # 0.1 summed ten times is not exactly 1: the deviation of equal values comes out above zero.
    values = np.stack([np.full(10, 0.1), np.full(10, np.nan), np.arange(10.0), np.r_[np.zeros(9), 5.0]], axis=1)
    scale = fit(kind, values)
    assert scale.scale[:2].tolist() == [1, 1] and (scale.scale > 0).all()
    scaled = (values - scale.center) / scale.scale
    assert np.abs(scaled[:, 0]).max() < 1e-12 and np.isfinite(scaled[:, 2:]).all()


def test_none_changes_nothing():
    scale = fit("none", numbers(True))
    assert scale.center.tolist() == [0] * 4 and scale.scale.tolist() == [1] * 4


def test_no_steps_at_all():
    assert fit("standard", np.zeros((0, 2))).scale.tolist() == [1, 1]


def test_scaler_comes_back_with_the_same_bits():
    scaler = Scaler("standard", by_name={"a": fit("standard", numbers(True)), "b": Scale(np.ones(4) / 3, np.ones(4))})
    back = Scaler.from_json(json.loads(json.dumps(scaler.to_json())))
    assert back.common is None and back.kind == "standard"
    for name in ("a", "b"):
        assert (back.by_name[name].center == scaler.by_name[name].center).all()
        assert (back.by_name[name].scale == scaler.by_name[name].scale).all()


def test_an_unseen_series_is_scaled_by_its_own_steps():
    seen, own = numbers(False), numbers(False)[:7] * 2
    scaler = Scaler("standard", by_name={"seen": fit("standard", seen)})
    np.testing.assert_array_equal(scaler.of("seen", own).center, seen.mean(axis=0))
    np.testing.assert_array_equal(scaler.of("new", own).center, own.mean(axis=0))
    common = Scaler("standard", fit("standard", seen))
    np.testing.assert_array_equal(common.of("new", own).center, seen.mean(axis=0))
