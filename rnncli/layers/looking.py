"""A step of a decoder together with what it looks at."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncli.layers.attention import Attention, Memory, make_attention
from rnncli.layers.decoder_settings import DecoderSettings
from rnncli.sequences import Padded


class Looking(nn.Module):
    """tanh(W [context; h]): what the attention finds, beside the output h that asked for it (Luong et al. 2015, eq. 5).
    Without attention it is h.

    Args:
        hidden: features of h.
        size: features of what is looked at.
    """

    def __init__(self, options: DecoderSettings, hidden: int, size: int) -> None:
        super().__init__()
        units, coverage = options.attention_size, options.coverage > 0
        self.attention: Attention | None = make_attention(
            options.attention, hidden, size, units=units, coverage=coverage
        )
        self.combine = None if self.attention is None else nn.Linear(size + hidden, hidden)

    def memory(self, read: Padded) -> Memory | None:
        """What is looked at, once for all steps."""
        return None if self.attention is None else self.attention.memory(read)

    def forward(
        self, outputs: Tensor, memory: Memory | None, coverage: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(batch, time, hidden) to the same, and the weights (batch, time, positions).

        Args:
            coverage: (batch, positions) the attention that each position has had.
        """
        if self.attention is None or self.combine is None or memory is None:
            return outputs, None
        weights: Tensor = self.attention(outputs, memory, coverage)
        context = torch.bmm(weights, memory.values)
        return self.combine(torch.cat([context, outputs], dim=2)).tanh(), weights
