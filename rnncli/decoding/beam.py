"""Beam search: several sequences of each input written side by side, the least likely left behind."""

from __future__ import annotations

import torch
from torch import Tensor

from rnncli.decoding.settings import DecodingSettings
from rnncli.decoding.steps import Answer, S, Steps, never_written


class Prefixes:
    """All that a beam has written, as a tree: each prefix a token after another prefix; -1 is the empty one."""

    def __init__(self) -> None:
        self.count = 0
        self._before: list[Tensor] = []
        self._tokens: list[Tensor] = []

    def extend(self, before: Tensor, tokens: Tensor) -> Tensor:
        """(prefixes,) int64 the numbers of new ones."""
        self._before.append(before)
        self._tokens.append(tokens)
        self.count += len(tokens)
        return torch.arange(self.count - len(tokens), self.count, device=tokens.device)

    def read(self, numbers: list[int]) -> list[list[int]]:
        """The tokens of each of the prefixes with those numbers."""
        before = [number for some in self._before for number in some.tolist()]
        tokens = [token for some in self._tokens for token in some.tolist()]
        texts = []
        for number in numbers:
            text = []
            while number >= 0:
                text.append(tokens[number])
                number = before[number]
            texts.append(text[::-1])
        return texts


class Finished:
    """The best sequences of each input that have ended, in order."""

    def __init__(self, inputs: int, kept: int, device: torch.device) -> None:
        self.values = torch.full((inputs, kept), -torch.inf, device=device)
        self.scores = torch.full((inputs, kept), -torch.inf, device=device)
        self.prefixes = torch.full((inputs, kept), -1, device=device)
        self.count = torch.zeros(inputs, dtype=torch.int64, device=device)

    def add(self, ended: Tensor, scores: Tensor, prefixes: Tensor, penalty: float) -> None:
        """Take those of the (inputs, candidates) that have ended: log probabilities and numbers of prefixes."""
        values = torch.cat([self.values, torch.where(ended, scores / penalty, -torch.inf)], 1)
        self.values, best = values.topk(self.values.shape[1])
        self.scores = torch.cat([self.scores, scores], 1).gather(1, best)
        self.prefixes = torch.cat([self.prefixes, prefixes], 1).gather(1, best)
        self.count += ended.sum(1)

    def answers(self, prefixes: Prefixes) -> list[list[Answer]]:
        """The answers for each input, the best first."""
        answers: list[list[Answer]] = [[] for _ in self.values]
        rows, places = (self.values > -torch.inf).nonzero(as_tuple=True)
        texts = prefixes.read(self.prefixes[rows, places].tolist())
        for row, text, score in zip(rows.tolist(), texts, self.scores[rows, places].tolist(), strict=True):
            answers[row].append(Answer(text, score))
        return answers


def beam_search(
    steps: Steps[S], state: S, first: Tensor, settings: DecodingSettings, end: int | None
) -> list[list[Answer]]:
    """The answers for each input, the best first by log probability over the length penalty.

    Of all that may follow, a sequence that ends counts where it is among the `beam_size` likeliest, and the
    `beam_size` likeliest of the others go on. An input is done when `beam_size` have ended, so that a beam of one is
    greedy, or when none of those that go on can still be among the answers, its length penalty being at most that of
    `max_length`; such a one is left behind at once.

    Args:
        first: (inputs,) int64, the token before the first.
        end: the token that ends a sequence, or None.
    """
    inputs, beam, device = len(first), settings.beam_size, first.device
    never = torch.tensor(never_written([end]), device=device)
    prefixes, finished = Prefixes(), Finished(inputs, settings.n_best, device)
    tokens, scores = first, torch.zeros(inputs, device=device)
    owners, places = torch.arange(inputs, device=device), torch.zeros(inputs, dtype=torch.int64, device=device)
    numbers = torch.full((inputs,), -1, device=device)
    most = _penalty(settings.max_length, settings)
    for length in range(1, settings.max_length + 1):
        logits, state = steps.logits(tokens, state)
        logits = logits.float()
        # no more of one row than the beam and the end can be among the best
        best, entries = logits.index_fill(1, never, -torch.inf).topk(min(beam + 1, logits.shape[1]))
        best = best + (scores - logits.logsumexp(1)).unsqueeze(1)
        table = torch.full((inputs, beam, best.shape[1]), -torch.inf, device=device)
        table[owners, places] = best
        scores, chosen = table.flatten(1).topk(min(2 * beam, beam * best.shape[1]))  # (inputs, candidates)

        row_at = torch.zeros(inputs, beam, dtype=torch.int64, device=device)
        row_at[owners, places] = torch.arange(len(owners), device=device)
        rows = row_at.gather(1, chosen // best.shape[1])
        tokens = entries[rows, chosen % best.shape[1]]
        real = scores > -torch.inf
        ends = tokens == end if end is not None else torch.zeros_like(real)
        ended = real & (ends | (length == settings.max_length))
        ended[:, beam:] = False
        on = real & ~ends
        on &= on.cumsum(1) <= beam
        after = numbers[rows]
        after[on] = prefixes.extend(after[on], tokens[on])
        finished.add(ended, scores, after, _penalty(length, settings))

        on &= (scores / most > finished.values[:, -1:]) & (finished.count < beam).unsqueeze(1)
        owners, places = on.nonzero(as_tuple=True)
        if not len(owners):
            break
        rows, tokens, scores, numbers = rows[on], tokens[on], scores[on], after[on]
        places = (on.cumsum(1) - 1)[on]
        if length < settings.max_length:
            state = steps.chosen(state, rows)
    return finished.answers(prefixes)


def _penalty(length: int, settings: DecodingSettings) -> float:
    """What the log probability of so many tokens is divided by."""
    return float(((5 + length) / 6) ** settings.length_penalty)
