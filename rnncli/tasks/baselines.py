"""What a score is worth: the same metrics, on the same data, of an answer that needs no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnncli.heads.head import asked_of_each, valid_steps
from rnncli.heads.written import listed
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import NO_TARGET, Batch, Dataset
from rnncli.inputs.features import PADDING
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.tasks.evaluation import metrics_of

TOKENS = "tokens"
"""The feature whose ids say which word stands at a step."""

Guess = Callable[[Batch], Outcome]


@dataclass(frozen=True)
class Baseline:
    """An answer without a model.

    Attributes:
        name: what it answers, for tables.
        scores: metric name -> value.
    """

    name: str
    scores: dict[str, float]


def baseline(target: Target, train: Dataset, test: Dataset, batch_size: int) -> Baseline:
    """The naive answer to a target, learnt from the training part and scored on the test part.

    A class or token is answered with the most frequent one, and its likelihood is its share of the training part. Where
    one of them has none, each is counted once more than it was seen (padding is no token and never counted). A label or
    pitch is answered with its frequency, with the same rule. A tag is answered with the most frequent tag of its word,
    that of a word which training has not met with the most frequent tag of all (words that training has, but the
    vocabulary has not, count as one word). Numbers are answered with what the data know of one season
    before, or else with the mean of the training part. A written sequence is answered with the one text of the training
    part that answers it best.
    """
    match target.kind:
        case "class":
            name, guess = "majority class", _most_frequent(target)
        case "token":
            name, guess = "unigram", _most_frequent(target)
        case "tag":
            name, guess = "most frequent tag of each word", _tag_of_word(target, _batches(train, batch_size))
        case "labels" | "frame":
            name, guess = "label frequencies", _label_frequencies(target, _batches(train, batch_size))
        case "sequence":
            name, guess = "constant answer", _constant(train)
        case "value" | "forecast":
            if test.naive(test.plan(batch_size, None)[0]) is None:
                name, guess = "mean", _mean(target, _batches(train, batch_size))
            else:
                name, guess = "seasonal naive" if target.season > 1 else "last value", _before(target, test)
    scores = metrics_of(target)
    for batch in _batches(test, batch_size):
        scores.add(guess(batch))
    return Baseline(name, scores.values())


def _batches(data: Dataset, batch_size: int) -> Iterator[Batch]:
    for rows in data.plan(batch_size, None):
        yield data.batch(rows)


def _items(target: Target, batch: Batch, values: Tensor) -> np.ndarray:
    """(items, ...): values in the shape of the batch's targets, without padding."""
    items: np.ndarray = (valid_steps(values, batch.sequences) if target.per_step else values).numpy()
    return items


def _truth(target: Target, batch: Batch) -> np.ndarray:
    """(items, ...): the targets without padding, numbers in the data's own units as float64."""
    if batch.targets is None:
        raise ValueError("a baseline needs data with targets")
    if target.kind not in ("value", "forecast"):
        return _items(target, batch, batch.targets)
    values = batch.targets.double()
    if batch.center is not None and batch.scale is not None:
        values = values * batch.scale + batch.center
    return _items(target, batch, values)


def _lengths(target: Target, batch: Batch) -> np.ndarray:
    sequences = batch.sequences
    return sequences.lengths.numpy() if target.per_step else np.ones(sequences.batch, dtype=np.int64)


def _most_frequent(target: Target) -> Guess:
    counts = np.array(target.counts, dtype=np.float64)
    first = PADDING + 1 if target.kind == "token" else 0
    if (counts[first:] == 0).any():
        counts[first:] += 1
    with np.errstate(divide="ignore"):
        nll = np.log(counts.sum()) - np.log(counts)
    most_frequent = int(counts.argmax())

    def guess(batch: Batch) -> Outcome:
        truth, lengths = _truth(target, batch), _lengths(target, batch)
        if target.partial:
            asked = truth != NO_TARGET
            truth, lengths = truth[asked], asked_of_each(lengths, asked)
        return Outcome(np.full(len(truth), most_frequent), truth, lengths, nll=nll[truth])

    return guess


def _label_frequencies(target: Target, train: Iterator[Batch]) -> Guess:
    items, counts = 0, np.zeros(len(target.names))
    for batch in train:
        truth = _truth(target, batch)
        items += len(truth)
        counts += truth.sum(axis=0)
    if ((counts == 0) | (counts == items)).any():
        items, counts = items + 2, counts + 1
    present, absent = np.log(counts / items), np.log1p(-counts / items)
    frequent = counts >= items / 2

    def guess(batch: Batch) -> Outcome:
        truth = _truth(target, batch) > 0.5
        predicted = np.broadcast_to(frequent, truth.shape)
        nll = -np.where(truth, present, absent).sum(axis=1)
        return Outcome(predicted, truth, _lengths(target, batch), nll=nll)

    return guess


def _tag_of_word(target: Target, train: Iterator[Batch]) -> Guess:
    tags = len(target.names)

    def words(batch: Batch) -> np.ndarray:
        return _items(target, batch, batch.inputs[TOKENS].values)

    pairs = np.concatenate([words(batch) * tags + _truth(target, batch) for batch in train])
    overall = int(np.bincount(pairs % tags).argmax())
    pairs, counts = np.unique(pairs, return_counts=True)
    pairs = pairs[np.argsort(counts, kind="stable")]
    tag_of = np.full(int(pairs.max()) // tags + 1, overall)
    # Assigned in the order of their counts, the most frequent tag of a word comes last and stays.
    tag_of[pairs // tags] = pairs % tags

    def guess(batch: Batch) -> Outcome:
        ids = words(batch)
        predicted = np.where(ids < len(tag_of), tag_of[np.minimum(ids, len(tag_of) - 1)], overall)
        return Outcome(predicted, _truth(target, batch), _lengths(target, batch))

    return guess


def _constant(train: Dataset) -> Guess:
    # The packages that measure texts are an extra.
    from rnncli.tasks.constant import constant_answer

    if not isinstance(train, Answered) or train.references is None:
        raise ValueError("a baseline of sequences needs data with references")
    text = constant_answer(train.references)

    def guess(batch: Batch) -> Outcome:
        if batch.references is None:
            raise ValueError("a baseline needs data with references")
        items = len(batch.references)
        return Outcome(listed([text] * items), listed(batch.references), np.ones(items, dtype=np.int64))

    return guess


def _mean(target: Target, train: Iterator[Batch]) -> Guess:
    # What is written from one step has a mean for each place; a window may begin anywhere.
    places = (target.horizon, len(target.names)) if target.from_one else (len(target.names),)
    total, count = np.zeros((2, *places))
    for batch in train:
        truth = _truth(target, batch).reshape(-1, *places)
        total += np.nansum(truth, axis=0)
        count += (~np.isnan(truth)).sum(axis=0)
    mean = total / np.maximum(count, 1)

    def guess(batch: Batch) -> Outcome:
        truth = _truth(target, batch)
        return _numbers(target, batch, np.broadcast_to(mean, truth.shape), truth)

    return guess


def _before(target: Target, test: Dataset) -> Guess:
    def guess(batch: Batch) -> Outcome:
        naive = test.naive(batch.rows)
        if naive is None:
            raise ValueError("these data know no naive answer for some of their rows")
        return _numbers(target, batch, _items(target, batch, torch.from_numpy(naive)), _truth(target, batch))

    return guess


def _numbers(target: Target, batch: Batch, predicted: np.ndarray, truth: np.ndarray) -> Outcome:
    def unit(of_sequences: Tensor | None) -> np.ndarray | None:
        """A unit of each sequence as a unit of each of its items."""
        if of_sequences is None:
            return None
        values: np.ndarray = of_sequences.numpy()
        return values.reshape(len(values), -1).repeat(batch.sequences.lengths.numpy(), 0) if target.per_step else values

    return Outcome(
        predicted,
        truth,
        _lengths(target, batch),
        scale=unit(batch.scale),
        naive_error=unit(batch.naive_error),
    )
