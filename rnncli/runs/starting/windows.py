"""How far a forecast looks back and ahead, for a series of some length and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.time_series.times import Frequency, season_of, span

SHARE = 0.15
"""Share of the steps held out for validation, and for the test."""

_FEWEST = 12
_FARTHEST = 24
_LONGEST = 96
_SEASONS = (4, 5, 7, 12, 24, 48, 52, 96, 168)


@dataclass(frozen=True)
class Season:
    """Steps of a season and how they are known; `stated` where the loader can't find them by itself."""

    steps: int
    because: str
    stated: bool


@dataclass(frozen=True)
class Windows:
    """The sizes of a forecast's windows, and what they rest on."""

    context: int
    horizon: int
    context_because: str
    horizon_because: str


def season_by_times(step: Frequency | None) -> Season:
    """The season that goes with the usual step."""
    steps = season_of(step)
    if step is None or steps == 1:
        return Season(1, "" if step is None else f"one row every {_bare(str(step))}", False)
    if step.unit == "month":
        return Season(steps, f"{steps} steps of {step} make a year", False)
    if step.unit == "business day":
        return Season(steps, "5 business days make a week", False)
    named = {"1 day": "a day", "7 days": "a week", "364 days": "a year", "1 hour": "an hour", "1 minute": "a minute"}
    whole = span(steps * step.count)
    return Season(steps, f"{steps} steps of {step} make {named.get(whole, whole)}", False)


def _bare(step: str) -> str:
    return step.removeprefix("1 ")


def season_by_values(series: Sequence[np.ndarray]) -> Season:
    """The season by which the differences from step to step repeat themselves; 1 where they don't."""
    likeness: dict[int, float] = {}
    for lag in _SEASONS:
        pairs = [np.diff(values) for values in series if len(values) > 3 * lag and np.ptp(values) > 0]
        found = [float(np.corrcoef(steps[:-lag], steps[lag:])[0, 1]) for steps in pairs]
        if found and np.isfinite(found).all():
            likeness[lag] = float(np.median(found))
    best = max(likeness.values(), default=0.0)
    if best < 0.5:
        return Season(1, "", False)
    # A day also repeats itself after two days and after a week.
    steps = next(lag for lag, alike in likeness.items() if alike > best - 0.1)
    return Season(steps, f"steps repeat those {steps} before (correlation {likeness[steps]:.2f})", True)


def windows(steps: int, season: Season, task: str, test: int | None, path: Path) -> Windows:
    """Sizes that leave several windows in every part.

    Args:
        steps: of the shortest series.
        test: steps of the shortest series of a test file of its own.

    Raises:
        DataError: the series is too short for any.
    """
    held = int(SHARE * steps)
    if test is not None:
        held = min(held, test)
    if steps < _FEWEST or held < 1:
        raise DataError(
            f"a series of {steps} steps is too short to cut windows for training, validation and test from; "
            f"{_FEWEST} would be enough",
            path,
        )
    horizon, why = min(season.steps, _FARTHEST) if season.steps > 1 else 12, season.because
    if test is not None and test <= 2 * _LONGEST:
        horizon, why = test, f"the test file has {test} steps of a series"
    if task != "many-to-many":
        horizon, why = 1, f"task {task} forecasts one step"
    if horizon > held:
        horizon, why = held, f"as long as the validation part ({SHARE:.0%} of {steps:,} steps)"
    train = steps - held - (held if test is None else 0)
    if task == "one-to-one":
        return Windows(1, 1, "task one-to-one reads one step", why)
    wanted = min(4 * max(horizon, season.steps), _LONGEST)
    context = max(1, min(max(wanted, min(season.steps, _LONGEST)), (train - horizon) // 2))
    because = f"steps read before a forecast; the training part has about {train:,}"
    return Windows(context, horizon, because, why or "a first guess: no season is known")
