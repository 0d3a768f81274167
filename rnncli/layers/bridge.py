"""From what was read to the state in which a decoder begins."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncli.layers.recurrent import Stack, StackState


class Bridge(nn.Module):
    """tanh(W s + b) for every state of every layer of the decoder, of one vector s for each sequence.

    Args:
        size: features of s.
    """

    def __init__(self, size: int, decoder: Stack) -> None:
        super().__init__()
        self.states = len(decoder.cell.states)
        self.count = self.states * len(decoder.weights)
        self.linear = nn.Linear(size, self.count * decoder.cell.hidden_size)

    def forward(self, summary: Tensor) -> StackState:
        """(batch, size) to the state of the decoder."""
        parts = self.linear(summary).tanh().chunk(self.count, dim=1)
        return tuple(
            tuple(part.contiguous() for part in parts[first : first + self.states])
            for first in range(0, self.count, self.states)
        )


def last_states(final: StackState, directions: int) -> Tensor:
    """(batch, directions * states * hidden): all states of both directions of the uppermost layer, each after the last
    step that it read."""
    return torch.cat([each for cell in final[-directions:] for each in cell], dim=1)
