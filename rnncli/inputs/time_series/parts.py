"""Chronological parts of one series."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from rnncli.errors import DataError, UserError
from rnncli.inputs.loader import SplitName
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import SeriesSplit


def cut(series: Series, split: SeriesSplit, filed: Collection[SplitName] = ()) -> dict[SplitName, range]:
    """The steps of each part of `series`; those of `filed` have files of their own and are left out, like
    those that the settings do not ask for.

    Raises:
        DataError: the parts are longer than the series, or overlap.
    """
    valid: int | float | str = 0 if "valid" in filed else split.valid
    test: int | float | str = 0 if "test" in filed else split.test
    count = len(series)
    from_start = split.train is not None and not isinstance(split.train, str)
    first, stop = 0, 0
    if split.train is not None:
        if isinstance(split.train, str):
            first = _first(series, "train", split.train)
        else:
            stop = _steps(count, "train", split.train)
    if isinstance(test, str):
        test_first = _first(series, "test", test)
    elif from_start and not isinstance(valid, str):
        test_first = stop + _steps(count, "valid", valid)
    else:
        test_first = count - _steps(count, "test", test)
    test_stop = test_first + _steps(count, "test", test) if from_start and not isinstance(test, str) else count
    if isinstance(valid, str):
        valid_first = _first(series, "valid", valid)
    elif from_start:
        valid_first = stop
    else:
        valid_first = test_first - _steps(count, "valid", valid)
    valid_stop = (
        valid_first + _steps(count, "valid", valid) if from_start and not isinstance(valid, str) else test_first
    )
    if not from_start:
        stop = valid_first
    parts: dict[SplitName, range] = {
        "train": range(first, stop),
        "valid": range(valid_first, valid_stop),
        "test": range(test_first, test_stop),
    }
    marks = [0, first, stop, valid_first, valid_stop, test_first, test_stop, count]
    if marks != sorted(marks):
        told = ", ".join(f"{part} would be {steps.start + 1} to {steps.stop}" for part, steps in parts.items())
        raise DataError(
            f"{called(series)} has {count} steps, and data.split does not fit into them: {told}", series.source
        )
    return {
        part: steps for part, steps in parts.items() if part == "train" or (part not in filed and wanted(split, part))
    }


def wanted(split: SeriesSplit, part: SplitName) -> bool:
    """Whether the settings ask for this part."""
    return bool(getattr(split, part))


def _steps(count: int, part: str, length: int | float | str) -> int:
    if isinstance(length, str) or length < 0 or (isinstance(length, float) and length >= 1):
        raise UserError(f"data.split.{part}: {length} is neither a share below 1, nor a number of steps, nor a date")
    # A share of 0.29 of 100 steps is 29 of them, whatever 0.29 * 100 is in floating point.
    return length if isinstance(length, int) else int(length * count + 1e-9)


def _first(series: Series, part: str, date: str) -> int:
    """The position of the first step at or after `date`."""
    if series.times is None:
        raise UserError(f"data.split.{part}: {date} is a date, and data.time names no column to compare it with")
    try:
        if np.issubdtype(series.times.dtype, np.datetime64):
            moment = pd.Timestamp(date)
            if moment.tz is not None:
                raise UserError(f"data.split.{part}: write {date} without a time zone; the clock of the file counts")
            return int(np.searchsorted(series.times, moment.to_datetime64()))
        return int(np.searchsorted(series.times, float(date)))
    except ValueError:
        raise UserError(f"data.split.{part}: {date!r} can't be read as a time of {called(series)}") from None
