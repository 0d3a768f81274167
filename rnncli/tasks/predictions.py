"""From outcomes to what stands in a predictions file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome

Prediction = dict[str, Any]

Row = Mapping[str, Any]
"""A prediction beside its input."""


def in_order(outcomes: Iterable[tuple[np.ndarray, Outcome]]) -> Outcome:
    """One outcome, without truth, of all batches: sequence after sequence in the order of the dataset.

    Args:
        outcomes: (rows, outcome) of each batch, every row of the dataset once.
    """
    batches, found = zip(*outcomes, strict=True)
    lengths = np.concatenate([outcome.lengths for outcome in found])
    order = np.argsort(np.concatenate(batches))
    starts, ordered = (lengths.cumsum() - lengths)[order], lengths[order]
    items = np.arange(ordered.sum()) + np.repeat(starts - (ordered.cumsum() - ordered), ordered)

    def joined(name: str) -> np.ndarray | None:
        parts = [getattr(outcome, name) for outcome in found]
        return None if parts[0] is None else np.concatenate(parts)[items]

    return Outcome(
        predicted=np.concatenate([outcome.predicted for outcome in found])[items],
        target=None,
        lengths=ordered,
        probabilities=joined("probabilities"),
        nll=None if found[0].predicted.dtype == object else joined("nll"),  # of sequences it has no item for each
        quantiles=joined("quantiles"),
        levels=found[0].levels,
        answers=joined("answers"),
    )


def predictions(outcome: Outcome, target: Target, probabilities: bool, separator: str = " ") -> Iterator[Prediction]:
    """What is written for each item; for a forecast, for each step of the horizon.

    One value is called `prediction`, several `prediction_<name>`; the steps of a forecast bear the names of their
    columns. Quantiles append `_q<level>`.

    Args:
        probabilities: add `probability_<name>` of each class or label.
        separator: what stands between the labels of a set.
    """
    names = target.names
    for item in range(len(outcome.predicted)):
        predicted = outcome.predicted[item]
        match target.kind:
            case "class" | "tag":
                yield {"prediction": names[int(predicted)]} | _probabilities(outcome, item, names, probabilities)
            case "labels" | "frame":
                chosen = [name for name, taken in zip(names, predicted, strict=True) if taken]
                yield {"prediction": separator.join(chosen)} | _probabilities(outcome, item, names, probabilities)
            case "sequence":
                yield {"prediction": predicted}
            case "token":
                yield {} if outcome.nll is None else {"nll": _short(outcome.nll[item])}
            case "value":
                single = len(names) == 1
                columns = ["prediction"] if single else [f"prediction_{name}" for name in names]
                yield _values(
                    columns, predicted, None if outcome.quantiles is None else outcome.quantiles[item], outcome
                )
            case "forecast":
                for step in range(len(predicted)):
                    quantiles = None if outcome.quantiles is None else outcome.quantiles[item, step]
                    yield _values(list(names), predicted[step], quantiles, outcome)


def best_first(answers: np.ndarray, written: Callable[[list[Prediction]], Iterable[Row]]) -> Iterator[Row]:
    """For each item a row for each of its answers, with rank (from 1) and score (log probability in nats).

    Args:
        answers: as in an Outcome.
        written: makes the row of each item from its prediction; called once for each rank.
    """
    of_ranks = [written(_ranked(answers, rank)) for rank in range(max(map(len, answers), default=0))]
    for several, rows in zip(answers, zip(*of_ranks, strict=True), strict=True):
        yield from rows[: len(several)]


def _ranked(answers: np.ndarray, rank: int) -> list[Prediction]:
    """The predictions of one rank; empty for items with fewer answers, whose rows are left out."""
    return [
        {"prediction": several[rank][0], "rank": rank + 1, "score": _short(several[rank][1])}
        if rank < len(several)
        else {}
        for several in answers
    ]


def _probabilities(outcome: Outcome, item: int, names: tuple[str, ...], wanted: bool) -> Prediction:
    if not wanted or outcome.probabilities is None:
        return {}
    return {
        f"probability_{name}": _short(value) for name, value in zip(names, outcome.probabilities[item], strict=True)
    }


def _values(columns: list[str], predicted: np.ndarray, quantiles: np.ndarray | None, outcome: Outcome) -> Prediction:
    row = {column: _short(value) for column, value in zip(columns, predicted, strict=True)}
    if quantiles is not None and outcome.levels is not None:
        for column, of_levels in zip(columns, quantiles, strict=True):
            row |= {
                f"{column}_q{level:g}": _short(value) for level, value in zip(outcome.levels, of_levels, strict=True)
            }
    return row


def _short(value: float) -> float:
    """The number to the seven digits that a float32 has, so that no others are written."""
    return float(f"{value:.7g}")
