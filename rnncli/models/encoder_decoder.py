"""A sequence from what was read, token by token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnncli.decoding.decode import decode
from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.decoding.steps import END, Answer
from rnncli.heads.written import written
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Batch, Dataset
from rnncli.inputs.features import Feature
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.models.guesses import Guesses
from rnncli.models.model import Model, State
from rnncli.models.reader import Reader
from rnncli.models.settings import ModelSettings
from rnncli.models.taught import taught, taught_tokens
from rnncli.models.writer import Writer
from rnncli.models.writing import Writing

READ = "tokens"
"""The feature whose tokens can be copied."""


class EncoderDecoder(Model):
    """An encoder reads, a decoder writes (Sutskever et al. 2014; with attention Bahdanau et al. 2015, Luong et al.
    2015).

    While training the decoder reads the tokens that it should have written (teacher forcing): without input feeding
    that is one call of the engine over the whole target.
    """

    def __init__(self, settings: ModelSettings, features: Mapping[str, Feature], target: Target) -> None:
        super().__init__()
        self.options, self.target = settings.writing, target
        self.reader = Reader(settings, features, target.from_one)
        shared = None
        if self.options.shared_embeddings and self.reader.inputs is not None:
            shared = self.reader.inputs.tied()
        self.writer = Writer(settings, self.reader.size, self.reader.summary_size, target, shared)
        self.guesses = Guesses(self.options.scheduled_sampling, self.options.scheduled_sampling_steps)

    def begin(self, batch: Batch, bptt_steps: int | None = None) -> Writing:
        """The decoder before its first token."""
        read, summary = self.reader(batch, bptt_steps)
        tokens = batch.inputs[READ].values if self.options.copy_words else None
        return self.writer.begin(read, summary, tokens)

    def outputs(self, batch: Batch, state: State | None, bptt_steps: int | None = None) -> tuple[Tensor, State | None]:
        """Logits (items, entries) of each token of the targets, their ends included."""
        logits, _ = self.writer.taught(self.begin(batch, bptt_steps), _lesson(batch), 0.0, bptt_steps)
        return logits, None

    def loss(
        self, batch: Batch, state: State | None = None, bptt_steps: int | None = None
    ) -> tuple[Tensor, int, State | None]:
        lesson, share = _lesson(batch), self.guesses.share()
        logits, twice = self.writer.taught(self.begin(batch, bptt_steps), lesson, share, bptt_steps)
        loss, items = self.writer.head.loss(logits, lesson)
        return (loss + self.options.coverage * twice if self.options.coverage else loss), items, None

    @torch.no_grad()
    def outcome(
        self, batch: Batch, state: State | None = None, decoding: DecodingSettings = GREEDY
    ) -> tuple[Outcome, State | None]:
        begun, nll = self.begin(batch), None
        answers = self._decoded(begun, batch.rows, decoding)
        if batch.targets is not None:
            lesson = _lesson(batch)
            logits, _ = self.writer.taught(begun, lesson, 0.0, None)
            targets = self.writer.head.known_targets(lesson)
            nll = cross_entropy(logits.float(), targets, reduction="none").cpu().numpy()
        return written(answers, batch, self.target, decoding, nll), None

    @torch.no_grad()
    def decoded(self, batch: Batch, decoding: DecodingSettings) -> list[list[Answer]]:
        """The answers to each input, the best first."""
        return self._decoded(self.begin(batch), batch.rows, decoding)

    def _decoded(self, begun: Writing, rows: np.ndarray, decoding: DecodingSettings) -> list[list[Answer]]:
        first = torch.full((len(begun.inputs),), END, device=begun.inputs.device)
        return decode(self.writer, replace(begun, stepper=self.writer.stack.stepper()), first, decoding, rows=rows)

    @torch.no_grad()
    def attention(self, batch: Batch, answers: Sequence[Sequence[int]]) -> list[np.ndarray] | None:
        """(tokens + 1, positions) of each input: where the decoder looks for each token of its answer and for the end;
        None without attention."""
        lesson = taught_tokens(answers, batch.sequences.values.device)
        begun = replace(self.begin(batch), stepper=self.writer.stack.stepper())
        weights = self.writer.looked(begun, lesson)
        if weights is None:
            return None
        positions = weights.shape[2] if self.reader.stack is None else batch.sequences.lengths.tolist()
        lengths = positions if isinstance(positions, list) else [positions] * len(answers)
        return [weights[row, : len(answer) + 1, : lengths[row]].cpu().numpy() for row, answer in enumerate(answers)]

    @property
    def engine(self) -> str:
        return self.writer.stack.choice.name

    @property
    def engine_reason(self) -> str:
        return self.writer.stack.choice.reason


def cut_notes(model: Model, decoding: DecodingSettings, parts: Iterable[tuple[str, Dataset]]) -> list[str]:
    """A sentence for each part that is written and has targets which the longest answer can't reach.

    Args:
        parts: their names and what is in them.
    """
    notes = []
    for part, data in parts:
        if part == "train" or not (isinstance(model, EncoderDecoder) and isinstance(data, Answered) and data.answers):
            continue
        longer = int((data.answers.lengths > decoding.max_length).sum())
        if longer:
            notes.append(
                f"{longer} of {len(data)} targets of {part} have more tokens than decoding.max_length "
                f"({decoding.max_length}), after which an answer ends; the longest has {data.answers.lengths.max()}"
            )
    return notes


def _lesson(batch: Batch) -> Batch:
    """What is read and asked for, of the targets of a batch.

    Raises:
        ValueError: there are none.
    """
    if batch.targets is None or batch.target_lengths is None:
        raise ValueError("a loss needs a batch with targets")
    return taught(batch.targets, batch.target_lengths)
