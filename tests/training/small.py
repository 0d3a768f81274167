"""Small models, data and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rnncli.inputs.batches import Batch, Dataset, Ragged, Sequences
from rnncli.inputs.features import Tokens
from rnncli.inputs.stream import Stream
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.models.settings import ModelSettings
from rnncli.training.loop import Loop
from rnncli.training.settings import TrainingSettings

WORDS, CLASSES = 11, 3


def stream(tokens: int = 62, seed: int = 3) -> Stream:
    return Stream(np.random.default_rng(seed).integers(2, WORDS, tokens))


def sequences(count: int = 13, seed: int = 3) -> Sequences:
    """Sequences of 1 to 6 tokens with a class each."""
    draw = np.random.default_rng(seed)
    lengths = draw.integers(1, 7, count)
    offsets = np.concatenate([[0], lengths.cumsum()])
    tokens = Ragged(torch.from_numpy(draw.integers(2, WORDS, offsets[-1])), offsets)
    return Sequences({"tokens": tokens}, torch.from_numpy(draw.integers(0, CLASSES, count)))


def model_for(data: Dataset, seed: int = 7, **options: Any) -> Model:
    settings = {"cell": {"type": "lstm", "hidden_size": 5}, "embedding_size": 4, **options}
    if isinstance(data, Stream):
        target = Target("token", tuple(map(str, range(WORDS))), per_step=True)
    else:
        target = Target("class", tuple(map(str, range(CLASSES))))
    torch.manual_seed(seed)
    return build_model(ModelSettings.model_validate(settings), {"tokens": Tokens(WORDS)}, target)


def loop_of(model: Model, data: Dataset, values: list[float] | None = None, **options: Any) -> Loop:
    """A loop whose evaluations find these values of "nll", one after another; none where there are none."""
    found = iter(values or [])
    settings = TrainingSettings.model_validate({"epochs": 2, "batch_size": 4, **options})

    def evaluate() -> dict[str, float]:
        model.eval()
        value = next(found, None)
        return {} if value is None else {"nll": value}

    return Loop(model, data, settings, torch.device("cpu"), evaluate, "nll", lambda new, old: new < old)


class InOrder(Dataset):
    """Batches of given rows, in the same order in every epoch."""

    unit = "rows"

    def __init__(self, data: Sequences, batches: list[list[int]]) -> None:
        self.data, self.batches = data, [np.array(rows) for rows in batches]

    def __len__(self) -> int:
        return len(self.data)

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        return self.batches

    def batch(self, rows: np.ndarray) -> Batch:
        return self.data.batch(rows)


def weights_of(model: Model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
