"""Every metric against scikit-learn or a computation by hand; in pieces as all at once."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from rnncli.errors import UserError
from rnncli.heads.written import listed
from rnncli.metrics import METRICS, Outcome, Scores, better

ITEMS, NAMES, HORIZON = 40, 5, 3
TAGS = ("O", "B-a", "I-a", "B-b", "I-b")
KINDS = ("class", "labels", "value", "tag", "token", "frame", "forecast", "sequence")


def outcome_of(kind: str, seed: int = 0, items: int = ITEMS) -> Outcome:
    """A random outcome with everything that a head of that kind can give; lengths 1, 2, 3, ..."""
    random = np.random.default_rng(seed)
    lengths = np.array([1, 2, 3, 4, 5, 6, 7, items - 28])
    if kind in ("class", "tag", "token"):
        target = random.choice(NAMES, items, p=[0.4, 0.3, 0.2, 0.1, 0.0])
        probabilities = random.dirichlet(np.ones(NAMES) + 3 * np.eye(NAMES)[0], items) ** 0.7
        probabilities /= probabilities.sum(1, keepdims=True)
        nll = -np.log(probabilities[np.arange(items), target])
        return Outcome(probabilities.argmax(1), target, lengths, None if kind == "token" else probabilities, nll)
    if kind in ("labels", "frame"):
        rates = np.array([0.1, 0.5, 0.8, 0.3, 0.2])
        target = random.random((items, NAMES)) < rates
        probabilities = random.random((items, NAMES)) * 0.9 + 0.05
        nll = -np.log(np.where(target, probabilities, 1 - probabilities)).sum(1)
        return Outcome(probabilities > 0.5, target, lengths, probabilities, nll)
    if kind == "sequence":
        texts = [" ".join(random.choice(["a", "b", "cd"], length)) for length in random.integers(0, 9, (items, 3)).flat]
        references = [(texts[3 * item + 1], texts[3 * item + 2])[: 1 + item % 2] for item in range(items)]
        found = [of_item[0] if item % 3 else texts[3 * item] for item, of_item in enumerate(references)]
        return Outcome(listed(found), listed(references), np.ones(items, dtype=np.int64), nll=random.random(items))
    shape = (items, HORIZON, 2) if kind == "forecast" else (items, 2)
    target = random.normal(3, 2, shape)
    predicted = (target + random.normal(0.3, 1, shape)).astype(np.float32)
    target[random.random(shape) < 0.2] = np.nan
    target[3] = np.nan
    quantiles = np.sort(random.normal(3, 2, (*shape, 3)))
    scale = random.random((items, 1, 2) if kind == "forecast" else (items, 2)) + 0.5
    naive_error = random.random((items, 2)) + 0.5
    return Outcome(
        predicted,
        target,
        lengths if kind == "value" else np.ones(items, dtype=np.int64),
        quantiles=quantiles,
        levels=(0.1, 0.5, 0.8),
        scale=scale,
        naive_error=naive_error if kind == "forecast" else None,
    )


def names_of(kind: str) -> tuple[str, ...]:
    if kind in ("value", "forecast"):
        return ("x", "y")
    return TAGS if kind == "tag" else ("<pad>", "<unk>", "a", "b", "c") if kind == "token" else tuple("abcde")


def value(name: str, kind: str, *outcomes: Outcome, names: tuple[str, ...] | None = None) -> float:
    metric = METRICS[name](names_of(kind) if names is None else names, "BIO" if kind == "tag" else None)
    for outcome in outcomes:
        metric.add(outcome)
    return metric.value()


def pieces(outcome: Outcome) -> list[Outcome]:
    """The same, two sequences at a time."""
    ends = np.cumsum(outcome.lengths)
    cuts = [0, *ends[1::2].tolist(), int(ends[-1])]

    def cut(name: str, array: Any, start: int, end: int) -> Any:
        if not isinstance(array, np.ndarray):
            return array
        return array[(ends > start) & (ends <= end)] if name == "lengths" else array[start:end]

    return [
        Outcome(**{field.name: cut(field.name, getattr(outcome, field.name), start, end) for field in fields(outcome)})
        for start, end in pairwise(cuts)
        if end > start
    ]


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, part in METRICS.items() for kind in sorted(part.kinds)]
)
def test_in_pieces_as_all_at_once_and_documented(name: str, kind: str) -> None:
    assert METRICS[name].name == name
    assert METRICS[name].__doc__
    outcome = outcome_of(kind)
    assert len(pieces(outcome)) > 3
    assert value(name, kind, *pieces(outcome)) == pytest.approx(value(name, kind, outcome), rel=1e-12)


@pytest.mark.parametrize("kind", ["class", "tag", "labels"])
def test_f1_and_accuracy(kind: str) -> None:
    outcome = outcome_of(kind)
    true, predicted = outcome.target, outcome.predicted
    for average in ("macro", "micro"):
        expected = sk.f1_score(true, predicted, average=average, zero_division=np.nan)
        assert value(f"f1_{average}", kind, outcome) == pytest.approx(expected)
    if kind != "labels":
        assert value("accuracy", kind, outcome) == sk.accuracy_score(true, predicted)
        assert value("f1_micro", kind, outcome) == sk.accuracy_score(true, predicted)


def test_macro_f1_leaves_out_only_classes_that_never_occur() -> None:
    # Class 1 is predicted but never true: F1 0 counts. Class 2 is neither: left out.
    outcome = Outcome(np.array([0, 0, 1]), np.array([0, 0, 0]), np.array([3]))
    assert value("f1_macro", "class", outcome, names=("a", "b", "c")) == pytest.approx((0.8 + 0) / 2)


def test_confusion() -> None:
    outcome = outcome_of("class")
    scores = Scores("class", names_of("class"))
    for piece in pieces(outcome):
        scores.add(piece)
    expected = sk.confusion_matrix(outcome.target, outcome.predicted, labels=range(NAMES))
    np.testing.assert_array_equal(scores.confusion(), expected)
    assert Scores("class", [str(name) for name in range(101)]).confusion() is None
    assert Scores("labels", names_of("labels")).confusion() is None


def test_likelihoods() -> None:
    outcome = outcome_of("class")
    log_loss = sk.log_loss(outcome.target, outcome.probabilities, labels=range(NAMES))
    for kind in ("class", "tag"):
        assert value("nll", kind, outcome) == pytest.approx(log_loss)
    assert value("perplexity", "token", outcome) == pytest.approx(math.exp(log_loss))
    assert value("bits_per_character", "token", outcome) == pytest.approx(log_loss / math.log(2))
    labels = outcome_of("labels")
    assert labels.probabilities is not None and labels.target is not None
    by_label = [sk.log_loss(labels.target[:, k], labels.probabilities[:, k]) for k in range(NAMES)]
    assert value("nll", "labels", labels) == pytest.approx(sum(by_label))
    assert value("frame_nll", "frame", labels) == pytest.approx(sum(by_label))
    assert value("perplexity", "token", replace(outcome, nll=np.full(ITEMS, 1e4))) == math.inf


def test_bits_per_character_only_for_characters() -> None:
    assert "bits_per_character" in set(_of("token", ("<pad>", "<unk>", "a", "<", "\n", "é")))
    assert "bits_per_character" not in set(_of("token", ("<pad>", "<unk>", "a", "the")))


@pytest.mark.parametrize("kind", ["value", "forecast"])
def test_errors_of_numbers(kind: str) -> None:
    outcome = outcome_of(kind)
    assert outcome.target is not None and outcome.scale is not None and outcome.quantiles is not None
    target, predicted = outcome.target.reshape(-1, 2), outcome.predicted.reshape(-1, 2)
    observed = ~np.isnan(target)
    true, ours = target[observed], predicted[observed]
    assert value("mse", kind, outcome) == pytest.approx(sk.mean_squared_error(true, ours))
    assert value("mae", kind, outcome) == pytest.approx(sk.mean_absolute_error(true, ours))
    assert value("rmse", kind, outcome) == pytest.approx(sk.root_mean_squared_error(true, ours))
    by_column = [sk.r2_score(target[observed[:, k], k], predicted[observed[:, k], k]) for k in range(2)]
    assert value("r2", kind, outcome) == pytest.approx(np.mean(by_column))
    scale = (outcome.scale + np.zeros(outcome.target.shape)).reshape(-1, 2)[observed]
    assert value("scaled_mse", kind, outcome) == pytest.approx(sk.mean_squared_error(true / scale, ours / scale))
    assert value("scaled_mae", kind, outcome) == pytest.approx(sk.mean_absolute_error(true / scale, ours / scale))
    quantiles = outcome.quantiles.reshape(-1, 2, 3)[observed]
    losses = [sk.mean_pinball_loss(true, quantiles[:, k], alpha=level) for k, level in enumerate(outcome.levels or ())]
    assert value("pinball", kind, outcome) == pytest.approx(np.mean(losses))


@pytest.mark.parametrize(("predicted", "expected"), [([0.1, 0.1, 0.1], 1.0), ([0.1, 0.2, 0.1], 0.0)])
def test_r2_of_a_constant_column(predicted: list[float], expected: float) -> None:
    target = np.full((3, 1), 0.1)
    outcome = Outcome(np.array(predicted)[:, None], target, np.array([3]))
    assert value("r2", "value", outcome, names=("x",)) == expected


def test_r2_of_small_changes_on_large_numbers() -> None:
    random = np.random.default_rng(2)
    target = 1e9 + random.normal(size=(50, 1))
    predicted = target + 0.5 * random.normal(size=(50, 1))
    outcome = Outcome(predicted, target, np.ones(50, dtype=np.int64))
    assert value("r2", "value", outcome, names=("x",)) == pytest.approx(sk.r2_score(target, predicted), rel=1e-6)


def test_mase_by_hand() -> None:
    target = np.array([[[1.0, 10.0], [2.0, np.nan]], [[3.0, 5.0], [4.0, 5.0]], [[np.nan, 1.0], [np.nan, 1.0]]])
    predicted = np.array([[[2.0, 13.0], [5.0, 99.0]], [[3.0, 6.0], [5.0, 6.0]], [[7.0, 1.0], [7.0, 3.0]]])
    naive_error = np.array([[2.0, 6.0], [0.5, 0.0], [1.0, np.nan]])
    outcome = Outcome(predicted, target, np.ones(3, dtype=np.int64), naive_error=naive_error)
    # Windows and columns: (1 + 3) / 2 / 2; 3 / 6 of one observed step; (0 + 1) / 2 / 0.5. The others have no unit or
    # no truth.
    assert value("mase", "forecast", outcome) == pytest.approx((1.0 + 0.5 + 1.0) / 3)
    nothing = replace(outcome, naive_error=np.zeros((3, 2)))
    assert math.isnan(value("mase", "forecast", nothing))


def test_smape_by_hand() -> None:
    target = np.array([[[1.0, 0.0], [2.0, -1.0]], [[3.0, np.nan], [np.nan, np.nan]]])
    predicted = np.array([[[3.0, 0.0], [2.0, 1.0]], [[1.0, 7.0], [9.0, 7.0]]])
    outcome = Outcome(predicted, target, np.ones(2, dtype=np.int64))
    # 200 * 2 / 4 and 0; 0/0 and 200; 200 * 2 / 4. The last column of the last window was never observed.
    assert value("smape", "forecast", outcome) == pytest.approx((50 + 100 + 100) / 3)


def test_entities_by_hand() -> None:
    # Sentences of 4, 1 and 2 tokens. True: a[0:2], b[3:4] | a[0:1] | a[0:1].
    target = np.array([1, 2, 0, 3, 1, 1, 0])
    # Predicted: a[0:2], a[3:4] (wrong type) | a[0:1] | a[0:2] (wrong end).
    predicted = np.array([1, 2, 0, 1, 1, 1, 2])
    outcome = Outcome(predicted, target, np.array([4, 1, 2]))
    assert value("entity_precision", "tag", outcome) == 2 / 4
    assert value("entity_recall", "tag", outcome) == 2 / 4
    more = replace(outcome, predicted=np.array([1, 2, 0, 0, 0, 0, 0]))
    assert value("entity_precision", "tag", more) == 1
    assert value("entity_recall", "tag", more) == 1 / 4
    assert value("entity_f1", "tag", more) == pytest.approx(2 * 1 * 0.25 / 1.25)
    # The end of a sentence ends a span: I-a in the second sentence begins one, as B-a would.
    apart = Outcome(np.array([1, 2]), np.array([1, 1]), np.array([1, 1]))
    assert value("entity_f1", "tag", apart) == 1
    assert value("entity_f1", "tag", replace(apart, lengths=np.array([2]))) == 0
    assert METRICS["entity_f1"](TAGS, "BIO").value() == 0


def _of(kind: str, names: tuple[str, ...] | None = None, outcome: Outcome | None = None) -> dict[str, float]:
    scores = Scores(kind, names_of(kind) if names is None else names, "BIO" if kind == "tag" else None)
    scores.add(outcome_of(kind) if outcome is None else outcome)
    return scores.values()


EXPECTED = {
    "class": {"accuracy", "f1_macro", "f1_micro", "nll"},
    "labels": {"f1_macro", "f1_micro", "nll"},
    "value": {"mse", "mae", "rmse", "r2", "pinball", "scaled_mse", "scaled_mae"},
    "tag": {"accuracy", "f1_macro", "f1_micro", "nll", "entity_f1", "entity_precision", "entity_recall"},
    "token": {"accuracy", "nll", "perplexity", "bits_per_character"},
    "frame": {"frame_nll"},
    "forecast": {"mse", "mae", "rmse", "r2", "pinball", "scaled_mse", "scaled_mae", "mase", "smape"},
    "sequence": {"nll", "exact_match", "bleu", "bleu_1", "bleu_2", "bleu_3", "chrf", "wer", "cer"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_metrics_of_a_kind(kind: str) -> None:
    assert set(_of(kind)) == EXPECTED[kind]
    assert all(math.isfinite(number) for number in _of(kind).values())


def test_what_an_outcome_lacks_is_absent() -> None:
    tags = replace(outcome_of("tag"), nll=None)
    scores = Scores("tag", TAGS, None)
    scores.add(tags)
    assert set(scores.values()) == {"accuracy", "f1_macro", "f1_micro"}
    bare = replace(outcome_of("forecast"), quantiles=None, scale=None, naive_error=None)
    assert set(_of("forecast", outcome=bare)) == {"mse", "mae", "rmse", "r2", "smape"}
    assert set(_of("token", outcome=replace(outcome_of("token"), target=None))) == EXPECTED["token"] - {"accuracy"}


@pytest.mark.parametrize(
    ("name", "new", "old", "expected"),
    [
        ("accuracy", 0.9, 0.8, True),
        ("accuracy", 0.8, 0.8, False),
        ("perplexity", 90.0, 80.0, False),
        ("r2", -1.0, math.nan, True),
        ("r2", math.nan, math.nan, False),
        ("mse", 1.0, math.inf, True),
    ],
)
def test_better(name: str, new: float, old: float, expected: bool) -> None:
    assert better(name, new, old) is expected


def test_better_knows_its_names() -> None:
    with pytest.raises(UserError, match="accuracy"):
        better("acuracy", 1.0, 0.0)


@pytest.mark.skipif("RNNCLI_DATA" not in os.environ, reason="needs RNNCLI_DATA, the folder of real files")
def test_seasonal_naive_on_m4_hourly_as_published() -> None:
    folder = Path(os.environ["RNNCLI_DATA"]) / "m4"

    def series(name: str) -> list[np.ndarray]:
        with (folder / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        return [np.array([float(cell) for cell in row[1:] if cell]) for row in rows]

    train, test = series("Hourly-train.csv"), np.stack(series("Hourly-test.csv"))
    predicted = np.stack([np.tile(values[-24:], 2) for values in train])
    naive_error = np.array([[np.abs(values[24:] - values[:-24]).mean()] for values in train])
    lengths = np.ones(len(test), dtype=np.int64)
    outcome = Outcome(predicted[:, :, None], test[:, :, None], lengths, naive_error=naive_error)
    assert value("smape", "forecast", outcome, names=("y",)) == pytest.approx(13.912, abs=5e-4)
    assert value("mase", "forecast", outcome, names=("y",)) == pytest.approx(1.193, abs=5e-4)
