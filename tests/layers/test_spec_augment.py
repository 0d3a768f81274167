"""What SpecAugment hides, and how much of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Feature, Tokens, Values
from rnncli.inputs.targets import Target
from rnncli.layers.settings import SpecAugmentSettings
from rnncli.layers.spec_augment import SpecAugment
from rnncli.models.inputs import InputLayer
from rnncli.models.mistakes import model_mistakes
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded

LENGTHS = torch.tensor([30, 17, 4, 30, 1])
NUMBERS = 13
CLASS = Target("class", ("a", "b"), (1, 1))


def spectra(repeats: int = 200) -> Padded:
    torch.manual_seed(4)
    lengths = LENGTHS.repeat(repeats)
    return Padded(torch.randn(30, len(lengths), NUMBERS).transpose(0, 1), lengths)


def hidden_by(masks: SpecAugment, inputs: Padded) -> Tensor:
    """(batch, time, numbers): what has the mean of its number over the sequence; False at padding."""
    out = masks(inputs)
    total = torch.where(inputs.mask.unsqueeze(2), inputs.values, 0).sum(1)
    mean = (total / inputs.lengths.unsqueeze(1)).unsqueeze(1).expand_as(out.values)
    hidden = out.values != inputs.values
    torch.testing.assert_close(out.values[hidden & inputs.mask.unsqueeze(2)], mean[hidden & inputs.mask.unsqueeze(2)])
    return hidden & inputs.mask.unsqueeze(2)


def runs(line: Tensor) -> list[int]:
    """Lengths of the stretches of True."""
    text = "".join("x" if each else " " for each in line.tolist())
    return [len(run) for run in text.split()]


@pytest.mark.parametrize(("frequency", "time"), [(5, 0), (0, 6), (5, 6), (NUMBERS, 100)])
def test_one_band_and_one_stretch_at_most_of_each_sequence(frequency: int, time: int) -> None:
    options = {"frequency_masks": int(frequency > 0), "time_masks": int(time > 0)}
    options |= {f"{name}_width": width for name, width in (("frequency", frequency), ("time", time)) if width}
    inputs = spectra()
    hidden = hidden_by(SpecAugment(SpecAugmentSettings(**options)), inputs)
    bands_seen, stretches_seen = set(), set()
    for row, length in zip(hidden, inputs.lengths.tolist(), strict=True):
        if length == 1:
            continue  # its only step is its mean
        bands, stretches = row[:length].all(0), row[:length].all(1)
        assert torch.equal(row[:length], bands | stretches.unsqueeze(1))
        if not bands.all() and not stretches.all():
            assert len(runs(bands)) <= 1 and len(runs(stretches)) <= 1
            bands_seen.add(sum(runs(bands)))
            if length == 30:
                stretches_seen.add(sum(runs(stretches)))
    assert max(bands_seen, default=0) == min(frequency, NUMBERS - 1)
    assert bands_seen == set(range(max(bands_seen) + 1))
    assert max(stretches_seen, default=0) == min(time, 29)


def test_the_share_that_is_hidden_is_the_mean_width_of_the_masks() -> None:
    torch.manual_seed(1)
    inputs = Padded(torch.randn(4000, 20, NUMBERS), torch.full((4000,), 20))
    only_bands = hidden_by(SpecAugment(SpecAugmentSettings(frequency_masks=1, frequency_width=6, time_masks=0)), inputs)
    assert only_bands.float().mean().item() == pytest.approx(3 / NUMBERS, rel=0.05)
    only_time = hidden_by(SpecAugment(SpecAugmentSettings(frequency_masks=0, time_masks=1, time_width=8)), inputs)
    assert only_time.float().mean().item() == pytest.approx(4 / 20, rel=0.05)
    # Two masks of widths 0 to 8 that may lie upon each other.
    twice = hidden_by(SpecAugment(SpecAugmentSettings(frequency_masks=0, time_masks=2, time_width=8)), inputs)
    assert 0.25 < twice.float().mean().item() < 0.4
    # Every place that a mask can start from does.
    starts = {int(row[:, 0].long().argmax()) for row in only_time if row[:, 0].sum() == 8}
    assert starts == set(range(13))


def test_each_sequence_has_masks_of_its_own_within_its_own_length() -> None:
    inputs = spectra(300)
    masks = SpecAugment(SpecAugmentSettings(frequency_masks=0, time_masks=1, time_width=3))
    hidden = hidden_by(masks, inputs)[..., 0]
    assert len({tuple(row.tolist()) for row in hidden}) > 40
    # In sequences of 4 steps: widths 0 to 3 are as likely as one another.
    of_four = hidden[inputs.lengths == 4].sum(1)
    assert of_four.bincount(minlength=4).div(len(of_four)).tolist() == pytest.approx([0.25] * 4, abs=0.1)


def test_nothing_is_hidden_in_evaluation_and_draws_are_those_of_torch() -> None:
    inputs, masks = spectra(3), SpecAugment(SpecAugmentSettings())
    torch.manual_seed(2)
    first = masks(inputs)
    state = torch.get_rng_state()
    second = masks(inputs)
    assert not torch.equal(first.values, second.values)
    torch.set_rng_state(state)
    assert torch.equal(masks(inputs).values, second.values)
    assert first.values.stride() == inputs.values.stride()
    state = torch.get_rng_state()
    assert masks.eval()(inputs) is inputs and torch.equal(torch.get_rng_state(), state)


def test_a_model_hides_numbers_alone_and_only_in_training() -> None:
    features: dict[str, Feature] = {"words": Tokens(5), "spectrum": Values(NUMBERS)}
    settings = ModelSettings.model_validate(
        {"cell": {"type": "gru", "hidden_size": 4}, "embedding_size": 3, "spec_augment": {}}
    )
    layer = InputLayer(features, settings)
    inputs = spectra(4)
    words = Padded(torch.randint(1, 5, (30, len(inputs.lengths))).t(), inputs.lengths)
    batch = Batch({"words": words, "spectrum": inputs}, None, np.arange(len(inputs.lengths)))
    clean, masked = layer.eval()(batch).values, layer.train()(batch).values
    assert torch.equal(clean[..., 3:], inputs.values)
    assert torch.equal(masked[..., :3], clean[..., :3])
    share = (masked[..., 3:] != clean[..., 3:])[inputs.mask].float().mean()
    assert 0.2 < share < 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frequency_masks": 0, "time_masks": 0}, "nothing is hidden"),
        ({"frequency_masks": 0, "frequency_width": 3}, "frequency_width: there are no frequency_masks"),
        ({"time_masks": 0, "time_width": 3}, "time_width: there are no time_masks"),
    ],
)
def test_options_that_do_nothing(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SpecAugmentSettings.model_validate(options)


@pytest.mark.parametrize(
    ("feature", "target", "message"),
    [
        (Tokens(9), CLASS, "model.spec_augment: the inputs have no numbers to hide"),
        (Values(3, (0,)), Target("forecast", ("a",), horizon=2), "model.spec_augment: is for spectra"),
        (Values(7), CLASS, "model.spec_augment.frequency_width: 8, but a step has 7 numbers"),
    ],
)
def test_inputs_that_can_not_be_hidden(feature: Feature, target: Target, message: str) -> None:
    settings = ModelSettings.model_validate({"cell": {"type": "gru", "hidden_size": 4}, "spec_augment": {}})
    assert any(message in mistake for mistake in model_mistakes(settings, {"x": feature}, target, 5))
    assert not any("spec_augment" in mistake for mistake in model_mistakes(settings, {"x": Values(8)}, CLASS, None))
