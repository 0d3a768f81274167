"""Streams and tails say the same as reading whole."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from series_settings import forecast, settings

from rnncli.errors import DataError
from rnncli.inputs.time_series import streaming, table
from rnncli.inputs.time_series.missing import fill
from rnncli.inputs.time_series.reading import read_series
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.streaming import stream_series, tails

PANEL = forecast("x", covariates=["y"], series="id", time="when")


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "ROWS", 7)
    monkeypatch.setattr(table, "BYTES", 200)
    monkeypatch.setattr(streaming, "WHOLE", 20)


def panel(order: str) -> pd.DataFrame:
    """Four series of 40, 3, 1 and 25 steps, standing together, interleaved by time, or mixed."""
    parts = []
    for name, length in (("p", 40), ("q", 3), ("r", 1), ("s", 25)):
        when = pd.date_range("2021-01-01", periods=length, freq="D").astype(str)
        values = np.random.default_rng(length).normal(size=(length, 2))
        parts.append(pd.DataFrame({"id": name, "when": when, "x": values[:, 0], "y": values[:, 1]}))
    frame = pd.concat(parts, ignore_index=True)
    if order == "time":
        return frame.sort_values(["when", "id"]).reset_index(drop=True)
    return frame.sample(frac=1, random_state=2).reset_index(drop=True) if order == "mixed" else frame


def sources(frame: pd.DataFrame, folder: Path) -> list[Path | io.BytesIO | pd.DataFrame]:
    frame.to_csv(folder / "t.csv", index=False)
    return [folder / "t.csv", io.BytesIO(frame.to_csv(index=False).encode()), frame]


def same(found: list[Series], expected: list[Series]) -> None:
    assert [one.name for one in found] == [one.name for one in expected]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        np.testing.assert_array_equal(one.times, other.times)


def test_a_stream_of_series_that_stand_together(tmp_path: Path) -> None:
    frame = panel("together")
    for source in sources(frame, tmp_path):
        found = list(stream_series(source, PANEL, None))
        same(found, read_series([tmp_path / "t.csv"], PANEL).series)
    told = list(stream_series(tmp_path / "t.csv", PANEL, None, keep_rows=True))
    assert told[1].rows == frame[frame["id"] == "q"].astype(str).to_dict("records")


def test_in_a_long_stream_a_series_may_not_come_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    panel("time").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"t\.csv:6: series p goes on here, after other series; .* more than 20 rows"):
        list(stream_series(path, PANEL, None))
    told: list[DataError] = []
    assert [one.name for one in stream_series(path, PANEL, told.append)][:4] == ["p", "q", "r", "s"]
    assert told
    short = panel("mixed").head(15)
    for source in sources(short, tmp_path):
        same(list(stream_series(source, PANEL, None)), read_series([path], PANEL).series)


def test_long_series_come_in_pieces(tmp_path: Path) -> None:
    frame = panel("together")
    for source in sources(frame, tmp_path):
        pieces = list(stream_series(source, PANEL, None, longest=10))
        assert max(map(len, pieces)) == 10
        for name, whole in frame.groupby("id"):
            mine = [one.values for one in pieces if one.name == name]
            np.testing.assert_array_equal(np.concatenate(mine), whole[["x", "y"]].to_numpy())
    frame.loc[[5, 30]] = frame.loc[[30, 5]].to_numpy()
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="longer than 10 steps, so its rows must stand in the order of time"):
        list(stream_series(tmp_path / "t.csv", PANEL, None, longest=10))


@pytest.mark.parametrize("order", ["together", "time", "mixed"])
@pytest.mark.parametrize("steps", [1, 4, 1000])
def test_tails_are_the_ends_by_time(tmp_path: Path, order: str, steps: int) -> None:
    for source in sources(panel(order), tmp_path):
        whole = read_series([tmp_path / "t.csv"], PANEL).series
        same(tails(source, PANEL, steps, None), [one.take(slice(-steps, None)) for one in whole])


@pytest.mark.parametrize("policy", ["drop", "forward", "interpolate"])
def test_tails_reach_back_as_far_as_missing_values_need(tmp_path: Path, policy: str) -> None:
    frame = panel("together")
    frame.loc[frame.index % 3 != 0, "y"] = None
    frame.loc[[10, 33, 36, 38], "x"] = None
    frame = frame[frame["id"].isin(["p", "s"])]
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = forecast("x", covariates=["y"], series="id", time="when", missing=policy)
    whole = fill(read_series([tmp_path / "t.csv"], options).series, ["x", "y"], options.missing)
    found = fill(tails(tmp_path / "t.csv", options, 5, None), ["x", "y"], options.missing)
    for one, other in zip(found, whole, strict=True):
        assert 5 <= len(one) < len(other)
        np.testing.assert_allclose(one.values[-5:], other.values[-5:], rtol=1e-14)


def test_tails_of_wide_tables(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("id,a,b,c\np,1,2,3\nq,4,,\n")
    found = tails(tmp_path / "w.csv", forecast(layout="wide"), 2, None)
    assert [(one.name, one.values[:, 0].tolist()) for one in found] == [("p", [2, 3]), ("q", [4])]


def test_prediction_needs_no_target_and_goes_on_behind_bad_rows(tmp_path: Path) -> None:
    lines = ["id,x", "a,1", "a,oops", "a,2", "b,3,4", "b,5", *[f"c,{number}" for number in range(30)]]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    options = settings(target={"kind": "class", "columns": "y"}, covariates=["x"], series="id")
    told: list[DataError] = []
    found = list(stream_series(tmp_path / "t.csv", options, told.append))
    assert [(one.name, len(one)) for one in found] == [("a", 2), ("b", 1), ("c", 30)]
    assert {bad.line for bad in told} == {3, 5} and len(told) == 2
