"""Metrics of forecasts that are averaged window by window, as in the M competitions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Mean, given, metric
from rnncli.metrics.outcome import Outcome


class WindowMean(Mean):
    """A mean over windows and columns of a mean over the observed steps of the horizon."""

    higher_is_better = False
    kinds = frozenset({"forecast"})

    def windows(self, measured: np.ndarray, observed: np.ndarray) -> NDArray[np.float64]:
        """(items, values): the mean over the observed steps of (items, horizon, values), NaN where there is none."""
        steps = observed.sum(axis=1)
        total = np.where(observed, measured, 0).sum(axis=1)
        return np.where(steps > 0, total / np.maximum(steps, 1), np.nan)


@metric("mase")
class MASE(WindowMean):
    """Mean absolute scaled error: the mean absolute error of a window, divided by that of the seasonal naive forecast
    in what its series has before the part that is measured, then the mean over windows and columns (Hyndman & Koehler
    2006; averaged as in M4). Below 1 is better than the seasonal naive forecast of one step was there.

    Windows of a series whose naive error is 0 or unknown are left out.
    """

    needs = ("target", "naive_error")

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        target, unit = given(outcome.target).astype(np.float64), given(outcome.naive_error)
        observed = ~np.isnan(target)
        usable = observed.any(axis=1) & (unit > 0)
        scaled: NDArray[np.float64] = self.windows(abs(outcome.predicted - target), observed)[usable] / unit[usable]
        return scaled


@metric("smape")
class SMAPE(WindowMean):
    """Symmetric mean absolute percentage error of M4, in percent, 0 to 200: the mean of 200 |y - f| / (|y| + |f|) over
    the steps of a window, then over windows and columns; 0/0 counts 0 (Makridakis et al. 2020)."""

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        target = given(outcome.target).astype(np.float64)
        observed = ~np.isnan(target)
        size = abs(target) + abs(outcome.predicted)
        share = 200 * abs(target - outcome.predicted) / np.where(size == 0, 1, size)
        return self.windows(share, observed)[observed.any(axis=1)]
