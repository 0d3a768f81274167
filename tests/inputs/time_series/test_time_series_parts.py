"""Chronological cuts."""

import numpy as np
import pytest

from rnncli.errors import DataError, UserError
from rnncli.inputs.time_series.parts import cut
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import SeriesSplit


def series(steps: int, times: bool = True) -> Series:
    stamps = np.datetime64("2020-01-01", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    return Series("a", None, np.arange(steps), stamps if times else None, None, np.zeros((steps, 1)))


CUTS = [
    # settings, (first, stop) of train, valid and test; without train they are counted from the end
    ({}, (0, 80), (80, 90), (90, 100)),
    ({"train": 50, "valid": 20, "test": 10}, (0, 50), (50, 70), (70, 80)),
    ({"train": 0.7, "valid": 0.1, "test": 0.2}, (0, 70), (70, 80), (80, 100)),
    ({"train": 0.29, "valid": 0.29, "test": 0.42}, (0, 29), (29, 58), (58, 100)),
    ({"valid": 7, "test": 0.25}, (0, 68), (68, 75), (75, 100)),
    ({"valid": "2020-03-01", "test": "2020-03-21"}, (0, 60), (60, 80), (80, 100)),
    ({"train": "2020-01-11", "valid": 10, "test": 10}, (10, 80), (80, 90), (90, 100)),
    ({"train": 30, "valid": "2020-03-01", "test": 10}, (0, 30), (60, 90), (90, 100)),
    ({"train": 30, "valid": 10, "test": "2020-03-01"}, (0, 30), (30, 40), (60, 100)),
    ({"valid": 0, "test": 0.5}, (0, 50), None, (50, 100)),
    ({"valid": 0.1, "test": 0.0}, (0, 90), (90, 100), None),
    ({"test": "2020-03-31 12:00"}, (0, 81), (81, 91), (91, 100)),
]


@pytest.mark.parametrize(("split", "train", "valid", "test"), CUTS)
def test_cuts(split, train, valid, test):
    wanted = {"train": train, "valid": valid, "test": test}
    found = cut(series(100), SeriesSplit(**split))
    assert found == {part: range(*steps) for part, steps in wanted.items() if steps is not None}


def test_parts_with_files_of_their_own_take_nothing():
    assert cut(series(100), SeriesSplit(), ["test"]) == {"train": range(90), "valid": range(90, 100)}
    assert cut(series(100), SeriesSplit(), ["valid", "test"]) == {"train": range(100)}


def test_numbers_as_times():
    numbered = series(100)
    numbered.times = np.arange(1900.0, 2000.0)
    assert cut(numbered, SeriesSplit(valid="1950", test="1980"))["test"] == range(80, 100)


@pytest.mark.parametrize(
    "split",
    [
        {"train": 90, "valid": 10, "test": 1},
        {"valid": 60, "test": 60},
        {"train": 70, "valid": "2020-03-01", "test": 1},
        {"valid": "2020-03-01", "test": "2020-02-01"},
    ],
)
def test_parts_that_do_not_fit(split):
    with pytest.raises(DataError, match=r"series a has 100 steps, and data.split does not fit"):
        cut(series(100), SeriesSplit(**split))


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ({"valid": 1.5}, "data.split.valid: 1.5 is neither a share"),
        ({"test": -3}, "data.split.test: -3 is neither a share"),
        ({"test": "someday"}, "data.split.test: 'someday' can't be read"),
        ({"test": "2020-03-01T00:00+02:00"}, "without a time zone"),
    ],
)
def test_lengths_that_mean_nothing(split, told):
    with pytest.raises(UserError, match=told):
        cut(series(100), SeriesSplit(**split))


def test_a_date_needs_times():
    with pytest.raises(UserError, match=r"data.time names no column"):
        cut(series(100, times=False), SeriesSplit(test="2020-03-01"))
