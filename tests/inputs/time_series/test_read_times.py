"""Times: read, written, stepped on; pandas is the oracle."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rnncli.errors import UserError
from rnncli.inputs.time_series.times import Frequency, as_text, frequency, future, gaps, parse, season_of


def stamps(*texts: str) -> np.ndarray:
    return pd.DatetimeIndex(list(texts)).to_numpy("datetime64[ns]")


@pytest.mark.parametrize(
    "texts",
    [
        ["1949-01", "1960-12"],
        ["2016-07-01", "1749-02-03"],
        ["2016/07/01 05:00", "2016/07/02 06:30"],
        ["2016-07-01T05:00:07", "2016-07-01T05:00:08"],
        ["2016-07-01 05:00:07.250000", "2016-07-01 05:00:08.000000"],
        ["2016-07-01 05:00:07+02:00", "2016-07-01 05:00:08+02:00"],
        ["2016-07-01T05:00Z", "2016-07-01T06:00Z"],
        ["2016-07-01 05:00:07 UTC", "2016-07-01 05:00:09 UTC"],
        ["3", "4.5", "1e+20"],
        ["-3", "20160701"],
    ],
)
def test_times_are_written_as_they_are_read(texts: list[str]) -> None:
    parsed = parse(pa.array(texts))
    assert not parsed.wrong.any()
    zone = next(iter(parsed.zones), None)
    written = as_text(parsed.values, parsed.form, zone)
    assert [text.replace("100000000000000000000", "1e+20") for text in written] == texts
    if parsed.form is not None:
        # The clock of the zone, not its moment in UTC.
        naive = pd.to_datetime([text.replace("UTC", "") for text in texts], format="ISO8601").tz_localize(None)
        np.testing.assert_array_equal(parsed.values, naive.to_numpy("datetime64[ns]"))


def test_wrong_times_are_marked() -> None:
    parsed = parse(pa.array(["2016-01-01", "", "2016-13-01", "soon", "2400-01-01", "2016-01-02"]))
    assert parsed.wrong.tolist() == [False, True, True, True, True, False]
    assert parse(pa.array(["1", "x", "", "nan", "2"])).wrong.tolist() == [False, True, True, True, False]


def test_each_zone_has_its_first_row() -> None:
    texts = ["2016-01-01 00:00Z", "bad", "2016-01-01 00:00Z", "2016-01-01 00:00+01:00", "2016-01-01 00:00"]
    assert parse(pa.array(texts)).zones == {"Z": 0, "+01:00": 3, "": 4}


def test_a_stated_format() -> None:
    parsed = parse(pa.array(["31.01.2016 05h", "x"]), "%d.%m.%Y %Hh")
    assert parsed.values[0] == np.datetime64("2016-01-31T05") and parsed.wrong.tolist() == [False, True]
    assert as_text(parsed.values[:1], parsed.form, None) == ["31.01.2016 05h"]
    zoned = parse(pa.array(["20160131T05+0530"]), "%Y%m%dT%H%z")
    assert zoned.zones == {"+0530": 0} and zoned.values[0] == np.datetime64("2016-01-31T05")
    assert as_text(zoned.values, zoned.form, "+0530") == ["20160131T05+0530"]
    with pytest.raises(UserError, match="time_format"):
        parse(pa.array(["2016"]), "%Q")


@pytest.mark.parametrize(
    ("offset", "start", "season"),
    [
        ("h", "2016-07-01", 24),
        ("30min", "2016-07-01", 48),
        ("15min", "2016-07-01", 96),
        ("2h", "2016-07-01", 12),
        ("min", "2016-07-01", 60),
        ("10s", "2016-07-01", 6),
        ("7h", "2016-07-01", 1),
        ("D", "2016-07-01", 7),
        ("7D", "2016-07-01", 52),
        ("B", "2016-07-01 16:00", 5),
        ("MS", "1959-11-01", 12),
        ("ME", "1959-11-30", 12),
        ("QS", "1959-10-01", 4),
        ("QE", "1959-12-31", 4),
        ("YS", "1959-01-01", 1),
        ("YE", "1959-12-31", 1),
    ],
)
def test_what_follows_is_what_pandas_says(offset: str, start: str, season: int) -> None:
    every = pd.date_range(start, periods=30, freq=offset).to_numpy("datetime64[ns]")
    step = frequency(every[:17])
    np.testing.assert_array_equal(future(every[:17], 13), every[17:])
    assert season_of(step) == season
    assert step is not None and not len(gaps(every, step))
    # Some times missing: the same step, the same future, the gaps found.
    thinned = np.delete(every[:17], [4, 5, 11])
    assert frequency(thinned) == step
    np.testing.assert_array_equal(future(thinned, 13), every[17:])
    assert gaps(thinned, step).tolist() == [3, 8]


def test_the_step_of_numbers() -> None:
    assert future(np.array([0.1, 0.2, 0.3, 0.4]), 3) is not None
    np.testing.assert_array_equal(future(np.array([0.1, 0.2, 0.3, 0.4]), 3), [0.5, 0.6, 0.7])
    assert frequency(np.array([1.0, 2, 3, 7])) == Frequency("number", 1)
    assert gaps(np.array([1.0, 2, 3, 7]), Frequency("number", 1)).tolist() == [2]
    assert season_of(frequency(np.array([1.0, 2, 3]))) == 1


def test_where_no_step_is_usual() -> None:
    assert frequency(stamps("2016-01-01")) is None
    irregular = stamps("2016-01-01", "2016-01-02", "2016-01-09", "2016-03-01", "2016-03-04")
    assert frequency(irregular) is None and future(irregular, 3) is None and season_of(None) == 1
    assert future(stamps("2016-01-31"), 2, Frequency("month", 1)) is not None
    np.testing.assert_array_equal(
        future(stamps("2016-01-31"), 2, Frequency("month", 1)), stamps("2016-02-29", "2016-03-31")
    )


def test_steps_in_words() -> None:
    days = pd.date_range("2016-07-01", periods=30, freq="3D").to_numpy("datetime64[ns]")
    assert str(frequency(days)) == "3 days"
    assert str(Frequency("month", 1)) == "1 month" and str(Frequency("nanosecond", 90 * 60 * 10**9)) == "90 minutes"
