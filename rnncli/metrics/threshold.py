"""The decision threshold of two classes."""

from __future__ import annotations

import numpy as np


def best_threshold(probability: np.ndarray, target: np.ndarray) -> float:
    """The threshold t that maximises F1 of the second class when it is predicted where `probability >= t`.

    It lies half-way between two neighbouring probabilities, so that rounding decides nothing. Of thresholds with equal
    F1 it is the one nearest to 0.5; without any item of the second class it is 0.5.

    Args:
        probability: (items,) of the second class.
        target: (items,) 0 for the first class, 1 for the second.
    """
    positives = int(np.sum(target))
    if positives == 0:
        return 0.5
    # Predicted positive from each distinct probability upwards: counts from the end of the sorted ones.
    distinct, position = np.unique(probability, return_inverse=True)
    items = np.bincount(position)
    hits = np.bincount(position, weights=target)
    predicted, hits = items[::-1].cumsum()[::-1], hits[::-1].cumsum()[::-1]
    f1 = 2 * hits / (predicted + positives)
    below = np.concatenate([np.zeros(1, dtype=distinct.dtype), distinct[:-1]])
    thresholds = below + (distinct - below) / 2
    thresholds = np.where(thresholds > below, thresholds, distinct)
    best = np.flatnonzero(f1 == f1.max())
    return float(thresholds[best[np.abs(thresholds[best] - 0.5).argmin()]])
