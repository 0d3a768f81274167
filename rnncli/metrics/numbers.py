"""Metrics of values and forecasts: their errors, in the data's own units where nothing else is said.

A value that was not observed (NaN in the truth) is left out everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Mean, Metric, Scheme, given, metric
from rnncli.metrics.outcome import Outcome


class Error(Mean):
    """A mean over all observed values: items, steps and columns count alike."""

    higher_is_better = False
    kinds = frozenset({"value", "forecast"})


@metric("mse")
class MSE(Error):
    """Mean squared error, in the square of the data's units."""

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        return outcome.errors**2


@metric("mae")
class MAE(Error):
    """Mean absolute error, in the data's units."""

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        return abs(outcome.errors)


@metric("rmse")
class RMSE(MSE):
    """Square root of the mean squared error, in the data's units."""

    def value(self) -> float:
        return math.sqrt(super().value())


@metric("scaled_mse")
class ScaledMSE(Error):
    """Mean squared error in the units in which the model was trained (for `standard` scaling: deviations of the
    training part), as results on ETT are published (Zhou et al. 2021)."""

    needs = ("target", "scale")

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        return outcome.scaled_errors**2


@metric("scaled_mae")
class ScaledMAE(Error):
    """Mean absolute error in the units in which the model was trained; see scaled_mse."""

    needs = ("target", "scale")

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        return abs(outcome.scaled_errors)


@metric("pinball")
class Pinball(Error):
    """Quantile loss: max(level * (y - q), (level - 1) * (y - q)), mean over levels and values, in the data's units
    (Koenker & Bassett 1978)."""

    needs = ("target", "quantiles", "levels")

    def measure(self, outcome: Outcome) -> NDArray[np.float64]:
        target, levels = given(outcome.target), np.asarray(outcome.levels)
        observed = ~np.isnan(target)
        below = target[observed].astype(np.float64)[:, None] - given(outcome.quantiles)[observed]
        loss: NDArray[np.float64] = np.maximum(levels * below, (levels - 1) * below)
        return loss


@metric("r2")
class R2(Metric):
    """1 - squared error / squared deviation from the mean of the truth, for each column, then the mean over columns;
    1 is perfect, 0 is as good as that mean.

    A column whose truth is constant counts 1 where every prediction is right and 0 otherwise.
    """

    higher_is_better = True
    kinds = frozenset({"value", "forecast"})

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        super().__init__(names, scheme)
        # The first observed value of each column is subtracted, so that squares of large numbers don't cancel and a
        # constant column has a deviation of exactly 0.
        self.origin = np.full(len(names), np.nan)
        self.count, self.sum, self.squares, self.residual = np.zeros((4, len(names)))

    def add(self, outcome: Outcome) -> None:
        target = given(outcome.target).reshape(-1, len(self.names)).astype(np.float64)
        observed = ~np.isnan(target)
        first = target[observed.argmax(axis=0), np.arange(len(self.names))]
        self.origin = np.where(np.isnan(self.origin), first, self.origin)
        shifted = np.where(observed, target - self.origin, 0)
        self.count += observed.sum(axis=0)
        self.sum += shifted.sum(axis=0)
        self.squares += (shifted**2).sum(axis=0)
        self.residual += np.where(observed, (outcome.predicted.reshape(target.shape) - target) ** 2, 0).sum(axis=0)

    def value(self) -> float:
        seen = self.count > 0
        if not seen.any():
            return float("nan")
        residual, count = self.residual[seen], self.count[seen]
        deviation = self.squares[seen] - self.sum[seen] ** 2 / count
        constant = deviation <= 0
        scores = 1 - residual / np.where(constant, 1, deviation)
        return float(np.mean(np.where(constant, residual == 0, scores)))
