"""Noise on the numbers that a model reads while it is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Categories, Feature, Spelling, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.layers.noise import InputNoise
from rnncli.models.build import build_model
from rnncli.models.model import Model
from rnncli.sequences import Padded

from .data import everything, settings, windows

FEATURES: dict[str, Feature] = {
    "words": Tokens(20),
    "values": Values(3),
    "characters": Spelling(9),
    "kind.of": Categories(4),
}
CLASSES = Target("class", ("a", "b"), (2, 3))
FORECAST = Target("forecast", ("p", "q"), horizon=5, season=3)
DEVIATION, CONTEXT, ROWS = 0.3, 8, 400


def test_noise_has_the_deviation_and_is_new_at_every_number() -> None:
    values = torch.randn(7, 200, 11).transpose(0, 1) * 5
    noise = InputNoise(DEVIATION)
    added = noise(values) - values
    assert added.std().item() == pytest.approx(DEVIATION, rel=0.03)
    assert abs(added.mean().item()) < 5 * DEVIATION / added.numel() ** 0.5
    assert added.abs().max() > 2.5 * DEVIATION
    flat = added.reshape(-1)
    assert abs((flat[1:] * flat[:-1]).mean().item()) < 5 * DEVIATION**2 / flat.numel() ** 0.5
    assert noise(values).stride() == values.stride()
    assert noise.eval()(values) is values and InputNoise(0.0)(values) is values


def read_by(model: Model, batch: Batch) -> Tensor:
    """What the recurrent layers read, (batch, time, features)."""
    seen: list[Padded] = []
    handle = model.stack.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model.outputs(batch, None)
    handle.remove()
    return seen[0].values.detach()


def test_only_the_numbers_of_a_sequence_are_noisy_and_only_in_training() -> None:
    batch = everything(torch.tensor([0, 1, 1, 0, 1])).batch(np.arange(5))
    model = build_model(settings(input_noise=DEVIATION), FEATURES, CLASSES)
    clean, noisy = read_by(model.eval(), batch), read_by(model.train(), batch)
    assert torch.equal(clean, read_by(model.eval(), batch))
    different = (noisy != clean).flatten(0, 1).all(0)
    assert different.tolist() == [False] * (model.inputs.size - 3) + [True] * 3
    assert torch.equal(noisy[..., :-3], clean[..., :-3])


def test_padding_may_hold_anything() -> None:
    batch = everything(torch.tensor([0, 1, 1, 0, 1])).batch(np.arange(5))
    values = batch.inputs["values"]
    junk = values.with_values(torch.where(values.mask.unsqueeze(2), values.values, torch.tensor(torch.nan)))
    assert junk.values.isnan().any()
    model = build_model(settings(input_noise=DEVIATION, pooling=["mean", "last"]), FEATURES, CLASSES)
    losses = []
    for each in (values, junk):
        torch.manual_seed(5)
        losses.append(model.loss(replace(batch, inputs={**batch.inputs, "values": each}))[0].item())
    torch.manual_seed(6)
    other = model.loss(batch)[0].item()
    assert losses[0] == losses[1] != other


@pytest.mark.parametrize("normalization", ["none", "last", "revin"])
@pytest.mark.parametrize("shared", [False, True])
def test_a_forecaster_reads_noise_on_the_scale_of_its_windows(shared: bool, normalization: str) -> None:
    features: dict[str, Feature] = {"day": Categories(6), "values": Values(4, (2, 0)), "more": Values(2)}
    chosen = settings(input_noise=DEVIATION, shared=shared, window_normalization=normalization)
    model = build_model(chosen, features, FORECAST, context=CONTEXT)
    batch = windows(torch.randn(ROWS, CONTEXT, 4) * 3 + 5, torch.randn(ROWS, 5, 2))
    lengths = torch.full((ROWS,), CONTEXT)
    batch.inputs["day"] = Padded(torch.randint(0, 6, (ROWS, CONTEXT)), lengths)
    batch.inputs["more"] = Padded(torch.randn(CONTEXT, ROWS, 2).transpose(0, 1), lengths)
    added = read_by(model.train(), batch) - read_by(model.eval(), batch)
    embedded = 8
    noisy = [column for column in range(added.shape[2]) if added[..., column].any()]
    assert len(noisy) == added.shape[2] - embedded == (1 if shared else 2) + 2 + 2
    for column in noisy:
        assert added[..., column].std().item() == pytest.approx(DEVIATION, rel=0.1)


@pytest.mark.parametrize("normalization", ["none", "last", "revin"])
@pytest.mark.parametrize("skip", ["none", "seasonal", "linear"])
def test_what_a_forecast_is_added_to_is_not_noisy(skip: str, normalization: str) -> None:
    chosen = settings(input_noise=DEVIATION, skip=skip, window_normalization=normalization)
    model = build_model(chosen, {"values": Values(2, (1, 0))}, FORECAST, context=CONTEXT)
    for weight in model.head.parameters():
        nn.init.zeros_(weight)
    batch = windows(torch.randn(6, CONTEXT, 2), torch.randn(6, 5, 2))
    assert torch.equal(model.train().outputs(batch, None)[0], model.eval().outputs(batch, None)[0])
