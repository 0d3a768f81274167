"""One of several classes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from rnncli.heads.head import HEADS, Head, asked_of_each
from rnncli.heads.settings import ClassesSettings
from rnncli.inputs.batches import NO_TARGET, Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome


def class_weights(settings: ClassesSettings, target: Target) -> Tensor | None:
    """(classes,) the weight of each class in the loss; None where all weigh the same.

    Balanced as in scikit-learn: items / (classes * items of the class).
    """
    if settings.weights == "none":
        return None
    if settings.weights == "balanced":
        counts = torch.tensor(target.counts, dtype=torch.float32).clamp(min=1)
        return counts.sum() / (len(counts) * counts)
    return torch.tensor([settings.weights.get(name, 1.0) for name in target.names])


@HEADS.register("classes")
class Classes(Head[ClassesSettings]):
    """A linear layer and cross entropy. Outputs are logits (items, classes).

    The loss with label smoothing is that of Szegedy et al., "Rethinking the Inception architecture" (CVPR 2016). With
    class weights its mean is the weighted mean, as in torch.nn.CrossEntropyLoss.

    Args:
        tied: (classes, embedding) an embedding whose vectors are also the weights of the output layer (Press & Wolf
            2017, Inan et al. 2017). Features of another width pass through a projection first.
    """

    settings_type = ClassesSettings
    class_weights: Tensor | None

    def __init__(
        self, settings: ClassesSettings, features: int, target: Target, tied: nn.Parameter | None = None
    ) -> None:
        super().__init__(settings, features, target)
        width = features if tied is None else tied.shape[1]
        self.weight = nn.Parameter(torch.empty(len(target.names), width)) if tied is None else None
        self.bias = nn.Parameter(torch.empty(len(target.names)))
        # In a tuple the shared parameter stays the embedding's alone: saved once, moved to a device once.
        self.tied: tuple[nn.Parameter, ...] = () if tied is None else (tied,)
        self.projection = None if width == features else nn.Linear(features, width, bias=False)
        self.register_buffer("class_weights", class_weights(settings, target), persistent=False)
        self._bound = width**-0.5
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw weights and biases as torch.nn.Linear does."""
        for parameter in self.parameters(recurse=False):
            parameter.uniform_(-self._bound, self._bound)

    def score(self, items: Tensor) -> Tensor:
        if self.projection is not None:
            items = self.projection(items)
        return linear(items, self.tied[0] if self.weight is None else self.weight, self.bias)

    def loss(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, int]:
        targets = self.known_targets(batch)
        items = int((targets != NO_TARGET).sum()) if self.target.partial else len(targets)
        if items == 0:
            return outputs.sum() * 0, 0
        smoothing, weights = self.settings.label_smoothing, self.class_weights
        return cross_entropy(outputs, targets, weights, ignore_index=NO_TARGET, label_smoothing=smoothing), items

    def outcome(self, outputs: Tensor, batch: Batch) -> Outcome:
        outputs, targets, lengths = outputs.float(), self.targets(batch), self.lengths(batch)
        if targets is not None and self.target.partial:
            asked = targets != NO_TARGET
            outputs, targets, lengths = outputs[asked], targets[asked], asked_of_each(lengths, asked.cpu().numpy())
        # Over a vocabulary of tokens the probabilities of many items would fill the memory.
        probabilities = None if self.target.kind == "token" else outputs.softmax(1).cpu().numpy()
        return Outcome(
            predicted=outputs.argmax(1).cpu().numpy(),
            target=None if targets is None else targets.cpu().numpy(),
            lengths=lengths,
            probabilities=probabilities,
            nll=None if targets is None else cross_entropy(outputs, targets, reduction="none").cpu().numpy(),
        )
