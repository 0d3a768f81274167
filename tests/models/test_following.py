"""A model that follows a stream says what it says of the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from cells.variants import every_cell

from rnncli.inputs.batches import Ragged, Sequences
from rnncli.inputs.features import Categories, Feature, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.following import Followed, follow
from rnncli.models.model import SequenceModel

from .data import settings

STEPS = 7
CELLS = every_cell(5)
FEATURES: dict[str, Feature] = {"words": Tokens(20), "kind": Categories(4), "values": Values(3)}
TARGETS = {
    "class": Target("class", tuple("abc"), (1,) * 3),
    "labels": Target("labels", tuple("abcd"), (1,) * 4),
    "value": Target("value", ("p", "q")),
    "class a step": Target("class", tuple("abc"), (1,) * 3, per_step=True),
    "tag": Target("tag", tuple("abc"), (1,) * 3, per_step=True),
    "labels a step": Target("labels", tuple("abcd"), (1,) * 4, per_step=True),
    "value a step": Target("value", ("p", "q"), per_step=True),
}


def sequence(start: int, stop: int, flat: dict[str, torch.Tensor]) -> Sequences:
    return Sequences({name: Ragged(part[start:stop], np.array([0, stop - start])) for name, part in flat.items()}, None)


def answers(model: SequenceModel, target: Target, pieces: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """What is said piece by piece, and of the whole (of each step, or of all up to the end of each piece)."""
    model.eval()
    generator = torch.Generator().manual_seed(2)
    flat: dict[str, torch.Tensor] = {
        "words": torch.randint(2, 20, (STEPS,), generator=generator),
        "kind": torch.randint(0, 4, (STEPS,), generator=generator),
        "values": torch.randn(STEPS, 3, generator=generator),
    }
    found, expected = [], []
    before: Followed | None = None
    stop = 0
    for count in pieces:
        start, stop = stop, stop + count
        outcome, before = follow(model, sequence(start, stop, flat).batch(np.arange(1)), before)
        found.append(outcome.predicted if outcome.probabilities is None else outcome.probabilities)
        whole, _ = model.outcome(sequence(0, stop, flat).batch(np.arange(1)))
        said = whole.predicted if whole.probabilities is None else whole.probabilities
        expected.append(said[start:stop] if target.per_step else said)
    return np.concatenate(found), np.concatenate(expected)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("pieces", [[1] * STEPS, [2, 1, 4]])
def test_each_kind(kind: str, pieces: list[int]) -> None:
    target = TARGETS[kind]
    pooling = {} if target.per_step else {"pooling": ["max", "last", "attention", "mean"]}
    chosen = settings(layers=2, connections="highway", learned_initial_state=True, **pooling)
    model = build_model(chosen, FEATURES, target)
    assert isinstance(model, SequenceModel)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    found, expected = answers(model, target, pieces)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(found, axis=0).max() > 1e-3, "all answers alike show nothing"


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_each_cell(cell: str) -> None:
    chosen = settings(cell=CELLS[cell].model_dump(), layers=2, engine="loop")
    model = build_model(chosen, FEATURES, TARGETS["value a step"])
    assert isinstance(model, SequenceModel)
    found, expected = answers(model, TARGETS["value a step"], [1] * STEPS)
    np.testing.assert_allclose(found, expected, atol=1e-5)
