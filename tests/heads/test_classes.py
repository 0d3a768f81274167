"""One of several classes, against torch's and scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn

from rnncli.heads.build import build_head
from rnncli.heads.settings import ClassesSettings
from rnncli.inputs.batches import NO_TARGET
from rnncli.inputs.targets import Target

NAMES = ("a", "b", "c")


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", ["none", "balanced", {"c": 2.5, "a": 0.5}])
def test_loss_is_torchs_cross_entropy(weights: object, smoothing: float, per_step) -> None:
    truth = torch.tensor([0, 1, 2, 2, 0, 1, 1, 0, 2, 0, 0, 2])
    counts = (7, 2, 4)
    features, batch = per_step(truth)
    settings = ClassesSettings(type="classes", weights=weights, label_smoothing=smoothing)
    head = build_head(settings, 6, Target("tag", NAMES, counts, per_step=True))
    loss, items = head.loss(head(features, batch.sequences), batch)
    expected_weights = {
        "none": None,
        "balanced": compute_class_weight("balanced", classes=np.arange(3), y=np.repeat(np.arange(3), counts)),
    }.get(str(weights), [0.5, 1.0, 2.5])
    oracle = nn.CrossEntropyLoss(
        None if expected_weights is None else torch.tensor(expected_weights, dtype=torch.float32),
        label_smoothing=smoothing,
    )
    logits = features[batch.sequences.mask] @ head.weight.t() + head.bias
    torch.testing.assert_close(loss, oracle(logits, truth))
    assert items == 12


@pytest.mark.parametrize("full", [False, True])
def test_outcome_has_no_padding_and_keeps_the_order(full: bool, per_step) -> None:
    lengths = (3, 3, 3, 3) if full else (2, 5, 1, 4)
    truth = torch.tensor([0, 1, 2, 2, 0, 1, 1, 0, 2, 0, 0, 2])
    features, batch = per_step(truth, lengths=lengths)
    head = build_head(ClassesSettings(type="classes", weights="balanced"), 6, Target("tag", NAMES, (1, 2, 3), True))
    with torch.no_grad():
        outcome = head.outcome(head(features, batch.sequences), batch)
        rows = [row[:length] @ head.weight.t() + head.bias for row, length in zip(features, lengths, strict=True)]
    probabilities = torch.cat(rows).softmax(1).numpy()
    assert outcome.lengths.tolist() == list(lengths)
    np.testing.assert_array_equal(outcome.target, truth.numpy())
    np.testing.assert_array_equal(outcome.predicted, probabilities.argmax(1))
    np.testing.assert_allclose(outcome.probabilities, probabilities, rtol=1e-5)
    np.testing.assert_allclose(outcome.nll, -np.log(probabilities[np.arange(12), truth]), rtol=1e-5)


def test_one_class_a_sequence_also_without_truth(per_sequence) -> None:
    features, batch = per_sequence(None)
    head = build_head(ClassesSettings(type="classes"), 6, Target("class", NAMES, (1, 1, 1)))
    with torch.no_grad():
        outcome = head.outcome(head(features, batch.sequences), batch)
        expected = (features @ head.weight.t() + head.bias).argmax(1)
    np.testing.assert_array_equal(outcome.predicted, expected)
    assert outcome.target is None and outcome.nll is None and outcome.lengths.tolist() == [1] * 5
    with pytest.raises(ValueError, match="needs a batch with targets"):
        head.loss(head(features, batch.sequences), batch)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weights", ["none", {"c": 2.5, "a": 0.5}])
def test_steps_that_ask_for_nothing_are_left_out(weights: object, smoothing: float, per_step) -> None:
    asked = torch.tensor([False, True, True, False, False, True, False, False, True, True, True, False])
    classes = torch.tensor([0, 1, 2, 2, 0, 1, 1, 0, 2, 0, 0, 2])
    features, batch = per_step(torch.where(asked, classes, NO_TARGET))
    features.requires_grad_()
    settings = ClassesSettings(type="classes", weights=weights, label_smoothing=smoothing)
    head = build_head(settings, 6, Target("tag", NAMES, (7, 2, 4), per_step=True, partial=True))
    outputs = head(features, batch.sequences)
    loss, items = head.loss(outputs, batch)
    logits = outputs[asked].detach().double().numpy()
    log_shares = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    truth = classes[asked].numpy()
    of_class = np.array([1.0, 1.0, 1.0] if weights == "none" else [0.5, 1.0, 2.5])
    hard = -of_class[truth] * log_shares[np.arange(6), truth]
    soft = -(of_class * log_shares).mean(1)
    expected = ((1 - smoothing) * hard + smoothing * soft).sum() / of_class[truth].sum()
    assert items == 6
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert (features.grad[batch.sequences.mask].abs().sum(1) > 0).tolist() == asked.tolist()
    with torch.no_grad():
        outcome = head.outcome(outputs, batch)
    assert outcome.lengths.tolist() == [1, 2, 0, 3]  # of 2, 5, 1 and 4 steps
    np.testing.assert_array_equal(outcome.target, truth)
    np.testing.assert_array_equal(outcome.predicted, logits.argmax(1))
    np.testing.assert_allclose(outcome.probabilities, np.exp(log_shares), rtol=1e-5)
    np.testing.assert_allclose(outcome.nll, -log_shares[np.arange(6), truth], rtol=1e-5)


def test_a_batch_that_asks_for_nothing_has_no_loss_but_a_gradient_of_zeros(per_step) -> None:
    features, batch = per_step(torch.full((12,), NO_TARGET))
    head = build_head(ClassesSettings(type="classes"), 6, Target("token", NAMES, (7, 2, 4), True, partial=True))
    outputs = head(features, batch.sequences)
    loss, items = head.loss(outputs, batch)
    loss.backward()
    assert (loss.item(), items) == (0, 0)
    assert head.weight.grad.abs().sum() == 0
    with torch.no_grad():
        outcome = head.outcome(outputs, batch)
    assert (len(outcome.predicted), len(outcome.nll), outcome.lengths.tolist()) == (0, 0, [0, 0, 0, 0])


def test_padding_gets_no_gradient(per_step) -> None:
    features, batch = per_step(torch.zeros(12, dtype=torch.int64))
    features = features.detach().requires_grad_()
    head = build_head(ClassesSettings(type="classes"), 6, Target("tag", NAMES, (1, 1, 1), True))
    head.loss(head(features, batch.sequences), batch)[0].backward()
    touched = features.grad.abs().sum(2) > 0
    assert torch.equal(touched, batch.sequences.mask)


@pytest.mark.parametrize("width", [6, 4])
def test_tied_embedding_is_the_output_layer(width: int, per_step) -> None:
    embedding = nn.Parameter(torch.randn(3, width))
    features, batch = per_step(torch.tensor([0, 1, 2, 2, 0, 1, 1, 0, 2, 0, 0, 2]))
    head = build_head(ClassesSettings(type="classes"), 6, Target("token", NAMES, (1, 1, 1), True), embedding)
    items = features[batch.sequences.mask]
    items = items if width == 6 else items @ head.projection.weight.t()
    outputs = head(features, batch.sequences)
    torch.testing.assert_close(outputs, items @ embedding.t() + head.bias)
    assert (head.projection is None) == (width == 6)
    assert "weight" not in head.state_dict()
    assert head.outcome(outputs.detach(), batch).probabilities is None
    head.loss(outputs, batch)[0].backward()
    assert embedding.grad.abs().sum() > 0
