"""Real files, read as they lie there."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from series_settings import forecast, real, settings

from rnncli.inputs.time_series import frames
from rnncli.inputs.time_series.reading import read_series
from rnncli.inputs.time_series.streaming import stream_series, tails
from rnncli.inputs.time_series.times import as_text, frequency, future, season_of

MOT15 = {
    "format": "csv",
    "columns": ["frame", "id", "left", "top", "width", "height", "conf", "x", "y", "z"],
    "series": "id",
    "time": "frame",
    "target": {"kind": "next", "columns": ["left", "top", "width", "height"]},
}


def test_etth1() -> None:
    path = real("etth1", "ETTh1.csv")
    options = forecast("OT", covariates=["HUFL", "LULL"], time="date")
    reading = read_series([path], options)
    (one,) = reading.series
    frame = pd.read_csv(path, parse_dates=["date"])
    np.testing.assert_array_equal(one.values, frame[["OT", "HUFL", "LULL"]].to_numpy())
    np.testing.assert_array_equal(one.times, frame["date"].to_numpy("datetime64[ns]"))
    assert reading.notes == [] and one.times is not None
    assert season_of(frequency(one.times)) == 24
    following = future(one.times, 2)
    assert following is not None
    assert as_text(following, one.form, one.zone) == ["2018-06-26 20:00:00", "2018-06-26 21:00:00"]
    (tail,) = tails(path, options, 96, None)
    np.testing.assert_array_equal(tail.values, one.values[-96:])


@pytest.mark.parametrize(
    ("folder", "file", "time", "column", "count", "next_time", "season"),
    [
        ("small_series", "airline-passengers.csv", "Month", "Passengers", 144, "1961-01", 12),
        ("small_series", "monthly-sunspots.csv", "Month", "Sunspots", 2820, "1984-01", 12),
        ("small_series", "daily-min-temperatures.csv", "Date", "Temp", 3650, "1991-01-01", 7),
        ("stock_ohlcv", "GOOG.csv", "column_1", "Close", 2148, "2013-03-04", 5),
        ("stock_ohlcv", "finance-charts-apple.csv", "Date", "AAPL.Close", 506, "2017-02-17", 5),
    ],
)
def test_small_series(folder: str, file: str, time: str, column: str, count: int, next_time: str, season: int) -> None:
    path = real(folder, file)
    (one,) = read_series([path], forecast(column, time=time)).series
    frame = pd.read_csv(path).rename(columns={"Unnamed: 0": "column_1"})
    np.testing.assert_array_equal(one.values[:, 0], frame[column].to_numpy(np.float64))
    assert one.times is not None and len(one) == count
    assert as_text(one.times, one.form, one.zone) == frame[time].tolist()
    following = future(one.times, 1)
    assert following is not None and as_text(following, one.form, one.zone) == [next_time]
    assert season_of(frequency(one.times)) == season


def test_the_days_that_the_temperatures_lack() -> None:
    reading = read_series([real("small_series", "daily-min-temperatures.csv")], forecast("Temp", time="Date"))
    assert reading.notes == ["the series: 2 gaps, the first after 1984-12-30 (2 days where 1 day is usual)"]


def test_m4() -> None:
    path = real("m4", "Hourly-train.csv")
    series = read_series([path], forecast(layout="wide")).series
    frame = pd.read_csv(path, index_col=0)
    assert len(series) == 414 and [one.name for one in series] == frame.index.tolist()
    assert {min(map(len, series)), max(map(len, series))} == {700, 960}
    for one, (_, row) in zip(series, frame.iterrows(), strict=True):
        np.testing.assert_array_equal(one.values[:, 0], row.dropna().to_numpy())


@pytest.mark.parametrize(("part", "cases", "longest"), [("TRAIN", 270, 26), ("TEST", 370, 29)])
def test_japanese_vowels(part: str, cases: int, longest: int) -> None:
    path = real("ucr_uea", "JapaneseVowels", f"JapaneseVowels_{part}.ts")
    reading = read_series([path], settings(target={"kind": "class"}))
    lengths = [len(one) for one in reading.series]
    assert (len(lengths), min(lengths), max(lengths), len(reading.value_columns)) == (cases, 7, longest, 12)
    lines = path.read_text().split("@data\n")[1].splitlines()
    for one, line in zip(reading.series, lines, strict=True):
        *dimensions, label = line.split(":")
        assert one.label == [label]
        np.testing.assert_array_equal(one.values, np.array([part.split(",") for part in dimensions], float).T)


def test_gun_point() -> None:
    series = read_series([real("ucr_uea", "GunPoint", "GunPoint_TEST.ts")], settings(target={"kind": "class"})).series
    assert len(series) == 150 and {one.values.shape for one in series} == {(150, 1)}
    assert {(one.label or [""])[0] for one in series} == {"1", "2"}


def test_jsb_chorales() -> None:
    path = real("jsb_chorales", "jsb-chorales-quarter.json")
    content = json.loads(path.read_text())
    options = settings(target={"kind": "next"})
    assert frames.parts(path) == ["train", "valid", "test"]
    for part, pieces, steps in (("train", 229, 13807), ("valid", 76, 4602), ("test", 77, 4725)):
        series = read_series([path], options, part=part).series
        assert (len(series), sum(map(len, series))) == (pieces, steps)
        for one, piece in zip(series, content[part], strict=True):
            assert [(np.flatnonzero(frame) + 21).tolist() for frame in one.values] == [sorted(set(s)) for s in piece]


def test_mot15() -> None:
    path = real("mot15", "TUD-Campus", "gt", "gt.txt")
    series = read_series([path], settings(**MOT15)).series
    assert (len(series), sum(map(len, series))) == (8, 359)
    frame = pd.read_csv(path, header=None)
    for one in series:
        track = frame[frame[1] == int(one.name)].sort_values(0)
        np.testing.assert_array_equal(one.values, track[[2, 3, 4, 5]].to_numpy())
        np.testing.assert_array_equal(one.times, track[0].to_numpy(float))
    streamed = list(stream_series(path, settings(**MOT15), None))
    assert [(one.name, len(one)) for one in streamed] == [(one.name, len(one)) for one in series]
