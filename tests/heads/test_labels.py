"""Sets of labels, against torch's binary cross entropy."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy

from rnncli.heads.build import build_head
from rnncli.heads.settings import LabelsSettings
from rnncli.inputs.targets import Target

NAMES = ("a", "b", "c", "d")


def test_loss_is_summed_over_labels_and_averaged_over_steps(per_step) -> None:
    truth = (torch.rand(12, 4) > 0.6).float()
    features, batch = per_step(truth)
    head = build_head(LabelsSettings(type="labels", threshold=0.3), 6, Target("frame", NAMES, (1,) * 4, per_step=True))
    loss, items = head.loss(head(features, batch.sequences), batch)
    with torch.no_grad():
        probabilities = head.linear(features[batch.sequences.mask]).sigmoid()
        outcome = head.outcome(head(features, batch.sequences), batch)
    per_item = binary_cross_entropy(probabilities, truth, reduction="none").sum(1)
    torch.testing.assert_close(loss, per_item.mean())
    assert items == 12
    np.testing.assert_allclose(outcome.nll, per_item.numpy(), rtol=1e-5)
    np.testing.assert_allclose(outcome.probabilities, probabilities.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(outcome.predicted, probabilities.numpy() >= 0.3)
    np.testing.assert_array_equal(outcome.target, truth.numpy() == 1)
    assert outcome.predicted.dtype == outcome.target.dtype == bool
    assert outcome.lengths.tolist() == [2, 5, 1, 4]


def test_labels_of_a_sequence(per_sequence) -> None:
    truth = (torch.rand(5, 4) > 0.5).float()
    features, batch = per_sequence(truth)
    head = build_head(LabelsSettings(type="labels"), 6, Target("labels", NAMES, (1,) * 4))
    loss, items = head.loss(head(features, batch.sequences), batch)
    expected = binary_cross_entropy(head.linear(features).sigmoid(), truth, reduction="sum") / 5
    torch.testing.assert_close(loss, expected)
    assert items == 5
