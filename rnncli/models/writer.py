"""The recurrent layers that write a sequence, token by token."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from rnncli.decoding.steps import END
from rnncli.heads.build import build_head
from rnncli.heads.head import step_positions, valid_steps
from rnncli.heads.settings import ClassesSettings
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.layers.bridge import Bridge
from rnncli.layers.dropout import Dropout, InputDropout
from rnncli.layers.embedding import Embedding
from rnncli.layers.looking import Looking
from rnncli.layers.recurrent import Stack
from rnncli.models.settings import ModelSettings
from rnncli.models.taught import PREVIOUS
from rnncli.models.writing import Writing
from rnncli.sequences import Padded

SMALLEST = 1e-9
"""Added to probabilities of which a logarithm is taken, where copies are mixed in."""


class Writer(nn.Module):
    """Embeds the token before, goes a step on, looks at what was read, and says what comes next.

    Args:
        size: features of what was read, at each position.
        summary_size: features of the vector for all of it.
        shared: the embedding of the tokens that are read, where the same is to be used.
    """

    def __init__(
        self, settings: ModelSettings, size: int, summary_size: int, target: Target, shared: nn.Parameter | None
    ) -> None:
        super().__init__()
        options = self.options = settings.writing
        cell = options.cell or settings.cell
        self.embedding: Embedding | None = None
        # In a tuple the shared parameter stays the reader's alone: saved once, moved to a device once.
        self.shared: tuple[nn.Parameter, ...] = () if shared is None else (shared,)
        if shared is None:
            width = options.embedding_size or settings.embedding_size
            deviation = width**-0.5 if settings.tied_embeddings else 1.0
            self.embedding = Embedding(len(target.names), width, deviation=deviation, padded=False)
        vectors = self._vectors()
        self.dropped = InputDropout(settings.dropout)
        self.stack = Stack(
            cell,
            vectors.shape[1] + (cell.hidden_size if options.input_feeding else 0),
            layers=options.layers or settings.layers,
            connections=settings.connections,
            learned_initial_state=settings.learned_initial_state and options.bridge == "none",
            dropout=settings.dropout,
            engine=settings.engine,
        )
        self.bridge = None if options.bridge == "none" else Bridge(summary_size, self.stack)
        self.looking = Looking(options, self.stack.size, size)
        self.dropout = Dropout(settings.dropout.output)
        steps = replace(target, kind="token", per_step=True)
        head = settings.head or ClassesSettings(type="classes")
        self.head = build_head(head, self.stack.size, steps, vectors if settings.tied_embeddings else None)
        self.copying = nn.Linear(self.stack.size, 1) if options.copy_words else None

    def _vectors(self) -> nn.Parameter:
        """(entries, width): a vector for each token."""
        return self.shared[0] if self.embedding is None else self.embedding.weight

    def begin(self, read: Padded, summary: Tensor, tokens: Tensor | None) -> Writing:
        """The state before the first token.

        Args:
            read: (batch, positions, size).
            summary: (batch, summary_size).
            tokens: (batch, positions) those that were read.
        """
        memory = self.looking.memory(read)
        found = summary.new_zeros(read.batch, self.stack.size)
        coverage = found.new_zeros(read.batch, read.time) if self.options.coverage else None
        layers = None if self.bridge is None else self.bridge(summary)
        rows = torch.arange(read.batch, device=summary.device)
        return Writing(memory, tokens, layers, found, coverage, rows)

    def taught(self, begun: Writing, lesson: Batch, share: float, bptt_steps: int | None) -> tuple[Tensor, Tensor]:
        """Logits (items, entries) of each token that is asked for, and the mean loss of looking twice.

        Args:
            lesson: as `taught` makes it.
            share: of the tokens read that are the decoder's own guesses.
        """
        previous = lesson.inputs[PREVIOUS]
        if self.options.input_feeding:
            return self._step_by_step(begun, previous, share, bptt_steps)
        if share:
            # Guesses from the right tokens before them, all at once (Mihaylova & Martins 2019, arXiv 1906.07651).
            with torch.no_grad():
                logits, _ = self._at_once(begun, previous, bptt_steps)
            previous = _mixed(previous, logits.argmax(1), share)
        return self._at_once(begun, previous, bptt_steps)

    def _at_once(self, begun: Writing, previous: Padded, bptt_steps: int | None) -> tuple[Tensor, Tensor]:
        outputs, _ = self.stack(self.dropped(self._embedded(previous)), begun.layers, bptt_steps=bptt_steps)
        found, weights = self.looking(outputs.values, begun.memory)
        return self._logits(found, weights, begun, previous), found.new_zeros(())

    def _step_by_step(
        self, begun: Writing, previous: Padded, share: float, bptt_steps: int | None
    ) -> tuple[Tensor, Tensor]:
        by_time, state = previous.values.t(), begun
        vectors = None if share else self.dropped(self._embedded(previous)).values
        all_found: list[Tensor] = []
        all_weights: list[Tensor] = []
        twice: list[Tensor] = []
        weights: Tensor | None = None
        for step in range(previous.time):
            if vectors is not None:
                vector = vectors[:, step]
            else:
                tokens = by_time[step]
                if step:
                    own = torch.rand(tokens.shape, device=tokens.device) < share
                    tokens = torch.where(own, self._guessed(state, weights), tokens)
                vector = self.dropped(self._embedded(_one_step(tokens))).values.squeeze(1)
            if bptt_steps and step and step % bptt_steps == 0:
                state = state.without_history()
            before = state.coverage
            state, weights = self._step(vector, state)
            all_found.append(state.found)
            if weights is not None:
                all_weights.append(weights)
                if before is not None:
                    twice.append(torch.minimum(weights, before).sum(1))
        found = torch.stack(all_found).transpose(0, 1)
        looked = torch.stack(all_weights).transpose(0, 1) if all_weights else None
        repeated = found.new_zeros(())
        if twice:
            repeated = valid_steps(torch.stack(twice).transpose(0, 1), previous).mean()
        return self._logits(found, looked, begun, previous), repeated

    @torch.no_grad()
    def _guessed(self, state: Writing, weights: Tensor | None) -> Tensor:
        """(rows,) the likeliest token after the step that ended in this state and looked where the weights say."""
        return self._with_copies(self.head.score(state.found), state.found, weights, state.read).argmax(1)

    def _step(self, vector: Tensor, state: Writing) -> tuple[Writing, Tensor | None]:
        """(rows, width) one step on, and the weights (rows, positions) of the attention."""
        if self.options.input_feeding:
            vector = torch.cat([vector, state.found], dim=1)
        step = self.stack.step if state.stepper is None else state.stepper.step
        output, layers = step(vector, state.layers)
        found, weights = self.looking(output.unsqueeze(1), state.memory, state.coverage)
        weights = None if weights is None else weights.squeeze(1)
        coverage = state.coverage
        if coverage is not None and weights is not None:
            coverage = coverage + weights
        return replace(state, layers=layers, found=found.squeeze(1), coverage=coverage), weights

    def logits(self, tokens: Tensor, state: Writing) -> tuple[Tensor, Writing]:
        """What comes after (rows,) tokens, as `rnncli.decoding.steps.Steps` asks for it."""
        state, weights = self._step(embedding(tokens, self._vectors()), state)
        logits = self.head.score(state.found)
        return self._with_copies(logits, state.found, weights, state.read), state

    def chosen(self, state: Writing, rows: Tensor) -> Writing:
        """The state of those rows, as `Steps` asks for it."""
        return state.chosen(rows)

    def looked(self, begun: Writing, lesson: Batch) -> Tensor | None:
        """(batch, time, positions) the weights of the attention while those tokens are written; None without it."""
        previous = lesson.inputs[PREVIOUS]
        vectors, state, all_weights = self._embedded(previous).values, begun, []
        for step in range(previous.time):
            state, weights = self._step(vectors[:, step], state)
            if weights is not None:
                all_weights.append(weights)
        return torch.stack(all_weights, dim=1) if all_weights else None

    def _embedded(self, ids: Padded) -> Padded:
        return ids.with_values(embedding(ids.values.t(), self._vectors()).transpose(0, 1))

    def _logits(self, found: Tensor, weights: Tensor | None, state: Writing, sequences: Padded) -> Tensor:
        """(items, entries) of the valid steps of what was found, (batch, time, hidden)."""
        dropped = self.dropout(found)
        logits: Tensor = self.head(dropped, sequences)
        if self.copying is None or weights is None or state.read is None:
            return logits
        read = valid_steps(state.read.unsqueeze(1).expand_as(weights), sequences)
        return self._with_copies(logits, valid_steps(dropped, sequences), valid_steps(weights, sequences), read)

    def _with_copies(self, logits: Tensor, found: Tensor, weights: Tensor | None, read: Tensor | None) -> Tensor:
        """(items, entries) log probabilities: of a share that the net chooses they are those of the tokens that are
        looked at (See et al. 2017, arXiv 1704.04368v2, eq. 8 and 9)."""
        if self.copying is None or weights is None or read is None:
            return logits
        share = self.copying(found).sigmoid()
        mixed = ((1 - share) * logits.softmax(1)).scatter_add(1, read, share * weights)
        logarithms: Tensor = (mixed + SMALLEST).log()
        return logarithms


def _one_step(tokens: Tensor) -> Padded:
    """(rows, 1) of (rows,)."""
    return Padded(tokens.unsqueeze(1), torch.ones(len(tokens), dtype=torch.int64))


def _mixed(previous: Padded, guesses: Tensor, share: float) -> Padded:
    """The tokens to read, of which a share are guesses.

    Args:
        guesses: (items,) of the valid steps: each of the token that stands at the step behind it.
    """
    positions = step_positions(previous)
    by_time = previous.values.t()
    made = torch.full_like(by_time, END).flatten().index_copy(0, positions, guesses).view_as(by_time)
    behind = torch.cat([by_time[:1], made[:-1]])
    own = torch.rand(by_time.shape, device=made.device) < share
    return previous.with_values(torch.where(own, behind, by_time).t())
