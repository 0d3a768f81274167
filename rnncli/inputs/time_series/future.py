"""The steps to forecast, as far as something is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.time_series import times
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.series import Series


def history(series: Series, targets: int) -> int:
    """Steps up to the last that has a value in one of the first `targets` columns; those after it are to come."""
    there = np.flatnonzero(~np.isnan(series.values[:, :targets]).all(axis=1))
    return int(there[-1]) + 1 if len(there) else 0


def by_rows(series: Series, known: Sequence[int]) -> Series:
    """The steps with nothing but the `known` columns; zero in the others, so that nobody misses them."""
    values = np.zeros_like(series.values)
    values[:, known] = series.values[:, known]
    return replace(series, values=values, observed=None)


def by_calendar(series: Series, horizon: int, step: times.Frequency | None) -> Series:
    """The `horizon` steps after the last, of which nothing is known but when they are.

    Raises:
        DataError: no step from one time to the next is usual.
    """
    stamps = None if series.times is None else times.future(series.times, horizon, step)
    if stamps is None:
        raise DataError(
            f"the times of {called(series)} have no usual step, so data.calendar knows nothing of those to come",
            series.source,
        )
    last = series.take(np.full(horizon, len(series) - 1))
    return replace(last, times=stamps, values=np.zeros_like(last.values), observed=None)
