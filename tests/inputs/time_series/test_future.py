"""What is known of the steps to forecast, against slices of the columns that were written."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from rnncli.errors import DataError, UserError
from rnncli.inputs.time_series.loader import TimeSeriesLoader
from rnncli.inputs.time_series.settings import TimeSeriesSettings

STEPS, CONTEXT, HORIZON = 60, 5, 3
NAMES = ("a", "b")
POLICIES = [None, "forward", "interpolate", "mask", "drop"]


def table() -> pd.DataFrame:
    generator = np.random.default_rng(3)
    frames = []
    for position, name in enumerate(NAMES):
        columns = {
            "day": pd.date_range("2020-01-01", periods=STEPS, freq="D").strftime("%Y-%m-%d"),
            "load": generator.normal(10 * position, 1 + position, STEPS).cumsum().round(3),
            "gain": generator.normal(3, 2, STEPS).round(3),
            "heat": generator.normal(-5, 2, STEPS).round(3),
            "price": generator.uniform(1 + position, 9, STEPS).round(3),
            "sale": generator.integers(0, 2, STEPS),
        }
        frames.append(pd.DataFrame(columns).assign(name=name))
    return pd.concat(frames, ignore_index=True)


def loader_of(train: Path, **changes: Any) -> TimeSeriesLoader:
    options = {
        "loader": "time-series",
        "train": [train],
        "series": "name",
        "time": "day",
        "target": {"kind": "forecast", "columns": ["load", "gain"]},
        "covariates": ["price", "heat", "sale"],
        "future": ["sale", "price"],
        "context": CONTEXT,
        "horizon": HORIZON,
        "split": {"valid": 10, "test": 12},
    }
    return TimeSeriesLoader(TimeSeriesSettings.model_validate(options | changes), "many-to-many")


def written(folder: Path, numbers: pd.DataFrame, name: str = "data.csv") -> Path:
    numbers.to_csv(folder / name, index=False)
    return folder / name


def everything(data: Any) -> Any:
    return data.batch(np.arange(len(data)))


def future_of(numbers: pd.DataFrame, end: int = STEPS - HORIZON) -> pd.DataFrame:
    """The table as it stands when `end` steps have been: of the others nothing is known but the columns ahead."""
    numbers = numbers.copy()
    numbers.loc[numbers.groupby("name").cumcount() >= end, ["load", "gain", "heat"]] = np.nan
    return numbers


@pytest.mark.parametrize("per_series", [False, True])
def test_what_is_ahead_is_what_the_columns_hold_at_the_steps_to_forecast(tmp_path: Path, per_series: bool) -> None:
    numbers = table()
    loader = loader_of(written(tmp_path, numbers), scaling_per_series=per_series)
    parts = loader.load()
    assert loader.target.known_ahead == 2
    training = numbers.groupby("name").head(38)
    for part, (first, stop) in {"train": (CONTEXT, 38), "valid": (38, 48), "test": (48, 60)}.items():
        wanted = []
        for name, one in numbers.groupby("name"):
            fitted = (training[training["name"] == name] if per_series else training)[["sale", "price"]].to_numpy()
            scaled = (one[["sale", "price"]].to_numpy() - fitted.mean(axis=0)) / fitted.std(axis=0)
            wanted += [scaled[step : step + HORIZON] for step in range(first, stop - HORIZON + 1)]
        np.testing.assert_allclose(everything(parts[part]).ahead.numpy(), wanted, atol=2e-6)


def test_nothing_is_ahead_where_nothing_is_asked_for(tmp_path: Path) -> None:
    loader = loader_of(written(tmp_path, table()), future=[])
    assert everything(loader.load()["test"]).ahead is None and loader.target.known_ahead == 0


@pytest.mark.parametrize("order", ["by series", "mixed", "by time"])
@pytest.mark.parametrize("missing", POLICIES)
@pytest.mark.parametrize("per_series", [False, True])
def test_a_prediction_reads_what_the_evaluation_of_the_same_window_reads(
    tmp_path: Path, missing: str | None, per_series: bool, order: str
) -> None:
    """The last window of the test part, and the input in which its horizon is still to come."""
    numbers = table()
    loader = loader_of(written(tmp_path, numbers), missing=missing, scaling_per_series=per_series)
    test = everything(loader.load()["test"])
    restored = loader_of(tmp_path / "data.csv", missing=missing, scaling_per_series=per_series)
    restored.restore(json.loads(json.dumps(loader.state())))
    coming = future_of(numbers)
    if order != "by series":
        coming = coming.sample(frac=1, random_state=2) if order == "mixed" else coming.sort_values("day")
    (chunk,) = restored.chunks(io.BytesIO(coming.to_csv(index=False).encode()), pytest.fail)
    batch, rows = everything(chunk.dataset), [9, 19]
    places = [list(coming["name"].unique()).index(name) for name in NAMES]
    assert batch.targets is None and len(chunk.dataset) == 2
    torch.testing.assert_close(batch.ahead[places], test.ahead[rows], rtol=0, atol=0)
    torch.testing.assert_close(
        batch.inputs["values"].values[places], test.inputs["values"].values[rows], rtol=0, atol=0
    )
    torch.testing.assert_close(batch.center[places], test.center[rows], rtol=0, atol=0)
    said = list(restored.written(chunk, [{"load": 1.0}] * 6))
    assert [(row["name"], row["day"]) for row in said[:3]] == [
        (coming["name"].iloc[0], f"2020-02-{day}") for day in (27, 28, 29)
    ]


def test_rows_after_the_horizon_change_nothing(tmp_path: Path) -> None:
    loader = loader_of(written(tmp_path, table()))
    test = everything(loader.load()["test"])
    (chunk,) = loader.chunks(future_of(table(), STEPS - HORIZON - 4), pytest.fail)
    torch.testing.assert_close(everything(chunk.dataset).ahead, test.ahead[[5, 15]], rtol=0, atol=0)
    assert [row["day"] for row in chunk.rows[:3]] == ["2020-02-23", "2020-02-24", "2020-02-25"]


def test_a_target_that_is_missing_before_others_is_no_future(tmp_path: Path) -> None:
    numbers = table()
    loader = loader_of(written(tmp_path, numbers), missing="forward")
    loader.load()
    coming = future_of(numbers)
    last = coming.index[coming["name"] == "b"][STEPS - HORIZON - 1]
    coming.loc[last, "load"] = np.nan  # gain is known then
    coming.loc[last - 2, ["load", "gain"]] = np.nan
    batch = everything(next(iter(loader.chunks(coming, pytest.fail))).dataset)
    price = (coming["price"].to_numpy()[-HORIZON:] - coming["price"].to_numpy()[-1]) * np.ones(HORIZON)
    found = batch.ahead[1, :, 1].numpy()
    np.testing.assert_allclose((found - found[-1]) / (found[0] - found[-1]), price / price[0], atol=1e-4)
    values = batch.inputs["values"].values[1].numpy()
    assert values[-1, 0] == values[-2, 0] and values[-3, 0] == values[-4, 0] and values[-1, 1] != values[-2, 1]


def test_too_few_rows_ahead_are_told(tmp_path: Path) -> None:
    loader = loader_of(written(tmp_path, table()))
    loader.load()
    coming = future_of(table())
    coming = coming.drop(index=[coming.index[-1]])
    bad: list[DataError] = []
    (chunk,) = loader.chunks(written(tmp_path, coming, "coming.csv"), bad.append)
    assert len(chunk.dataset) == 1
    assert [str(error) for error in bad] == [
        f"{tmp_path / 'coming.csv'}:120: series b ends with 2 rows without targets; a forecast needs horizon 3 of "
        "them, with sale, price (data.future)"
    ]
    bad.clear()
    assert list(loader.chunks(future_of(table(), 4), bad.append)) == []
    assert "series a has 4 rows with targets; a forecast reads context 5" in str(bad[0])


@pytest.mark.parametrize(
    ("missing", "told"),
    [(None, "column price of series b has no value here (1 missing in all); data.missing"), ("drop", "with 2 rows")],
)
def test_a_missing_value_ahead_is_told(tmp_path: Path, missing: str | None, told: str) -> None:
    loader = loader_of(written(tmp_path, table()), missing=missing)
    loader.load()
    coming = future_of(table())
    coming.loc[coming.index[-2], "price"] = np.nan
    bad: list[DataError] = []
    assert [len(chunk.dataset) for chunk in loader.chunks(coming, bad.append)] == [1]
    assert len(bad) == 1 and told in str(bad[0])


@pytest.mark.parametrize("missing", ["forward", "interpolate", "mask"])
def test_a_missing_value_ahead_is_filled_by_the_policy(tmp_path: Path, missing: str) -> None:
    numbers = table()
    loader = loader_of(written(tmp_path, numbers), missing=missing)
    test = everything(loader.load()["test"])
    coming = future_of(numbers)
    coming.loc[coming.index[-2], "price"] = np.nan
    ahead = everything(next(iter(loader.chunks(coming, pytest.fail))).dataset).ahead
    wanted = test.ahead[[9, 19]].clone()
    if missing == "mask":
        assert wanted.shape[2] == 4 and (wanted[..., 2:] == 1).all()
        wanted[1, 1, 1], wanted[1, 1, 3] = 0, 0
    else:
        wanted[1, 1, 1] = wanted[1, 0, 1] if missing == "forward" else (wanted[1, 0, 1] + wanted[1, 2, 1]) / 2
    torch.testing.assert_close(ahead, wanted, rtol=0, atol=1e-6)


def test_one_file_trains_and_predicts(tmp_path: Path) -> None:
    """Rows that are still to come are no part of the training file."""
    whole, coming = table(), future_of(table())
    kept = coming.dropna()
    cut, plain = loader_of(written(tmp_path, coming)), loader_of(written(tmp_path, kept, "kept.csv"))
    parts, wanted = cut.load(), plain.load()
    assert cut.notes == ["6 rows at the end of the series have no target yet"] and cut.state() == plain.state()
    for part in ("train", "valid", "test"):
        torch.testing.assert_close(everything(parts[part]).ahead, everything(wanted[part]).ahead, rtol=0, atol=0)
        torch.testing.assert_close(everything(parts[part]).targets, everything(wanted[part]).targets, rtol=0, atol=0)
    assert len(parts["test"]) == len(wanted["test"]) == 2 * (12 - HORIZON + 1)
    assert len(whole) == len(coming)


def test_a_stream_has_no_rows_ahead(tmp_path: Path) -> None:
    loader = loader_of(written(tmp_path, table()))
    loader.load()
    with pytest.raises(UserError, match=r"--stream: data.future: is of rows that follow"):
        next(loader.stream(io.BytesIO(b""), {}, pytest.fail))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"future": ["heat", "load"]}, "future: load must be one of the covariates"),
        ({"target": {"kind": "next", "columns": "load"}, "context": None, "horizon": None}, "future: is for forecasts"),
    ],
)
def test_columns_that_can_not_be_ahead(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        loader_of(tmp_path / "data.csv", **options)
