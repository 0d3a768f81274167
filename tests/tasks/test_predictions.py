"""From outcomes of batches to the rows of a predictions file."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.tasks.predictions import best_first, in_order, predictions


def test_order_is_that_of_the_dataset() -> None:
    draw = np.random.default_rng(4)
    lengths = draw.integers(1, 5, 11)
    items = [np.stack([np.full(length, row), np.arange(length)], axis=1) for row, length in enumerate(lengths)]
    batches = [np.array([7, 0, 3]), np.array([10, 2, 9, 1]), np.array([5]), np.array([8, 4, 6])]

    def outcome(rows: np.ndarray) -> Outcome:
        predicted = np.concatenate([items[row] for row in rows])
        return Outcome(predicted, predicted, lengths[rows], nll=predicted[:, 0] * 1.0, quantiles=predicted[..., None])

    found = in_order((rows, outcome(rows)) for rows in batches)
    np.testing.assert_array_equal(found.predicted, np.concatenate(items))
    np.testing.assert_array_equal(found.lengths, lengths)
    np.testing.assert_array_equal(found.nll, np.concatenate(items)[:, 0])
    np.testing.assert_array_equal(found.quantiles[..., 0], np.concatenate(items))
    assert found.target is None and found.probabilities is None


def outcome_of(predicted: np.ndarray, **more: object) -> Outcome:
    return Outcome(predicted, None, np.ones(len(predicted), int), **more)


@pytest.mark.parametrize("kind", ["class", "tag"])
def test_classes(kind: str) -> None:
    outcome = outcome_of(np.array([1, 0]), probabilities=np.array([[0.25, 0.75], [0.6, 0.4]], np.float32))
    target = Target(kind, ("no", "yes"))
    assert list(predictions(outcome, target, False)) == [{"prediction": "yes"}, {"prediction": "no"}]
    assert list(predictions(outcome, target, True)) == [
        {"prediction": "yes", "probability_no": 0.25, "probability_yes": 0.75},
        {"prediction": "no", "probability_no": 0.6, "probability_yes": 0.4},  # not 0.6000000238
    ]


def test_label_sets() -> None:
    outcome = outcome_of(np.array([[True, True], [False, False], [False, True]]))
    target = Target("labels", ("a b", "c"))
    found = [row["prediction"] for row in predictions(outcome, target, False, separator=";")]
    assert found == ["a b;c", "", "c"]


def test_values_and_quantiles() -> None:
    one, two = Target("value", ("price",)), Target("value", ("x", "y"))
    assert list(predictions(outcome_of(np.array([[1.5], [2.0]])), one, False)) == [
        {"prediction": 1.5},
        {"prediction": 2.0},
    ]
    quantiles = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    outcome = outcome_of(np.array([[1.5, 3.5]]), quantiles=quantiles, levels=(0.1, 0.95))
    expected = {"prediction_x": 1.5, "prediction_y": 3.5, "prediction_x_q0.1": 1.0, "prediction_x_q0.95": 2.0}
    assert list(predictions(outcome, two, False)) == [{**expected, "prediction_y_q0.1": 3.0, "prediction_y_q0.95": 4.0}]


def test_forecasts_have_a_row_a_step() -> None:
    outcome = outcome_of(np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]))
    found = list(predictions(outcome, Target("forecast", ("u", "v"), horizon=3), False))
    assert found == [{"u": 1.0, "v": 2.0}, {"u": 3.0, "v": 4.0}, {"u": 5.0, "v": 6.0}]


def test_tokens() -> None:
    target = Target("token", ("a", "b"), per_step=True)
    assert list(predictions(outcome_of(np.array([1, 0]), nll=np.array([0.5, 2.0])), target, False)) == [
        {"nll": 0.5},
        {"nll": 2.0},
    ]


def listed(*things: object) -> np.ndarray:
    found = np.empty(len(things), dtype=object)
    for place, thing in enumerate(things):
        found[place] = thing
    return found


def test_sequences() -> None:
    outcome = outcome_of(listed("two dogs", "", "ein Hund"))
    found = list(predictions(outcome, Target("sequence", ("<pad>", "a"), units="word"), True))
    assert found == [{"prediction": "two dogs"}, {"prediction": ""}, {"prediction": "ein Hund"}]


def test_sequences_are_put_in_order_with_their_answers() -> None:
    # The likelihoods are of tokens, of which there are more than sequences.
    nll, ones = np.arange(4.0), np.ones(2, int)
    last = Outcome(
        listed("c", "a"), listed(("c",), ("a",)), ones, nll=nll, answers=listed([("c", -1.0)], [("a", -2.0)])
    )
    first = Outcome(listed("b"), listed(("b",)), ones[:1], nll=nll, answers=listed([("b", -0.5), ("bb", -3.0)]))
    found = in_order([(np.array([2, 0]), last), (np.array([1]), first)])
    assert found.predicted.tolist() == ["a", "b", "c"]
    assert found.answers.tolist() == [[("a", -2.0)], [("b", -0.5), ("bb", -3.0)], [("c", -1.0)]]
    assert found.nll is None and found.target is None


def test_answers_are_rows_of_their_item_best_first() -> None:
    answers = listed([("a b", -0.123456789), ("a", -2.0)], [("c", -1.0)], [("d", -1.0), ("", -4.0), ("e", -5.0)])
    inputs = ["x", "y", "z"]

    def written(found: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{"input": given, **prediction} for given, prediction in zip(inputs, found, strict=True)]

    rows = [tuple(row.values()) for row in best_first(answers, written)]
    assert rows == [
        ("x", "a b", 1, -0.1234568),  # not -0.123456789
        ("x", "a", 2, -2.0),
        ("y", "c", 1, -1.0),
        ("z", "d", 1, -1.0),
        ("z", "", 2, -4.0),
        ("z", "e", 3, -5.0),
    ]
    assert list(next(best_first(answers, written))) == ["input", "prediction", "rank", "score"]
    assert list(best_first(answers[:0], written)) == []
