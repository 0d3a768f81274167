"""What every model is: inputs in, a loss or an outcome out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from rnncli.cells.costs import flops
from rnncli.cells.weights import CellWeights
from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.heads.build import build_head
from rnncli.heads.choice import default_head
from rnncli.heads.head import Head, valid_steps
from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Feature
from rnncli.inputs.targets import Target
from rnncli.layers.dropout import Dropout
from rnncli.layers.pooling import Pooling
from rnncli.layers.recurrent import Stack, StackState, detach
from rnncli.metrics.outcome import Outcome
from rnncli.models.inputs import InputLayer
from rnncli.models.mistakes import next_values
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded

State = StackState
"""What a model carries from one batch of a stream to the next."""


class Model(nn.Module, ABC):
    """A stack of recurrent layers between inputs and a head."""

    stack: Stack
    head: Head[Any]

    @abstractmethod
    def outputs(self, batch: Batch, state: State | None, bptt_steps: int | None = None) -> tuple[Tensor, State | None]:
        """What the head says of each item of a batch, and the state that follows, where the target is a stream's.

        Args:
            bptt_steps: steps of the recurrent layers that gradients go back at most; all where it is None.
        """

    def loss(
        self, batch: Batch, state: State | None = None, bptt_steps: int | None = None
    ) -> tuple[Tensor, int, State | None]:
        """The mean loss over the items of a batch, their number, and the state that follows, without its history."""
        outputs, final = self.outputs(batch, state, bptt_steps)
        loss, items = self.head.loss(outputs, batch)
        return loss, items, None if final is None else detach(final)

    @torch.no_grad()
    def outcome(
        self, batch: Batch, state: State | None = None, decoding: DecodingSettings = GREEDY
    ) -> tuple[Outcome, State | None]:
        """The predictions for a batch, and the state that follows.

        Args:
            decoding: how sequences are written, where the target is one.
        """
        outputs, final = self.outputs(batch, state)
        return self.head.outcome(outputs, batch), final

    @staticmethod
    def flat_state(state: State) -> list[Tensor]:
        """The tensors of a state in a row, to be saved."""
        return [each for cell in state for each in cell]

    def state_from_flat(self, tensors: Sequence[Tensor]) -> State:
        """The state whose tensors `flat_state` gave."""
        count = len(tensors) // len(self.stack.weights)
        return tuple(tuple(tensors[first : first + count]) for first in range(0, len(tensors), count))

    @property
    def parameter_count(self) -> int:
        """How many numbers training changes."""
        return sum(weight.numel() for weight in self.parameters() if weight.requires_grad)

    @property
    def flops(self) -> int:
        """Floating-point operations of one step of one sequence in all recurrent layers."""
        layers = [each for each in self.modules() if isinstance(each, CellWeights)]
        return sum(flops(each.cell, each.input_size).total for each in layers)

    @property
    def engine(self) -> str:
        """Name of the engine that runs the recurrent layers."""
        return self.stack.choice.name

    @property
    def engine_reason(self) -> str:
        """Why that engine was taken."""
        return self.stack.choice.reason


class SequenceModel(Model):
    """Inputs, recurrent layers, then a head on each step, or on one vector pooled from all steps."""

    def __init__(self, settings: ModelSettings, features: Mapping[str, Feature], target: Target) -> None:
        super().__init__()
        self.streams = target.kind == "token"
        self.inputs = InputLayer(features, settings)
        self.stack = build_stack(settings, self.inputs.size)
        self.dropout = Dropout(settings.dropout.output)
        self.pooling = None if target.per_step else Pooling(settings.poolings, self.stack.size, settings.bidirectional)
        width = self.stack.size if self.pooling is None else self.pooling.size
        tied = self.inputs.tied() if settings.tied_embeddings else None
        self.head = build_head(settings.head or default_head(target), width, target, tied)
        self.last = next_values(features, target) if settings.skip == "last" else None

    def outputs(self, batch: Batch, state: State | None, bptt_steps: int | None = None) -> tuple[Tensor, State | None]:
        cut = None if self.streams else bptt_steps  # the batches of a stream are cut already
        read, final = self.stack(self.inputs(batch), state, final_state=self.streams, bptt_steps=cut)
        items = read.values if self.pooling is None else self.pooling(read)
        return self.said(items, read, batch), final

    def said(self, items: Tensor, read: Padded, batch: Batch) -> Tensor:
        """What the head says of the features of each item, once the layers have `read` the batch."""
        outputs: Tensor = self.head(self.dropout(items), read)
        if self.last is not None:
            name, columns = self.last
            present = batch.inputs[name]
            outputs = outputs + valid_steps(present.values[..., columns], present).unsqueeze(-1)
        return outputs


def build_stack(settings: ModelSettings, input_size: int) -> Stack:
    """The recurrent layers that the settings describe."""
    return Stack(
        settings.cell,
        input_size,
        layers=settings.layers,
        bidirectional=settings.bidirectional,
        connections=settings.connections,
        learned_initial_state=settings.learned_initial_state,
        dropout=settings.dropout,
        engine=settings.engine,
    )
