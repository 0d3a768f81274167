"""Each policy for missing values; pandas is the oracle of filling."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnncli.errors import DataError
from rnncli.inputs.time_series.missing import fill
from rnncli.inputs.time_series.series import Series

NAN = float("nan")
DAYS = pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-05", "2020-01-06", "2020-01-10", "2020-01-11"])
VALUES = np.array([[NAN, 1], [2, NAN], [NAN, NAN], [5, 8], [NAN, 9], [7, NAN]])


def series(values: np.ndarray = VALUES, timed: bool = True, targets: np.ndarray | None = None) -> Series:
    return Series(
        name="A",
        source="a.csv",
        lines=np.arange(len(values)) + 11,
        times=DAYS.to_numpy("datetime64[ns]")[: len(values)] if timed else None,
        zone=None,
        values=values,
        categories=[np.array(list("uvwxyz")[: len(values)], object)],
        target_values=targets,
    )


def test_without_a_policy_the_first_is_named() -> None:
    with pytest.raises(
        DataError,
        match=r"a\.csv:11: column x of series A has no value here \(6 missing in all\); data\.missing must .*: drop, "
        "forward, interpolate or mask",
    ):
        fill([series()], ["x", "y"], None)
    whole = series(np.ones((3, 2)))
    assert fill([whole], ["x", "y"], None) == [whole]
    with pytest.raises(DataError, match=r"the target of series A .*1 missing"):
        fill([series(np.ones((2, 2)), targets=np.array([[1], [NAN]]))], ["x", "y"], None)


def test_forward_and_interpolate_are_those_of_pandas() -> None:
    frame = pd.DataFrame(VALUES, index=DAYS)
    (forward,) = fill([series()], ["x", "y"], "forward")
    np.testing.assert_array_equal(forward.values, frame.ffill().to_numpy()[1:])
    assert forward.lines.tolist() == [12, 13, 14, 15, 16]
    assert forward.categories[0].tolist() == list("vwxyz")
    (timed,) = fill([series()], ["x", "y"], "interpolate")
    np.testing.assert_allclose(timed.values, frame.interpolate("time", limit_area=None).to_numpy()[1:], rtol=1e-14)
    (even,) = fill([series(timed=False)], ["x", "y"], "interpolate")
    np.testing.assert_allclose(even.values, frame.interpolate("linear").to_numpy()[1:], rtol=1e-14)


def test_drop_and_mask() -> None:
    targets = np.array([[1], [2], [3], [NAN], [5], [6]])
    values = VALUES.copy()
    values[5] = 4
    (dropped,) = fill([series(values, targets=targets)], ["x", "y"], "drop")
    assert dropped.lines.tolist() == [16] and dropped.target_values is not None
    assert dropped.target_values.tolist() == [[6]]
    (masked,) = fill([series()], ["x", "y"], "mask")
    np.testing.assert_array_equal(masked.values, VALUES)
    (forward,) = fill([series(targets=targets)], ["x", "y"], "forward")
    np.testing.assert_array_equal(forward.target_values, targets[1:])


def test_nothing_left() -> None:
    with pytest.raises(DataError, match=r"a\.csv:11: series A has no step without a missing value"):
        fill([series(np.array([[NAN, 1], [1, NAN]]))], ["x", "y"], "drop")
    with pytest.raises(DataError, match="column y of series A has no value at all"):
        fill([series(np.array([[1, NAN], [1, NAN]]))], ["x", "y"], "forward")
