"""The target of a whole series, from text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from rnncli.errors import DataError
from rnncli.inputs.time_series.numbers import numbers
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings


def give_target(
    series: Series, texts: Sequence[str], settings: TimeSeriesSettings, place: str | Path, line: int
) -> None:
    """Sets the series' label or values by the target's kind; forecasts take theirs from the series itself.

    Raises:
        DataError: there is no class, or a value is missing or no number.
    """
    kind = settings.target.kind
    if kind == "value":
        values, wrong = numbers(pa.array(texts, pa.string()))
        if not len(texts) or wrong.any() or np.isnan(values).any():
            raise DataError(f"the target is {', '.join(texts)!r} where a finite number is needed", place, line)
        series.target_values = values[None]
    elif kind in ("class", "labels"):
        label = texts[0].strip() if texts else ""
        if kind == "class" and not label:
            raise DataError("the class is missing", place, line)
        series.label = [label]
