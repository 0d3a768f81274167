"""How much of what a decoder reads in training is its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Guesses(nn.Module):
    """The share of a decoder's own guesses in what it reads, growing from 0 in a line (Bengio et al., "Scheduled
    sampling for sequence prediction with recurrent neural networks", NIPS 2015).

    Args:
        most: the share that is reached.
        steps: training batches until then.

    Attributes:
        lessons: training batches so far; kept with the weights, where there is a share at all.
    """

    lessons: Tensor

    def __init__(self, most: float, steps: int) -> None:
        super().__init__()
        self.most, self.steps = most, steps
        self.register_buffer("lessons", torch.zeros((), dtype=torch.int64), persistent=most > 0)

    def share(self) -> float:
        """The share of the batch that comes; 0 where nothing is learnt."""
        if not (self.most and self.training):
            return 0.0
        self.lessons += 1
        return self.most * min(1.0, int(self.lessons) / self.steps)
