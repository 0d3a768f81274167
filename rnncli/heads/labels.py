"""A set of labels."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from rnncli.heads.head import HEADS, Head
from rnncli.heads.settings import LabelsSettings
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome


def _nll(outputs: Tensor, targets: Tensor) -> Tensor:
    """(items,) negative log-likelihood of each label set: the sum over its labels."""
    return binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(1)


@HEADS.register("labels")
class Labels(Head[LabelsSettings]):
    """A linear layer and a sigmoid for each label. Outputs are logits (items, labels).

    The loss of an item is summed over its labels, as frame NLL is reported (Boulanger-Lewandowski et al. 2012).
    """

    settings_type = LabelsSettings

    def __init__(self, settings: LabelsSettings, features: int, target: Target) -> None:
        super().__init__(settings, features, target)
        self.linear = nn.Linear(features, len(target.names))

    def score(self, items: Tensor) -> Tensor:
        scores: Tensor = self.linear(items)
        return scores

    def loss(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, int]:
        targets = self.known_targets(batch)
        return _nll(outputs, targets).mean(), len(targets)

    def outcome(self, outputs: Tensor, batch: Batch) -> Outcome:
        outputs, targets = outputs.float(), self.targets(batch)
        probabilities = outputs.sigmoid()
        return Outcome(
            predicted=(probabilities >= self.settings.threshold).cpu().numpy(),
            target=None if targets is None else (targets > 0.5).cpu().numpy(),
            lengths=self.lengths(batch),
            probabilities=probabilities.cpu().numpy(),
            nll=None if targets is None else _nll(outputs, targets).cpu().numpy(),
        )
