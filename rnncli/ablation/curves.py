"""Learning curves of several runs as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curve:
    """At each step the mean over the runs that got so far, the lowest and the highest."""

    steps: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


def mean_curve(curves: Sequence[Sequence[tuple[int, float]]]) -> Curve | None:
    """The mean of runs, as far as at least half of them were trained; None where none was evaluated.

    A run counts from its first evaluation to its last, along straight lines between them: runs need not have been
    evaluated at the same steps. Evaluations that are not finite are left out.
    """
    known = [sorted(point for point in curve if math.isfinite(point[1])) for curve in curves]
    known = [curve for curve in known if curve]
    if not known:
        return None
    steps = np.unique([step for curve in known for step, _ in curve]).astype(float)
    values = np.full((len(known), len(steps)), np.nan)
    for row, curve in zip(values, known, strict=True):
        at, figures = np.array(curve, dtype=float).T
        row[:] = np.interp(steps, at, figures, left=np.nan, right=np.nan)
    enough = 2 * np.isfinite(values).sum(axis=0) >= len(known)
    steps, values = steps[enough], values[:, enough]
    found = (np.nanmean(values, axis=0), np.nanmin(values, axis=0), np.nanmax(values, axis=0))
    return Curve(steps.tolist(), *(each.tolist() for each in found))
