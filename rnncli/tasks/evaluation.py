"""Metrics of a model on a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.inputs.batches import Batch, Dataset
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.metrics.scores import Scores
from rnncli.models.model import Model

CHOOSING_METRIC = {
    "class": "accuracy",
    "labels": "f1_micro",
    "value": "rmse",
    "tag": "accuracy",
    "token": "perplexity",
    "frame": "frame_nll",
    "forecast": "mse",
    "sequence": "nll",
}


def choosing_metric(target: Target) -> str:
    """The metric that chooses the best epoch unless the config names another."""
    return "entity_f1" if target.scheme else CHOOSING_METRIC[target.kind]


def metrics_of(target: Target) -> Scores:
    """The metrics that fit a target, before they have seen anything.

    Raises:
        MissingExtra: a package that one of them needs is not installed.
    """
    return Scores(target.kind, target.names, target.scheme)


def outcomes(
    model: Model,
    data: Dataset,
    batch_size: int,
    device: torch.device,
    threshold: float | None = None,
    decoding: DecodingSettings = GREEDY,
) -> Iterator[tuple[Batch, Outcome]]:
    """The outcome of each batch of one pass in the cheapest order, the state carried where a stream continues."""
    model.eval()
    state = None
    with torch.inference_mode():
        for rows in data.plan(batch_size, None):
            batch = data.batch(rows).to(device)
            outcome, state = model.outcome(batch, state if batch.continues else None, decoding)
            yield batch, decided(outcome, threshold)


def decided(outcome: Outcome, threshold: float | None) -> Outcome:
    """The outcome with the second of two classes predicted from `threshold` on."""
    if threshold is None or outcome.probabilities is None:
        return outcome
    return replace(outcome, predicted=(outcome.probabilities[:, 1] >= threshold).astype(np.int64))


def evaluate(
    model: Model,
    target: Target,
    data: Dataset,
    batch_size: int,
    device: torch.device,
    threshold: float | None = None,
    decoding: DecodingSettings = GREEDY,
) -> Scores:
    """The metrics that fit the target, over the whole dataset."""
    scores = metrics_of(target)
    for _, outcome in outcomes(model, data, batch_size, device, threshold, decoding):
        scores.add(outcome)
    return scores


def measured(model: Model, target: Target, data: Dataset, batch_size: int, device: torch.device) -> list[str]:
    """The names of the metrics that `evaluate` gives, from one batch."""
    scores = metrics_of(target)
    _, outcome = next(outcomes(model, data, batch_size, device))
    scores.add(outcome)
    return list(scores.values())
