"""What a metric is, and the registry of all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnncli.metrics.outcome import Outcome
from rnncli.registry import Registry

Scheme = Literal["BIO", "BIOES"] | None
"""How tags write spans; None where they are no spans."""


class Metric(ABC):
    """One number about predictions, fed piece by piece; keeps sums and counts, and texts where it must.

    Attributes:
        name: its key in every table and file.
        higher_is_better: the direction of improvement.
        kinds: the kinds of target that it measures.
        needs: the fields of an outcome without which it can't be computed.
    """

    name: ClassVar[str]
    higher_is_better: ClassVar[bool]
    kinds: ClassVar[frozenset[str]]
    needs: ClassVar[tuple[str, ...]] = ("target",)

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        """
        Args:
            names: classes, labels, tags, tokens or value columns; the position is the id.
        """
        self.names, self.scheme = names, scheme

    @classmethod
    def fits(cls, kind: str, names: Sequence[str], scheme: Scheme) -> bool:
        """Whether it says something about such a target."""
        return kind in cls.kinds

    @abstractmethod
    def add(self, outcome: Outcome) -> None:
        """Takes in some examples."""

    @abstractmethod
    def value(self) -> float:
        """The number over all examples taken in; NaN where there was nothing to measure."""

    def signature(self) -> str | None:
        """How it was measured, where another package fixes that and results are quoted with it."""
        return None


METRICS: Registry[type[Metric]] = Registry("metric")

M = TypeVar("M", bound=type[Metric])


def metric(name: str) -> Callable[[M], M]:
    """Decorator that names and registers a metric."""

    def keep(part: M) -> M:
        part.name = name
        return METRICS.register(name)(part)  # type: ignore[return-value]

    return keep


class Mean(Metric):
    """A metric that is the mean of one number for each thing measured."""

    def __init__(self, names: Sequence[str], scheme: Scheme) -> None:
        super().__init__(names, scheme)
        self.total, self.count = 0.0, 0

    @abstractmethod
    def measure(self, outcome: Outcome) -> NDArray[Any]:
        """The numbers to be averaged, those without a truth left out."""

    def add(self, outcome: Outcome) -> None:
        measured = self.measure(outcome)
        self.total += float(measured.sum(dtype=np.float64))
        self.count += measured.size

    def value(self) -> float:
        return self.total / self.count if self.count else float("nan")


def given(array: np.ndarray | None) -> NDArray[Any]:
    """An optional array of an outcome that a metric has named in `needs`."""
    if array is None:
        raise ValueError("the outcome lacks an array that this metric needs")
    return array
