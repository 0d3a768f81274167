"""The decision threshold against every threshold there is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from rnncli.metrics import best_threshold


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_no_threshold_is_better(seed: int, precision: type[np.floating]) -> None:
    random = np.random.default_rng(seed)
    target = random.integers(0, 2, 30)
    # Rounded, so that probabilities tie.
    probability = np.clip(0.2 * target + random.random(30) * 0.8, 0, 1).round(1).astype(precision)
    threshold = best_threshold(probability, target)
    best = max(f1_score(target, probability >= cut) for cut in np.unique(probability))
    assert f1_score(target, probability >= threshold) == pytest.approx(best)
    assert not np.isclose(probability, threshold).any() or threshold == 0


def test_by_hand() -> None:
    # All cuts in (0.2, 0.6] are perfect; it lies in the middle.
    assert best_threshold(np.array([0.1, 0.6, 0.2, 0.9]), np.array([0, 1, 0, 1])) == pytest.approx(0.4)
    # F1 2/3 at (0.6, 0.8] (one of two, no false one) and at (0, 0.1] (both, two false ones): 0.7 is nearer to 0.5.
    assert best_threshold(np.array([0.8, 0.6, 0.3, 0.1]), np.array([1, 0, 0, 1])) == pytest.approx(0.7)
    assert best_threshold(np.array([0.3, 0.7]), np.array([0, 0])) == 0.5
    assert best_threshold(np.array([0.0, 0.0]), np.array([1, 1])) == 0.0


@pytest.mark.parametrize("steps", [0, 1])
def test_neighbouring_floats(steps: int) -> None:
    low = high = np.float32(0.7)
    for _ in range(steps + 1):
        low, high = high, np.nextafter(high, np.float32(1))
    probability = np.array([low, high])
    threshold = best_threshold(probability, np.array([0, 1]))
    assert (probability >= threshold).tolist() == [False, True]
