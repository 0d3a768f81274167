"""Numbers about predictions. NumPy only. A metric is one class, registered by its name."""

from rnncli.metrics import classes, entity_scores, forecasts, likelihood, numbers, sequences
from rnncli.metrics.metric import METRICS, Metric
from rnncli.metrics.outcome import Outcome
from rnncli.metrics.scores import Scores, better
from rnncli.metrics.threshold import best_threshold

__all__ = [
    "METRICS",
    "Metric",
    "Outcome",
    "Scores",
    "best_threshold",
    "better",
    "classes",
    "entity_scores",
    "forecasts",
    "likelihood",
    "numbers",
    "sequences",
]
