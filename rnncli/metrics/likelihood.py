"""Metrics of the probability that was given to the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.metric import Mean, Scheme, given, metric
from rnncli.metrics.outcome import Outcome


@metric("nll")
class NLL(Mean):
    """Negative log-likelihood of the truth in nats, mean over items; summed over the labels of a label set. Of written
    sequences it is the mean over tokens, ends included; with CTC over sequences, each the sum over its alignments."""

    higher_is_better = False
    kinds = frozenset({"class", "tag", "token", "labels", "sequence"})
    needs = ("nll",)

    def measure(self, outcome: Outcome) -> NDArray[np.floating]:
        return given(outcome.nll)


@metric("frame_nll")
class FrameNLL(NLL):
    """Negative log-likelihood of a frame in nats: summed over its pitches (or other labels), mean over all frames
    of all sequences (Boulanger-Lewandowski et al. 2012)."""

    kinds = frozenset({"frame"})


@metric("perplexity")
class Perplexity(NLL):
    """exp of the mean negative log-likelihood of a token; every token that is predicted counts, ends of sentences
    included."""

    kinds = frozenset({"token"})

    def value(self) -> float:
        with np.errstate(over="ignore"):
            return float(np.exp(super().value()))


@metric("bits_per_character")
class BitsPerCharacter(NLL):
    """Mean negative log-likelihood of a token divided by ln 2, for streams whose tokens are characters."""

    kinds = frozenset({"token"})

    @classmethod
    def fits(cls, kind: str, names: Sequence[str], scheme: Scheme) -> bool:
        # Entries such as <unk> stand for one character that has no entry of its own.
        return super().fits(kind, names, scheme) and all(len(name) == 1 or name[:1] == "<" for name in names)

    def value(self) -> float:
        return super().value() / math.log(2)
