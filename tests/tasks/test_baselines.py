"""Naive answers against ones counted with plain Python, on data whose padding would change them."""

from __future__ import annotations

import gzip
import math
import os
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.inputs.batches import NO_TARGET, Batch, Ragged, Sequences
from rnncli.inputs.targets import Target
from rnncli.tasks.baselines import Baseline, baseline

LENGTHS = [5, 1, 3, 2, 7, 1, 4]


def ragged(sequences: list[list[object]], dtype: torch.dtype) -> Ragged:
    flat = torch.tensor([step for sequence in sequences for step in sequence], dtype=dtype)
    return Ragged(flat, np.cumsum([0, *map(len, sequences)]))


def words(random: np.random.Generator, lengths: list[int], size: int = 6) -> list[list[int]]:
    return [random.integers(0, size, length).tolist() for length in lengths]


def of_sequences(targets: Tensor | Ragged) -> Sequences:
    """Inputs of unequal lengths, about which a naive answer asks nothing."""
    lengths = targets.lengths if isinstance(targets, Ragged) else np.resize(LENGTHS, len(targets))
    return Sequences({"x": ragged([[0] * length for length in lengths], torch.int64)}, targets)


def run(target: Target, train: Sequences, test: Sequences) -> Baseline:
    one, another = (baseline(target, train, test, batch_size) for batch_size in (3, 100))
    assert one.name == another.name
    assert one.scores == pytest.approx(another.scores)
    return one


def test_majority_class() -> None:
    target = Target("class", ("a", "b", "c"), counts=(2, 5, 3))
    unread = of_sequences(torch.zeros(2, dtype=torch.int64))
    found = run(target, unread, of_sequences(torch.tensor([1, 1, 0, 2])))
    assert found.name == "majority class"
    assert found.scores["accuracy"] == 0.5
    assert found.scores["f1_macro"] == pytest.approx((2 * 2 / 6) / 3)
    assert found.scores["nll"] == pytest.approx(-(2 * math.log(0.5) + math.log(0.2) + math.log(0.3)) / 4)


def test_a_class_that_training_lacks_has_a_likelihood() -> None:
    target = Target("class", ("a", "b"), counts=(3, 0))
    found = run(target, of_sequences(torch.zeros(3, dtype=torch.int64)), of_sequences(torch.tensor([0, 1])))
    assert found.scores["nll"] == pytest.approx(-(math.log(4 / 5) + math.log(1 / 5)) / 2)


def test_majority_class_of_each_step_without_padding() -> None:
    steps = ragged([[0, 0, 1], [1], [1, 1, 0, 0, 0]], torch.int64)
    found = run(Target("class", ("a", "b"), counts=(2, 1), per_step=True), of_sequences(steps), of_sequences(steps))
    assert found.scores["accuracy"] == pytest.approx(5 / 9)


def test_unigram() -> None:
    random = np.random.default_rng(1)
    test = [(np.array(sequence) + 1).tolist() for sequence in words(random, LENGTHS, 3)]
    data = of_sequences(ragged(test, torch.int64))
    names = ("<pad>", "<unk>", "a", "b")
    seen = [token for sequence in test for token in sequence]

    found = run(Target("token", names, counts=(0, 2, 6, 4), per_step=True), data, data)
    nll = -np.mean([math.log({1: 2 / 12, 2: 6 / 12, 3: 4 / 12}[token]) for token in seen])
    assert found.name == "unigram"
    assert found.scores["nll"] == pytest.approx(nll)
    assert found.scores["perplexity"] == pytest.approx(math.exp(nll))

    found = run(Target("token", names, counts=(0, 0, 6, 4), per_step=True), data, data)
    nll = -np.mean([math.log({1: 1 / 13, 2: 7 / 13, 3: 5 / 13}[token]) for token in seen])
    assert found.scores["nll"] == pytest.approx(nll)


def test_steps_that_ask_for_nothing_count_for_nothing() -> None:
    target = Target("token", ("<pad>", "<unk>", "a", "b"), counts=(0, 0, 3, 6), per_step=True, partial=True)
    steps = [[3, NO_TARGET, 2], [NO_TARGET], [3, 3, NO_TARGET, NO_TARGET, 2]]
    found = run(target, of_sequences(ragged(steps, torch.int64)), of_sequences(ragged(steps, torch.int64)))
    # Counted once more each, as nothing was unknown: 1, 4 and 7 of 12.
    assert found.scores["accuracy"] == pytest.approx(3 / 5)
    assert found.scores["nll"] == pytest.approx(-(3 * math.log(7 / 12) + 2 * math.log(4 / 12)) / 5)


@pytest.mark.parametrize("kind", ["labels", "frame"])
def test_label_frequencies(kind: str) -> None:
    names = ("a", "b", "c")
    random = np.random.default_rng(2)
    train, test = (
        [(random.random((length, 3)) < [0.2, 0.5, 0.8]).astype(float).tolist() for length in lengths]
        for lengths in (LENGTHS, [2, 6, 1])
    )
    steps = [[row for sequence in part for row in sequence] for part in (train, test)]
    if kind == "labels":
        data = [of_sequences(torch.tensor(part)) for part in steps]
    else:
        data = [of_sequences(ragged(part, torch.float32)) for part in (train, test)]
    target = Target(kind, names, per_step=kind == "frame")  # type: ignore[arg-type]
    found = run(target, *data)

    rates = [sum(row[label] for row in steps[0]) / len(steps[0]) for label in range(3)]
    assert all(0 < rate < 1 for rate in rates)
    nll = -np.mean(
        [sum(math.log(rate if on else 1 - rate) for rate, on in zip(rates, row, strict=True)) for row in steps[1]]
    )
    assert found.name == "label frequencies"
    assert found.scores["nll" if kind == "labels" else "frame_nll"] == pytest.approx(nll)
    if kind == "labels":
        hits = sum(row[label] for row in steps[1] for label in range(3) if rates[label] >= 0.5)
        both = sum(rate >= 0.5 for rate in rates) * len(steps[1]) + sum(map(sum, steps[1]))
        assert found.scores["f1_micro"] == pytest.approx(2 * hits / both)


def test_a_pitch_that_training_lacks_has_a_likelihood() -> None:
    train, test = torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0]])
    found = run(Target("labels", ("a", "b")), of_sequences(train), of_sequences(test))
    assert found.scores["nll"] == pytest.approx(-math.log(1 / 4) - math.log(2 / 4))


TAGS = Target("tag", ("O", "B-a", "I-a"), per_step=True, scheme="BIO")


def tagged(ids: list[list[int]], tags: list[list[int]]) -> Sequences:
    return Sequences({"tokens": ragged(ids, torch.int64)}, ragged(tags, torch.int64))


def test_most_frequent_tag_of_each_word() -> None:
    random = np.random.default_rng(4)
    train = words(random, LENGTHS * 3), words(random, LENGTHS * 3, 3)
    # Words 6 to 8 were never seen; 8 is beyond every id of training.
    lengths = [30, 1, 80, 20]
    test = words(random, lengths, 9), words(random, lengths, 3)
    seen: dict[int, Counter[int]] = defaultdict(Counter)
    for ids, tags in zip(*train, strict=True):
        for word, tag in zip(ids, tags, strict=True):
            seen[word][tag] += 1
    assert all(len({*counter.values()}) == len(counter) for counter in seen.values()), "ties would be arbitrary"
    overall = sum(seen.values(), Counter()).most_common(1)[0][0]
    right = [
        tag == (seen[word].most_common(1)[0][0] if word in seen else overall)
        for ids, tags in zip(*test, strict=True)
        for word, tag in zip(ids, tags, strict=True)
    ]
    found = run(TAGS, tagged(*train), tagged(*test))
    assert found.name == "most frequent tag of each word"
    assert found.scores["accuracy"] == pytest.approx(np.mean(right))
    assert "nll" not in found.scores


def test_spans_of_the_most_frequent_tags() -> None:
    data = tagged([[2, 3, 4], [2, 4]], [[1, 2, 0], [1, 0]])
    assert run(TAGS, data, data).scores["entity_f1"] == 1
    other = tagged([[3, 4], [2, 3, 2]], [[1, 0], [1, 2, 2]])
    # Read as a[0:1] | a[0:2], a[2:3]; true are a[0:1] | a[0:3].
    assert run(TAGS, data, other).scores["entity_f1"] == pytest.approx(2 * 1 / 5)


@pytest.mark.skipif("RNNCLI_DATA" not in os.environ, reason="needs RNNCLI_DATA, the folder of real files")
def test_most_frequent_tag_on_ud_ewt_as_published() -> None:
    def sentences(part: str) -> list[list[tuple[str, str]]]:
        path = Path(os.environ["RNNCLI_DATA"]) / "ud_english_ewt" / f"en_ewt-ud-{part}.conllu.gz"
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
        kept = [row for row in rows if len(row) == 1 or row[0].isdigit()]
        return [[(row[1], row[3]) for row in group] for full, group in groupby(kept, lambda row: len(row) > 1) if full]

    train, test = sentences("train"), sentences("test")
    tags = {tag: position for position, tag in enumerate(sorted({tag for row in train for _, tag in row}))}
    ids = {word: position for position, word in enumerate(sorted({word for row in train for word, _ in row}), start=2)}
    data = [
        tagged([[ids.get(word, 1) for word, _ in row] for row in part], [[tags[tag] for _, tag in row] for row in part])
        for part in (train, test)
    ]
    found = baseline(Target("tag", tuple(tags), per_step=True), *data, batch_size=64)
    assert found.scores["accuracy"] == pytest.approx(0.8620, abs=1e-4)  # which of two equally frequent tags


class Scaled(Sequences):
    """Sequences with units, and a naive answer where one is given."""

    def __init__(
        self,
        inputs: dict[str, Ragged],
        targets: Tensor | Ragged,
        center: Tensor,
        scale: Tensor,
        naive: np.ndarray | None = None,
        naive_error: Tensor | None = None,
    ) -> None:
        super().__init__(inputs, targets)
        self.center, self.scale, self.answers, self.naive_error = center, scale, naive, naive_error

    def batch(self, rows: np.ndarray) -> Batch:
        error = None if self.naive_error is None else self.naive_error[rows]
        return replace(super().batch(rows), center=self.center[rows], scale=self.scale[rows], naive_error=error)

    def naive(self, rows: np.ndarray) -> np.ndarray | None:
        return None if self.answers is None else self.answers[rows]


def test_mean_in_own_units_without_what_was_not_observed() -> None:
    random = np.random.default_rng(4)
    train, test = random.normal(size=(7, 2)), random.normal(size=(4, 2))
    train[2, 1] = test[1, 0] = np.nan
    parts, own = [], []
    for values in (train, test):
        center, scale = random.normal(size=values.shape), random.random(values.shape) + 0.5
        own.append(values * scale + center)
        inputs = of_sequences(torch.zeros(len(values))).inputs
        parts.append(Scaled(inputs, *(torch.from_numpy(array).float() for array in (values, center, scale))))
    found = run(Target("value", ("x", "y")), parts[0], parts[1])
    errors = own[1] - np.nanmean(own[0], axis=0)
    assert found.name == "mean"
    assert found.scores["mse"] == pytest.approx(np.nanmean(errors**2), rel=1e-5)
    assert found.scores["scaled_mae"] == pytest.approx(np.nanmean(np.abs(errors / parts[1].scale.numpy())), rel=1e-5)


def test_mean_of_each_step() -> None:
    random = np.random.default_rng(5)
    values = [random.normal(size=(length, 2)) for length in LENGTHS]
    center, scale = random.normal(size=(7, 1, 2)), random.random((7, 1, 2)) + 0.5
    data = Scaled(
        of_sequences(ragged([[0] * length for length in LENGTHS], torch.int64)).inputs,
        ragged([sequence.tolist() for sequence in values], torch.float32),
        torch.from_numpy(center).float(),
        torch.from_numpy(scale).float(),
    )
    found = run(Target("value", ("x", "y"), per_step=True), data, data)
    own = np.concatenate([values[k] * scale[k] + center[k] for k in range(7)])
    units = np.concatenate([np.repeat(scale[k], LENGTHS[k], axis=0) for k in range(7)])
    errors = own - own.mean(axis=0)
    assert found.scores["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-5)
    assert found.scores["scaled_mse"] == pytest.approx(np.mean((errors / units) ** 2), rel=1e-5)
    assert found.scores["r2"] == pytest.approx(0, abs=1e-5)


def test_value_before_of_each_step() -> None:
    series = [[3.0, 4.0, 6.0], [1.0, 1.5], [2.0, 2.0, 2.5, 4.0, 3.0]]
    answers = np.full((3, 4, 1), np.nan)
    for row, values in enumerate(series):
        answers[row, : len(values) - 1, 0] = values[:-1]

    class Before(Sequences):
        def naive(self, rows: np.ndarray) -> np.ndarray:
            return answers[rows, : int(self.lengths[rows].max())]

    inputs = {"x": ragged([[0.0] * (len(values) - 1) for values in series], torch.float32)}
    targets = ragged([[[value] for value in values[1:]] for values in series], torch.float32)
    data = Before(inputs, targets)
    found = run(Target("value", ("x",), per_step=True), data, data)
    steps = [after - before for values in series for before, after in pairwise(values)]
    assert found.name == "last value"
    assert found.scores["mse"] == pytest.approx(np.mean(np.square(steps)))


def test_seasonal_naive_forecast() -> None:
    random = np.random.default_rng(6)
    shape = (5, 4, 2)
    truth, answers = random.normal(5, 1, shape), random.normal(5, 1, shape)
    center, scale = random.normal(size=(5, 1, 2)), random.random((5, 1, 2)) + 0.5
    naive_error = random.random((5, 2)) + 0.5
    data = Scaled(
        of_sequences(torch.zeros(5)).inputs,
        torch.from_numpy((truth - center) / scale).float(),
        torch.from_numpy(center).float(),
        torch.from_numpy(scale).float(),
        answers,
        torch.from_numpy(naive_error),
    )
    found = run(Target("forecast", ("x", "y"), horizon=4, season=24), data, data)
    errors = np.abs(truth - answers)
    assert found.name == "seasonal naive"
    assert found.scores["mae"] == pytest.approx(errors.mean(), rel=1e-5)
    assert found.scores["mase"] == pytest.approx(np.mean(errors.mean(axis=1) / naive_error), rel=1e-5)
    assert found.scores["smape"] == pytest.approx(np.mean(200 * errors / (np.abs(truth) + np.abs(answers))), rel=1e-5)
    assert found.scores["scaled_mse"] == pytest.approx(np.mean((errors / scale) ** 2), rel=1e-5)
