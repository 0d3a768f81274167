"""A sequence from a longer one, without a decoder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import shorten

import numpy as np
import torch
from torch import Tensor

from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.errors import ConfigError
from rnncli.heads.ctc import CTC, steps_needed
from rnncli.heads.settings import CTCSettings
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Batch, Dataset, plan_by_length
from rnncli.inputs.features import Feature
from rnncli.inputs.targets import Target
from rnncli.layers.dropout import Dropout
from rnncli.metrics.outcome import Outcome
from rnncli.models.inputs import InputLayer
from rnncli.models.model import Model, State, build_stack
from rnncli.models.settings import ModelSettings
from rnncli.sequences import Padded

_LOOKED_AT = 4096
"""Targets that are padded to one tensor when their lengths are looked at."""

_SHOWN, _LETTERS = 10, 40
"""Rows that a note names, and letters of the target of each."""


class Transcriber(Model):
    """Recurrent layers read the inputs, each step once or several times over, and CTC says a token or nothing at each
    of their steps."""

    head: CTC

    def __init__(
        self, settings: ModelSettings, head: CTCSettings, features: Mapping[str, Feature], target: Target
    ) -> None:
        super().__init__()
        self.upsample = settings.upsample
        self.inputs = InputLayer(features, settings)
        self.stack = build_stack(settings, self.inputs.size)
        self.dropout = Dropout(settings.dropout.output)
        self.head = CTC(head, self.stack.size, target)

    def outputs(self, batch: Batch, state: State | None, bptt_steps: int | None = None) -> tuple[Tensor, State | None]:
        read, _ = self.stack(upsampled(self.inputs(batch), self.upsample), bptt_steps=bptt_steps)
        outputs: Tensor = self.head(self.dropout(read.values), read)
        return outputs, None

    @torch.no_grad()
    def outcome(
        self, batch: Batch, state: State | None = None, decoding: DecodingSettings = GREEDY
    ) -> tuple[Outcome, State | None]:
        outputs, _ = self.outputs(batch, state)
        return self.head.outcome(outputs, batch, decoding), None


def upsampled(inputs: Padded, times: int) -> Padded:
    """(batch, time * times, features) in time-major memory: every step `times` times in a row."""
    if times == 1:
        return inputs
    by_time = inputs.values.transpose(0, 1).unsqueeze(1).expand(-1, times, -1, -1)
    return Padded(by_time.flatten(0, 1).transpose(0, 1), inputs.lengths * times)


def missing(data: Answered, upsample: int) -> np.ndarray:
    """(examples,) for each target the least `upsample` with which it would fit where it does not now, else 0."""
    if data.answers is None:
        return np.zeros(len(data), dtype=np.int64)
    needed = np.empty(len(data), dtype=np.int64)
    for rows in plan_by_length(data.answers.lengths, _LOOKED_AT, None):
        needed[rows] = steps_needed(data.answers.padded(rows)).numpy()
    least: np.ndarray = -(-needed // data.lengths)
    return np.where(least > upsample, least, 0)


def fitting_notes(model: Model, parts: Iterable[tuple[str, Dataset]]) -> list[str]:
    """A sentence for each part with targets that CTC has too few steps for; rows are counted from 1.

    Args:
        parts: their names and what is in them.

    Raises:
        ConfigError: none of the targets fits that are learnt from, or that the epochs are compared by.
    """
    notes, mistakes = [], []
    for part, data in parts:
        if not (isinstance(model, Transcriber) and isinstance(data, Answered)):
            continue
        least = missing(data, model.upsample)
        rows = np.flatnonzero(least)
        if len(rows) == len(data) and part in ("train", "valid"):
            mistakes.append(
                f"model.head.type: ctc needs a step for each token and one between two that are alike, and no input of "
                f"{part} has enough; {_remedy(least[rows])}"
            )
        elif len(rows):
            shown = [f"row {row + 1}{_quoted(data, row)}" for row in rows[:_SHOWN]] + ["..."] * (len(rows) > _SHOWN)
            notes.append(
                f"{len(rows)} of {len(data)} targets of {part} are longer than their inputs can hold under CTC: "
                f"{'they teach nothing' if part == 'train' else 'nll leaves them out'}; {_remedy(least[rows])} "
                f"({', '.join(shown)})"
            )
    if mistakes:
        raise ConfigError(mistakes)
    return notes


def _quoted(data: Answered, row: int) -> str:
    """The target of a row, so that it is found also where parts were drawn."""
    return "" if data.references is None else f" {shorten(data.references[row][0], _LETTERS, placeholder='...')!r}"


def _remedy(least: np.ndarray) -> str:
    """What would let targets fit that each need at least such an `upsample`."""
    first, last = least.min(), least.max()
    if first == last:
        return f"model.upsample: {last} would let them fit"
    return f"model.upsample: {first} would let {(least == first).sum()} of them fit, {last} all"
