"""All metrics that fit a target, fed together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rnncli.metrics.classes import Confusion
from rnncli.metrics.metric import METRICS, Scheme, given
from rnncli.metrics.outcome import Outcome

CONFUSION_LIMIT = 100
"""Classes above which a confusion matrix is neither kept nor readable."""


class Scores:
    """The metrics of one target over one pass.

    A metric for which an outcome lacks something (probabilities of the truth, quantiles, a scale) is absent.

    Args:
        kind: of rnncli.inputs.targets.Kind.
        names: classes, labels, tags, tokens or value columns; the position is the id.
    """

    def __init__(self, kind: str, names: Sequence[str], scheme: Scheme = None) -> None:
        self._metrics = [part(names, scheme) for _, part in METRICS.items() if part.fits(kind, names, scheme)]
        counted = kind in ("class", "tag") and len(names) <= CONFUSION_LIMIT
        self._confusion = Confusion(len(names)) if counted else None

    def add(self, outcome: Outcome) -> None:
        """Takes in some examples with their truth."""
        self._metrics = [
            metric for metric in self._metrics if all(getattr(outcome, need) is not None for need in metric.needs)
        ]
        for metric in self._metrics:
            metric.add(outcome)
        if self._confusion is not None:
            self._confusion.add(outcome.predicted, given(outcome.target))

    def values(self) -> dict[str, float]:
        """Metric name -> value over all that was taken in; NaN where there was nothing to measure."""
        return {metric.name: metric.value() for metric in self._metrics}

    def signatures(self) -> dict[str, str]:
        """Metric name -> how it was measured, of the metrics that are quoted with that."""
        signed = {metric.name: metric.signature() for metric in self._metrics}
        return {name: signature for name, signature in signed.items() if signature is not None}

    def confusion(self) -> np.ndarray | None:
        """(classes, classes) int64, true class by predicted class; None where there are no classes or too many."""
        return None if self._confusion is None else self._confusion.matrix


def better(name: str, new: float, old: float) -> bool:
    """Whether `new` improves on `old` in the direction of the metric. NaN is worse than any number.

    Raises:
        UserError: there is no such metric.
    """
    if math.isnan(new) or math.isnan(old):
        return math.isnan(old) and not math.isnan(new)
    higher = METRICS[name].higher_is_better
    return new > old if higher else new < old
