"""Numbers that the calendar knows of any time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnncli.errors import DataError, UserError
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import CalendarName


def on_circles(series: Series, names: Sequence[CalendarName]) -> np.ndarray:
    """(steps, 2 * names) float64: sine and cosine of how far the day (midnight is 0), the week (Monday) or the year
    (January) has gone.

    Raises:
        DataError: the series has plain numbers for times.
    """
    if not names:
        return np.empty((len(series), 0))
    if series.times is None or series.times.dtype.kind == "f":
        raise DataError(f"{called(series)} has plain numbers for times; data.calendar needs dates", series.source)
    angles = [2 * np.pi * _gone(series.times, name) for name in names]
    return np.stack([turn(angle) for angle in angles for turn in (np.sin, np.cos)], axis=1)


def _gone(times: np.ndarray, name: CalendarName) -> np.ndarray:
    days = times.astype("datetime64[D]")
    if name == "hour":
        return np.asarray((times - days) / np.timedelta64(1, "D"))
    if name == "weekday":
        return np.asarray((days.astype(np.int64) + 3) % 7 / 7)  # The first day of all was a Thursday.
    return np.asarray(times.astype("datetime64[M]").astype(np.int64) % 12 / 12)


def refuse_constant(names: Sequence[CalendarName], training: Sequence[Series]) -> None:
    """Raises a UserError for what is the same at all steps of the training part."""
    for name in names:
        seen = np.concatenate([on_circles(series, [name]) for series in training])
        if (seen == seen[0]).all():
            raise UserError(f"data.calendar: the {name} is the same at all steps of the training part; leave it out")
