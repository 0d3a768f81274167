"""The steps that follow a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from rnncli.heads.build import build_head
from rnncli.heads.choice import default_head
from rnncli.heads.values import ValuesHead
from rnncli.inputs.batches import Batch
from rnncli.inputs.features import Feature, Values
from rnncli.inputs.targets import Target
from rnncli.layers.bridge import last_states
from rnncli.layers.dropout import Dropout
from rnncli.layers.noise import InputNoise
from rnncli.layers.pooling import Pooling
from rnncli.models.inputs import InputLayer, side_by_side
from rnncli.models.model import Model, State, build_stack
from rnncli.models.settings import ModelSettings
from rnncli.models.value_writer import ValueWriter
from rnncli.models.windows import Scale, WindowNormalization
from rnncli.sequences import Padded


class Forecaster(Model):
    """Recurrent layers read a window, the head forecasts its whole horizon at once, or a decoder step by step.

    The variables to forecast are put on the window's own scale; the network, the skip and the head work on it, and the
    loss is taken after it has been undone. All windows are `context` steps long.
    """

    def __init__(self, settings: ModelSettings, features: Mapping[str, Feature], target: Target, context: int) -> None:
        super().__init__()
        self.pooling: Pooling | None = None
        self.writer: ValueWriter | None = None
        self.shared, self.patch = settings.shared, settings.patch
        self.series, read = next(
            (name, feature) for name, feature in features.items() if isinstance(feature, Values) and feature.targets
        )
        self.variables = list(read.targets)
        self.covariates = [column for column in range(read.width) if column not in read.targets]
        others = {name: feature for name, feature in features.items() if name != self.series}
        self.others = InputLayer(others, settings) if others else None
        self.normalization = WindowNormalization(settings.window_normalization, len(self.variables))
        self.noise = InputNoise(settings.input_noise)
        width = (1 if self.shared else len(self.variables)) + len(self.covariates)
        width += self.others.size if self.others else 0
        self.stack = build_stack(settings, width * self.patch)
        self.dropout = Dropout(settings.dropout.output)
        self.linear = nn.Linear(context, target.horizon) if settings.skip == "linear" else None
        ahead = torch.arange(target.horizon) % target.season
        self.season_before = (context - target.season + ahead).tolist() if settings.skip == "seasonal" else None
        self.mean = settings.writing.bridge == "mean"
        written = replace(target, names=target.names[:1] if self.shared else target.names)
        if settings.decoder is None:
            self.pooling = Pooling(settings.poolings, self.stack.size, settings.bidirectional)
            width = self.pooling.size
        else:
            width = self.stack.size * (1 if self.mean else len(self.stack.cell.states))
            self.writer = ValueWriter(settings, self.stack.size, width, written, target.known_ahead, self.patch)
            written, width = replace(written, horizon=self.patch), self.writer.stack.size
        self.head = build_head(settings.head or default_head(target), width, written)

    def outputs(self, batch: Batch, state: State | None, bptt_steps: int | None = None) -> tuple[Tensor, State | None]:
        window = batch.inputs[self.series]
        history, scale = self.normalization(_columns(window.values, self.variables))
        inputs, decodes = self._patched(self._inputs(batch, history)), self.writer is not None and not self.mean
        read, final = self.stack(inputs, final_state=decodes, bptt_steps=bptt_steps)
        forecast = self._forecast(batch, read, final, history, scale)
        if self.shared:
            # (batch * variables, horizon, 1, levels) to (batch, horizon, variables, levels)
            horizon, levels = forecast.shape[1], forecast.shape[3]
            forecast = forecast.view(window.batch, -1, horizon, levels).transpose(1, 2)
        if self.linear is not None:
            forecast = forecast + self.linear(history.transpose(1, 2)).transpose(1, 2).unsqueeze(3)
        if self.season_before is not None:
            forecast = forecast + history[:, self.season_before].unsqueeze(3)
        return self.normalization.undo(forecast, scale), None

    def _forecast(
        self, batch: Batch, read: Padded, final: State | None, history: Tensor, scale: Scale | None
    ) -> Tensor:
        """(rows, horizon, names, levels) on the scale of the windows; where the net is shared, a row for each variable
        of each window."""
        if self.pooling is not None:
            pooled: Tensor = self.head(self.dropout(self.pooling(read)), read)
            return pooled
        assert self.writer is not None and isinstance(self.head, ValuesHead)
        summary = read.values.mean(dim=1) if final is None else last_states(final, self.stack.directions)
        before, truth, ahead = history[:, -self.patch :], None, batch.ahead
        if self.training and batch.targets is not None:
            truth = self.normalization.ahead(batch.targets, scale)
        if self.shared:
            before = _by_variable(before)
            truth = None if truth is None else _by_variable(truth)
            ahead = None if ahead is None else ahead.repeat_interleave(len(self.variables), dim=0)
        forecast: Tensor = self.writer(self.head, read, summary, before, ahead, truth)
        return forecast

    def _inputs(self, batch: Batch, history: Tensor) -> Padded:
        """(batch, time, features), or where the net is shared (batch * variables, time, features), each variable with
        the same covariates."""
        window, history = batch.inputs[self.series], self.noise(history)
        parts = []
        if self.covariates:
            parts.append(window.with_values(self.noise(_columns(window.values, self.covariates))))
        if self.others is not None:
            parts.append(self.others(batch))
        if not self.shared:
            return side_by_side([window.with_values(history), *parts])
        by_time = history.transpose(0, 1).unsqueeze(3)
        if parts:
            covariates = side_by_side(parts).values.transpose(0, 1).unsqueeze(2)
            by_time = torch.cat([by_time, covariates.expand(-1, -1, len(self.variables), -1)], dim=3)
        lengths = window.lengths.repeat_interleave(len(self.variables))
        return Padded(by_time.flatten(1, 2).transpose(0, 1), lengths)

    def _patched(self, inputs: Padded) -> Padded:
        """(batch, time / patch, patch * features): every `patch` steps as one."""
        if self.patch == 1:
            return inputs
        by_time = inputs.values.transpose(0, 1)
        steps = by_time.reshape(inputs.time // self.patch, self.patch, inputs.batch, -1)
        patches = steps.transpose(1, 2).flatten(2)
        return Padded(patches.transpose(0, 1), inputs.lengths // self.patch)


def _by_variable(values: Tensor) -> Tensor:
    """(batch, time, variables) to (batch * variables, time, 1)."""
    return values.transpose(1, 2).flatten(0, 1).unsqueeze(2)


def _columns(values: Tensor, columns: list[int]) -> Tensor:
    """`values[..., columns]` without a copy where these are all of them, and without one of an index of each number."""
    if columns == list(range(values.shape[-1])):
        return values
    return values.index_select(-1, torch.tensor(columns, device=values.device))
