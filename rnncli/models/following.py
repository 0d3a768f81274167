"""A model that follows a stream: what it says of some steps, knowing those before."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnncli.inputs.batches import Batch
from rnncli.metrics.outcome import Outcome
from rnncli.models.model import SequenceModel, State


@dataclass(frozen=True)
class Followed:
    """What is carried from the steps read so far to those that follow.

    Attributes:
        state: of the recurrent layers.
        gathered: by the pooling; nothing where each step has an answer of its own.
    """

    state: State
    gathered: tuple[Tensor, ...] = ()


@torch.inference_mode()
def follow(model: SequenceModel, batch: Batch, before: Followed | None) -> tuple[Outcome, Followed]:
    """The outcome of a batch whose sequences go on from `before`, and what is carried on from its end.

    With one target a sequence it is that of all steps so far.

    Args:
        batch: sequences of equal length.
        before: None where the sequences begin.
    """
    state = None if before is None else before.state
    read, final = model.stack(model.inputs(batch), state, final_state=True)
    gathered: tuple[Tensor, ...] = () if before is None else before.gathered
    items = read.values
    if model.pooling is not None:
        items, gathered = model.pooling.so_far(read, gathered)
    outcome = model.head.outcome(model.said(items, read, batch), batch)
    return outcome, Followed(final or (), gathered)
