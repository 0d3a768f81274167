"""Metrics of a model over a dataset, from any batching."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from rnncli.inputs.batches import Ragged, Sequences
from rnncli.inputs.features import Tokens
from rnncli.inputs.stream import Stream
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.metrics.scores import Scores
from rnncli.models.build import build_model
from rnncli.models.settings import ModelSettings
from rnncli.tasks.evaluation import CHOOSING_METRIC, choosing_metric, decided, evaluate, measured, outcomes

CPU = torch.device("cpu")
SETTINGS = ModelSettings.model_validate(
    {"cell": {"type": "lstm", "hidden_size": 4}, "embedding_size": 3, "dropout": {"embedding": 0.5}}
)


def classes() -> tuple[Target, Sequences]:
    draw = np.random.default_rng(1)
    lengths = draw.integers(1, 6, 17)
    offsets = np.concatenate([[0], lengths.cumsum()])
    tokens = Ragged(torch.from_numpy(draw.integers(2, 9, offsets[-1])), offsets)
    return Target("class", ("a", "b", "c")), Sequences({"tokens": tokens}, torch.from_numpy(draw.integers(0, 3, 17)))


def test_batches_and_dropout_change_no_metric() -> None:
    torch.manual_seed(2)
    target, data = classes()
    model = build_model(SETTINGS, {"tokens": Tokens(9)}, target).train()
    whole = evaluate(model, target, data, 17, CPU).values()
    for size in (1, 5):
        assert evaluate(model, target, data, size, CPU).values() == pytest.approx(whole, abs=1e-6)
    outcome, _ = model.outcome(data.batch(np.arange(17)))
    right = (outcome.predicted == data.targets.numpy()).mean()
    assert whole["accuracy"] == pytest.approx(right)
    assert set(measured(model, target, data, 5, CPU)) == set(whole)


def test_a_stream_is_evaluated_with_the_state_carried() -> None:
    torch.manual_seed(3)
    target = Target("token", tuple(map(str, range(9))), per_step=True)
    model = build_model(SETTINGS, {"tokens": Tokens(9)}, target)
    data = Stream(np.random.default_rng(1).integers(2, 9, 401))
    found = evaluate(model, target, data, 1, CPU).values()["perplexity"]
    [entry] = data.plan(1, None, 400)
    model.eval()
    outcome, _ = model.outcome(data.batch(entry))
    assert len(data.plan(1, None)) > 1
    assert found == pytest.approx(np.exp(outcome.nll.mean()), rel=1e-5)


def test_the_second_of_two_classes_from_a_threshold_on() -> None:
    probabilities = np.array([[0.7, 0.3], [0.45, 0.55], [0.2, 0.8]], np.float32)
    outcome = Outcome(np.array([0, 1, 1]), None, np.ones(3, int), probabilities=probabilities)
    assert decided(outcome, 0.6).predicted.tolist() == [0, 0, 1]
    assert decided(outcome, 0.1).predicted.tolist() == [1, 1, 1]
    assert decided(outcome, None) is outcome
    assert decided(dataclasses.replace(outcome, probabilities=None), 0.1).predicted.tolist() == [0, 1, 1]


def test_outcomes_leave_no_graph() -> None:
    target, data = classes()
    model = build_model(SETTINGS, {"tokens": Tokens(9)}, target)
    rows = np.concatenate([batch.rows for batch, _ in outcomes(model, data, 4, CPU)])
    assert sorted(rows.tolist()) == list(range(17))
    assert all(weight.grad is None for weight in model.parameters())


@pytest.mark.parametrize("kind", CHOOSING_METRIC)
def test_every_kind_of_target_is_chosen_by_one_of_its_metrics(kind: str) -> None:
    target = Target(kind, ("a", "b"))
    assert choosing_metric(target) in Scores(kind, target.names).values()
    if kind == "tag":
        spans = Target("tag", ("O", "B-x"), per_step=True, scheme="BIO")
        assert choosing_metric(spans) in Scores("tag", spans.names, "BIO").values()
