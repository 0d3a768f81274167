"""What is read of the time, against pandas."""

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
from rnncli.inputs.features import Values
from rnncli.inputs.time_series.loader import TimeSeriesLoader
from rnncli.inputs.time_series.settings import TimeSeriesSettings

CONTEXT, HORIZON = 6, 4
WHOLE = {"hour": 24, "weekday": 7, "month": 12}


def table(first: str = "2019-11-29 07:30", steps: int = 150, every: str = "9h") -> pd.DataFrame:
    generator = np.random.default_rng(6)
    times = pd.date_range(first, periods=steps, freq=every).strftime("%Y-%m-%d %H:%M")
    numbers = {"load": generator.normal(5, 2, steps), "heat": generator.normal(-3, 1, steps)}
    return pd.DataFrame({"when": times, **numbers}).round(3)


def loader_of(train: Path, task: str = "many-to-many", **changes: Any) -> TimeSeriesLoader:
    options = {
        "loader": "time-series",
        "train": [train],
        "time": "when",
        "target": {"kind": "forecast", "columns": "load"},
        "covariates": ["heat"],
        "calendar": ["weekday", "hour", "month"],
        "context": CONTEXT,
        "horizon": HORIZON,
        "split": {"valid": 20, "test": 20},
    }
    options = {name: value for name, value in (options | changes).items() if value is not None}
    return TimeSeriesLoader(TimeSeriesSettings.model_validate(options), task)  # type: ignore[arg-type]


def written(folder: Path, numbers: pd.DataFrame) -> Path:
    numbers.to_csv(folder / "data.csv", index=False)
    return folder / "data.csv"


def everything(data: Any) -> Any:
    return data.batch(np.arange(len(data)))


def by_pandas(times: Any, names: tuple[str, ...] = ("weekday", "hour", "month")) -> np.ndarray:
    clock = pd.DatetimeIndex(pd.to_datetime(times))
    gone = {"hour": clock.hour + clock.minute / 60, "weekday": clock.day_of_week, "month": clock.month - 1}
    angles = [2 * np.pi * np.asarray(gone[name]) / WHOLE[name] for name in names]
    return np.stack([turn(angle) for angle in angles for turn in (np.sin, np.cos)], axis=1)


@pytest.mark.parametrize("missing", [None, "mask"])
def test_the_calendar_is_read_in_the_context_and_ahead(tmp_path: Path, missing: str | None) -> None:
    numbers = table()
    loader = loader_of(written(tmp_path, numbers), missing=missing)
    parts, told = loader.load(), by_pandas(numbers["when"])
    first = 4 if missing else 2
    assert loader.features["values"] == Values(first + 6, (0,)) and loader.target.known_ahead == 6
    test = everything(parts["test"])
    for row, start in enumerate(range(130, 150 - HORIZON + 1)):
        read = test.inputs["values"].values[row, :, first:].numpy()
        np.testing.assert_allclose(read, told[start - CONTEXT : start], atol=1e-6)
        np.testing.assert_allclose(test.ahead[row].numpy(), told[start : start + HORIZON], atol=1e-6)


@pytest.mark.parametrize(
    ("first", "every"),
    [
        ("2020-01-01", "D"),
        ("2019-11-29 23:45", "15min"),
        ("2020-01-31", "ME"),
        ("2020-01-01", "B"),
        ("2020-02-27", "6h"),
    ],
)
def test_a_prediction_knows_the_calendar_of_the_steps_to_come(tmp_path: Path, first: str, every: str) -> None:
    names = ("month",) if every == "ME" else ("weekday",) if every in ("D", "B") else ("weekday", "hour")
    numbers = table(first, 160, every)
    loader = loader_of(written(tmp_path, numbers[:-HORIZON]), calendar=list(names))
    loader.load()
    restored = loader_of(tmp_path / "data.csv", calendar=list(names))
    restored.restore(json.loads(json.dumps(loader.state())))
    (chunk,) = restored.chunks(tmp_path / "data.csv", pytest.fail)
    batch = everything(chunk.dataset)
    np.testing.assert_allclose(batch.ahead[0].numpy(), by_pandas(numbers["when"][-HORIZON:], names), atol=1e-6)
    read = batch.inputs["values"].values[0, :, 2:].numpy()
    np.testing.assert_allclose(read, by_pandas(numbers["when"][-HORIZON - CONTEXT : -HORIZON], names), atol=1e-6)


def test_a_prediction_is_the_evaluation_of_the_same_window_and_what_a_stream_gives(tmp_path: Path) -> None:
    numbers = table()
    loader = loader_of(written(tmp_path, numbers))
    test = everything(loader.load()["test"])
    (chunk,) = loader.chunks(numbers[:-HORIZON], pytest.fail)
    text = numbers[:-HORIZON].to_csv(index=False).encode()
    *_, last = loader.stream(io.BytesIO(text), {}, pytest.fail)
    for found in (everything(chunk.dataset), everything(last.dataset)):
        torch.testing.assert_close(found.ahead[0], test.ahead[-1], rtol=0, atol=1e-6)
        values = found.inputs["values"].values[0]
        torch.testing.assert_close(values, test.inputs["values"].values[-1], rtol=0, atol=1e-6)
    assert last.rows == chunk.rows


def test_times_of_the_rows_to_come_count(tmp_path: Path) -> None:
    """Beside known columns, whose rows say when they are."""
    numbers = table()
    loader = loader_of(written(tmp_path, numbers), future=["heat"])
    test = everything(loader.load()["test"])
    assert test.ahead.shape[2] == 7
    coming = numbers.copy()
    coming.loc[coming.index[-HORIZON:], "load"] = np.nan
    coming.loc[coming.index[-1], "when"] = "2020-06-30 12:00"
    (chunk,) = loader.chunks(coming, pytest.fail)
    ahead = everything(chunk.dataset).ahead[0]
    torch.testing.assert_close(ahead[:-1], test.ahead[-1][:-1], rtol=0, atol=0)
    np.testing.assert_allclose(ahead[-1, 1:].numpy(), by_pandas(["2020-06-30 12:00"])[0], atol=1e-6)
    assert chunk.rows[-1] == {"when": "2020-06-30 12:00"}


def test_steps_and_whole_series_read_it_too(tmp_path: Path) -> None:
    numbers = table().assign(kind=lambda rows: np.where(rows["load"] > 5, "high", "low"))
    options = {"context": None, "horizon": None, "split": {"valid": 0, "test": 0}, "series": "series"}
    numbers["series"] = np.arange(len(numbers)) // 30
    file = written(tmp_path, numbers)
    for task in ("many-to-many", "one-to-one"):
        loader = loader_of(file, task, target={"kind": "class", "columns": "kind"}, covariates=[], **options)
        train = everything(loader.load()["train"])
        assert loader.features == {"values": Values(6)}
        read = train.inputs["values"].values.reshape(-1, 6).numpy()
        np.testing.assert_allclose(read, by_pandas(numbers["when"]), atol=1e-6)
        (chunk,) = loader.chunks(numbers.drop(columns="kind"), pytest.fail)
        np.testing.assert_allclose(everything(chunk.dataset).inputs["values"].values.reshape(-1, 6).numpy(), read)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        (table(every="D"), "data.calendar: the hour is the same at all steps of the training part"),
        (table().assign(when=np.arange(150)), "the series has plain numbers for times; data.calendar needs dates"),
        (
            table().assign(
                when=pd.date_range("2020-01-01", periods=150)[0] + pd.to_timedelta(np.arange(150) ** 2, "h")
            ),
            "data.calendar: the training part has no usual step in time",
        ),
    ],
)
def test_times_that_say_nothing_are_refused(tmp_path: Path, numbers: pd.DataFrame, told: str) -> None:
    with pytest.raises((DataError, UserError), match=told):
        loader_of(written(tmp_path, numbers)).load()


@pytest.mark.parametrize(
    ("options", "told"),
    [({"time": None}, "calendar: is computed from the column"), ({"calendar": ["hour"] * 2}, "calendar: hour stands")],
)
def test_settings_that_say_nothing_are_refused(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        loader_of(tmp_path / "data.csv", **options)
