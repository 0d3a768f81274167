"""What a decoder is given to read while it is taught, and what it should write."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rnncli.decoding.steps import END
from rnncli.inputs.batches import Batch
from rnncli.sequences import Padded

PREVIOUS = "previous"
"""The feature of a taught batch: the token before each that is to be written."""


def taught(targets: Tensor, lengths: Tensor) -> Batch:
    """A batch whose every step asks for a token: first that after the begin, last the end.

    Args:
        targets: (batch, time) tokens, anything at padding.
        lengths: (batch,) on the CPU.
    """
    end = targets.new_full((len(targets), 1), END)
    behind = torch.arange(targets.shape[1] + 1) >= lengths.unsqueeze(1)
    asked = torch.cat([targets, end], dim=1).masked_fill(behind.to(targets.device), END)
    previous = torch.cat([end, asked[:, :-1]], dim=1)
    return Batch({PREVIOUS: Padded(previous, lengths + 1)}, asked, rows=torch.arange(len(targets)).numpy())


def taught_tokens(answers: Sequence[Sequence[int]], device: torch.device) -> Batch:
    """The same of tokens in lists."""
    lengths = torch.tensor([len(answer) for answer in answers], dtype=torch.int64)
    targets = torch.full((len(answers), int(lengths.max())), END)
    for row, answer in enumerate(answers):
        targets[row, : len(answer)] = torch.tensor(answer, dtype=torch.int64)
    return taught(targets.to(device), lengths)
