"""Predictions beside the truth, padding removed: all that a metric sees. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEUScore


@dataclass(frozen=True)
class Outcome:
    """What was predicted for some examples. An item is a sequence, or a step of one, or a window.

    Attributes:
        predicted: class ids (items,) int; label sets (items, labels) bool; values (items, values) and forecasts
            (items, horizon, values), float in the data's own units; of sequences (items,) the texts.
        target: the truth in the shape of `predicted`; NaN where a value was not observed; of sequences (items,) tuples
            of the texts that would be right. None without truth.
        lengths: (sequences,) items of each sequence, in order; they sum to the items.
        probabilities: (items, classes) or (items, labels); None for values and where they would be large (tokens).
        nll: (items,) negative log-likelihood of the truth in nats: of the class, or summed over the labels; of
            sequences that a decoder writes (tokens,) of each token of all of them, ends included.
        quantiles: (items, horizon, values, levels) or (items, values, levels), where the head gives them.
        levels: the level of each quantile, between 0 and 1.
        scale: the unit of `predicted` and `target` in which the model was trained, broadcastable to them.
        naive_error: (items, values) the unit of MASE.
        answers: (items,) of sequences, lists of (text, log probability in nats), the best first.
    """

    predicted: np.ndarray
    target: np.ndarray | None
    lengths: np.ndarray
    probabilities: np.ndarray | None = None
    nll: np.ndarray | None = None
    quantiles: np.ndarray | None = None
    levels: tuple[float, ...] | None = None
    scale: np.ndarray | None = None
    naive_error: np.ndarray | None = None
    answers: np.ndarray | None = None

    @cached_property
    def observed(self) -> NDArray[np.bool_]:
        """Where the truth, which must be there, is a number."""
        observed: NDArray[np.bool_] = ~np.isnan(np.asarray(self.target))
        return observed

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """(observed values,) prediction minus truth."""
        errors: NDArray[np.float64] = (self.predicted.astype(np.float64) - np.asarray(self.target))[self.observed]
        return errors

    @cached_property
    def scaled_errors(self) -> NDArray[np.float64]:
        """(observed values,) in the unit in which the model was trained."""
        unit = np.broadcast_to(np.asarray(self.scale), self.observed.shape)
        errors: NDArray[np.float64] = self.errors / unit[self.observed]
        return errors

    @cached_property
    def shared_words(self) -> BLEUScore:
        """The n-grams that texts share with their references, as sacrebleu counts them; one count for all orders."""
        from sacrebleu.metrics.bleu import BLEU

        references = streams(np.asarray(self.target).tolist())
        # Forced, it doesn't warn of tokenized texts, which captions are; the counts are the same.
        counted: BLEUScore = BLEU(force=True).corpus_score(self.predicted.tolist(), references)
        return counted


def streams(references: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """References as sacrebleu reads them: the first of each item, the second of each, ..., None where one has fewer
    (which it takes, and its types don't say)."""
    return list(zip_longest(*references))
