"""From outcomes of batches to the rows of a predictions file."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.tasks.predictions import in_order, predictions


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
