"""Metrics of classes and label sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Mean, Metric, Scheme, given, metric
from rnncli.metrics.outcome import Outcome


@metric("accuracy")
class Accuracy(Mean):
    """Share of items whose predicted class is the true one, 0 to 1. For tags every token counts once; of a stream it
    is the share of next tokens that are given the highest probability."""

    higher_is_better = True
    kinds = frozenset({"class", "tag", "token"})

    def measure(self, outcome: Outcome) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = outcome.predicted == given(outcome.target)
        return right


class F1(Metric):
    """What both averages of F1 count: for each class its hits, its predictions and its true items."""

    higher_is_better = True
    kinds = frozenset({"class", "tag", "labels"})

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        super().__init__(names, scheme)
        self.hits, self.predicted, self.true = np.zeros((3, len(names)), dtype=np.int64)

    def add(self, outcome: Outcome) -> None:
        predicted, target = outcome.predicted, given(outcome.target)
        if predicted.ndim == 2:
            self.hits += (predicted & target).sum(axis=0)
            self.predicted += predicted.sum(axis=0)
            self.true += target.sum(axis=0)
        else:
            classes = len(self.names)
            self.hits += np.bincount(target[predicted == target], minlength=classes)
            self.predicted += np.bincount(predicted, minlength=classes)
            self.true += np.bincount(target, minlength=classes)


@metric("f1_macro")
class F1Macro(F1):
    """Unweighted mean over the classes (or labels) of F1 = 2 hits / (predicted + true), 0 to 1.

    A class that is neither predicted nor true anywhere is left out of the mean.
    """

    def value(self) -> float:
        either = self.predicted + self.true
        met = either > 0
        return float(np.mean(2 * self.hits[met] / either[met])) if met.any() else float("nan")


@metric("f1_micro")
class F1Micro(F1):
    """F1 of the counts summed over the classes (or labels): 2 hits / (predicted + true), 0 to 1.

    Equals the accuracy where each item has exactly one class.
    """

    def value(self) -> float:
        either = int((self.predicted + self.true).sum())
        return 2 * int(self.hits.sum()) / either if either else float("nan")


class Confusion:
    """How often each true class (row) was predicted as each class (column).

    Attributes:
        matrix: (classes, classes) int64.
    """

    def __init__(self, classes: int) -> None:
        self.matrix = np.zeros((classes, classes), dtype=np.int64)

    def add(self, predicted: np.ndarray, target: np.ndarray) -> None:
        classes = len(self.matrix)
        pairs = target * classes + predicted
        self.matrix += np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
