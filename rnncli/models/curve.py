"""A sequence of numbers from a class, a vector or a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from rnncli.heads.build import build_head
from rnncli.heads.choice import default_head
from rnncli.heads.values import ValuesHead
from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Feature
from rnncli.inputs.targets import Target
from rnncli.models.model import Model, State
from rnncli.models.reader import Reader
from rnncli.models.settings import ModelSettings
from rnncli.models.value_writer import ValueWriter


class Curve(Model):
    """One step is read, a decoder writes the numbers of the whole horizon; before the first it reads zero, the mean of
    all."""

    def __init__(self, settings: ModelSettings, features: Mapping[str, Feature], target: Target) -> None:
        super().__init__()
        self.target, self.patch = target, settings.patch
        self.reader = Reader(settings, features, target.from_one)
        size, summary_size = self.reader.size, self.reader.summary_size
        self.writer = ValueWriter(settings, size, summary_size, target, target.known_ahead, self.patch)
        written = replace(target, horizon=self.patch)
        self.head = build_head(settings.head or default_head(target), self.writer.stack.size, written)

    def outputs(self, batch: Batch, state: State | None, bptt_steps: int | None = None) -> tuple[Tensor, State | None]:
        read, summary = self.reader(batch, bptt_steps)
        before = summary.new_zeros(len(summary), self.patch, len(self.target.names))
        truth = batch.targets if self.training else None
        assert isinstance(self.head, ValuesHead)
        forecast: Tensor = self.writer(self.head, read, summary, before, batch.ahead, truth)
        return forecast, None

    @property
    def engine(self) -> str:
        return self.writer.stack.choice.name

    @property
    def engine_reason(self) -> str:
        return self.writer.stack.choice.reason
