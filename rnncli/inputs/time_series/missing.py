"""What is done about missing values: one policy, stated by the user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.time_series.series import Series

Policy = Literal["drop", "forward", "interpolate", "mask"]


def fill(series: Sequence[Series], columns: Sequence[str], policy: Policy | None) -> list[Series]:
    """The series with the policy applied to their values.

    drop leaves out each step at which a value or a target of that step is missing. forward repeats the last value,
    interpolate draws a line between the neighbours (over the times, where there are times) and repeats the last value
    at the end; both leave out the first steps, up to the one where every column has had a value, and remember which
    values were observed, for a truth is never made up. mask leaves NaN where it is, as do all but drop in targets that
    are no inputs.

    Args:
        columns: names of the columns of `values`.

    Raises:
        DataError: values are missing and there is no policy, or a series has nothing left.
    """
    if policy is None:
        _refuse(series, columns)
    if policy is None or policy == "mask":
        return list(series)
    return [_dropped(one) if policy == "drop" else _filled(one, columns, policy) for one in series]


def incomplete(series: Series) -> np.ndarray:
    """(steps,) bool: where a value, or a target of that step, is missing."""
    gone: np.ndarray = np.isnan(series.values).any(axis=1)
    targets = series.target_values
    if targets is not None and len(targets) == len(series):
        gone = gone | np.isnan(targets).any(axis=1)
    return gone


def called(series: Series) -> str:
    """What a message calls a series."""
    return f"series {series.name}" if series.name else "the series"


def _refuse(series: Sequence[Series], columns: Sequence[str]) -> None:
    count, first = 0, None
    for one in series:
        gone = np.isnan(one.values)
        count += int(gone.sum())
        if first is None and gone.any():
            step = int(gone.any(axis=1).argmax())
            first = one, step, f"column {columns[int(gone[step].argmax())]}"
        if one.target_values is not None:
            lost = np.isnan(one.target_values).any(axis=1)
            count += int(lost.sum())
            if first is None and lost.any():
                first = one, int(lost.argmax()), "the target"
    if first is None:
        return
    one, step, what = first
    of = f" of {called(one)}" if one.name else ""
    raise DataError(
        f"{what}{of} has no value here ({count} missing in all); data.missing must say what to do: drop, "
        "forward, interpolate or mask",
        one.source,
        int(one.lines[step]),
    )


def _dropped(series: Series) -> Series:
    gone = incomplete(series)
    if not gone.any():
        return series
    if gone.all():
        raise DataError(f"{called(series)} has no step without a missing value", series.source, int(series.lines[0]))
    return series.take(~gone)


def _filled(series: Series, columns: Sequence[str], policy: Policy) -> Series:
    there = ~np.isnan(series.values)
    if there.all():
        return series
    if not there.any(axis=0).all():
        empty = columns[int((~there.any(axis=0)).argmax())]
        raise DataError(f"column {empty} of {called(series)} has no value at all", series.source, int(series.lines[0]))
    start = int(there.argmax(axis=0).max())
    observed = there if series.observed is None else there & series.observed
    return replace(series, values=_complete(series, there, policy), observed=observed).take(slice(start, None))


def _complete(series: Series, there: np.ndarray, policy: Policy) -> np.ndarray:
    steps = np.arange(len(series))
    if policy == "forward":
        latest = np.maximum.accumulate(np.where(there, steps[:, None], 0), axis=0)
        return np.asarray(np.take_along_axis(series.values, latest, axis=0))
    times = steps if series.times is None else series.times
    along = (times - times[0]).astype(np.float64)
    values = series.values.copy()
    for column in range(values.shape[1]):
        known = there[:, column]
        values[~known, column] = np.interp(along[~known], along[known], values[known, column])
    return values
