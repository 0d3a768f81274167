"""Sequences written for a batch of inputs: the likeliest token each time, or one drawn; or by a beam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rnncli.decoding.beam import beam_search
from rnncli.decoding.sampling import draw
from rnncli.decoding.settings import DecodingSettings
from rnncli.decoding.steps import END, Answer, S, Steps, never_written


@torch.no_grad()
def decode(
    steps: Steps[S],
    state: S,
    first: Tensor,
    settings: DecodingSettings,
    *,
    end: int | None = END,
    rows: Sequence[int] | np.ndarray | None = None,
) -> list[list[Answer]]:
    """The answers for each input, the best first: as many as `settings.n_best`, or all that a beam has found.

    Entries that stand for no text are never written. Rows that have ended are taken out of the batch. No answer
    depends on the inputs beside its own.

    Args:
        state: of one row an input.
        first: (inputs,) int64, the token before the first.
        end: the token that ends a sequence; None where all go on to `settings.max_length`.
        rows: (inputs,) the number of each input, from which and from `settings.seed` its draws follow, whatever batch
            it is in; counted from 0 where None.
    """
    if not len(first):
        return []
    if settings.method == "beam":
        return beam_search(steps, state, first, settings, end)
    uniform = None
    if settings.method == "sample":
        shape = settings.n_best, settings.max_length
        drawn = [
            np.random.default_rng([settings.seed, int(row)]).random(shape, dtype=np.float32)
            for row in (range(len(first)) if rows is None else rows)
        ]
        uniform = torch.from_numpy(np.concatenate(drawn)).to(first.device)
    if settings.n_best > 1:
        inputs = torch.arange(len(first), device=first.device).repeat_interleave(settings.n_best)
        first, state = first[inputs], steps.chosen(state, inputs)
    found = _one_by_one(steps, state, first, settings, end, uniform)
    groups = [found[at : at + settings.n_best] for at in range(0, len(found), settings.n_best)]
    return [sorted(group, key=lambda answer: -answer.score) for group in groups]


def _one_by_one(
    steps: Steps[S], state: S, tokens: Tensor, settings: DecodingSettings, end: int | None, uniform: Tensor | None
) -> list[Answer]:
    """One answer a row.

    Args:
        uniform: (rows, max_length) for the draws; None takes the likeliest token.
    """
    never = torch.tensor(never_written([end]), device=tokens.device)
    scores = torch.zeros(len(tokens), device=tokens.device)
    rows = torch.arange(len(tokens), device=tokens.device)
    written: list[tuple[Tensor, Tensor]] = []
    for step in range(settings.max_length):
        logits, state = steps.logits(tokens, state)
        logits = logits.float()
        allowed = logits.index_fill(1, never, -torch.inf)
        tokens = allowed.argmax(1) if uniform is None else draw(allowed, uniform[rows, step], settings)
        scores[rows] += logits.gather(1, tokens.unsqueeze(1)).squeeze(1) - logits.logsumexp(1)
        on = tokens != end if end is not None else torch.ones_like(tokens, dtype=torch.bool)
        if not on.all():
            left = on.nonzero().squeeze(1)
            rows, tokens = rows[left], tokens[left]
            if not len(rows):
                break
            state = steps.chosen(state, left)
        written.append((rows, tokens))
    answers = [Answer([], score) for score in scores.tolist()]
    for some_rows, some_tokens in written:
        for row, token in zip(some_rows.tolist(), some_tokens.tolist(), strict=True):
            answers[row].tokens.append(token)
    return answers
