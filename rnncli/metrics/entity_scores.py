"""Metrics of the spans that tags write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnncli.metrics.entities import count_matches
from rnncli.metrics.metric import Metric, Scheme, given, metric
from rnncli.metrics.outcome import Outcome


class EntityMetric(Metric):
    """Counts of spans; a span is a hit where type, first and last token agree (Tjong Kim Sang & De Meulder 2003).

    How spans are read from tags is said by the scheme of the target (BIO, BIOES).
    """

    higher_is_better = True
    kinds = frozenset({"tag"})

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        super().__init__(names, scheme)
        self.hits = self.predicted = self.true = 0

    @classmethod
    def fits(cls, kind: str, names: Sequence[str], scheme: Scheme) -> bool:
        return super().fits(kind, names, scheme) and scheme is not None

    def _sentences(self, ids: np.ndarray, lengths: np.ndarray) -> Iterator[list[str]]:
        tags = [self.names[tag] for tag in ids.tolist()]
        for end, length in zip(lengths.cumsum().tolist(), lengths.tolist(), strict=True):
            yield tags[end - length : end]

    def add(self, outcome: Outcome) -> None:
        if self.scheme is None:
            raise ValueError(f"{self.name} needs a scheme")
        predicted = self._sentences(outcome.predicted, outcome.lengths)
        true = self._sentences(given(outcome.target), outcome.lengths)
        for matches in count_matches(predicted, true, self.scheme).values():
            self.hits += matches.correct
            self.predicted += matches.predicted
            self.true += matches.target


@metric("entity_f1")
class EntityF1(EntityMetric):
    """Micro F1 of whole spans, in the scheme of the target: 2 hits / (predicted + true), 0 to 1; 0 where there is no
    span at all."""

    def value(self) -> float:
        return 2 * self.hits / max(self.predicted + self.true, 1)


@metric("entity_precision")
class EntityPrecision(EntityMetric):
    """Share of the predicted spans that are true, in the scheme of the target, 0 to 1; 0 where none is predicted."""

    def value(self) -> float:
        return self.hits / max(self.predicted, 1)


@metric("entity_recall")
class EntityRecall(EntityMetric):
    """Share of the true spans that are predicted, in the scheme of the target, 0 to 1; 0 where there is none."""

    def value(self) -> float:
        return self.hits / max(self.true, 1)
