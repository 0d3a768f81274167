"""What is dropped between the recurrent layers and the output layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Feature, Values
from rnncli.inputs.targets import Target
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.sequences import Padded

from .data import settings, windows

FEATURES: dict[str, Feature] = {"values": Values(2, (0, 1))}
TARGETS = {
    "pooled": Target("class", ("a", "b", "c"), (1, 1, 1)),
    "per step": Target("value", ("a",), per_step=True),
    "forecast": Target("forecast", ("a", "b"), horizon=2),
}


def read_by_head(model: Model, batch: Batch) -> Tensor:
    seen: list[Tensor] = []
    handle = model.head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().clone()))
    model.outputs(batch, None)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize("name", TARGETS)
def test_single_numbers_are_dropped_while_training(name: str) -> None:
    cell = {"type": "gru", "hidden_size": 20}
    target = TARGETS[name]
    features = FEATURES if name == "forecast" else {"values": Values(2)}
    model = build_model(settings(cell=cell, dropout={"output": 0.3}), features, target, context=7)
    batch = windows(torch.randn(60, 7, 2), None)
    if name == "per step":
        values = batch.inputs["values"].values
        batch = Batch({"values": Padded(values, torch.full((60,), 7))}, None, np.arange(60))
    plain, dropped = read_by_head(model.eval(), batch), read_by_head(model.train(), batch)
    zeros = dropped == 0
    assert zeros.double().mean().item() == pytest.approx(0.3, abs=0.05)
    torch.testing.assert_close(dropped, torch.where(zeros, 0.0, plain / 0.7))
