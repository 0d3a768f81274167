"""One sequence written on from a prompt, each token given as soon as it is drawn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from rnncli.decoding.sampling import draw_one
from rnncli.decoding.settings import DecodingSettings
from rnncli.decoding.steps import S, Steps, never_written
from rnncli.errors import ConfigError


def generate(
    steps: Steps[S], state: S, logits: Tensor, settings: DecodingSettings, *, stop: frozenset[int], length: int
) -> Iterator[int]:
    """At most `length` tokens; `max_length` is not read.

    Args:
        state: of one row, after the prompt.
        logits: (1, vocabulary) for the first token, as the prompt left them.
        stop: tokens that end the sequence; the one that does is not given.

    Raises:
        ConfigError: the settings are for several sequences side by side.
    """
    if settings.method == "beam" or settings.n_best > 1:
        option = "method: beam" if settings.method == "beam" else f"n_best: {settings.n_best}"
        raise ConfigError([f"decoding.{option} compares whole sequences, and this one is given token by token"])
    return _tokens(steps, state, logits, settings, stop, length)


def _tokens(
    steps: Steps[S], state: S, logits: Tensor, settings: DecodingSettings, stop: frozenset[int], length: int
) -> Iterator[int]:
    never = np.array(never_written(stop), dtype=np.int64)
    sampled, uniform = settings.method == "sample", np.random.default_rng(settings.seed).random
    last = np.zeros(1, dtype=np.int64)  # one place for every token: to make a tensor takes longer than to draw
    on_cpu, token = torch.from_numpy(last), None
    for _ in range(length):
        if token is not None:  # not at once when it is drawn: nobody may want another
            last[0] = token
            with torch.no_grad():
                logits, state = steps.logits(on_cpu.to(logits.device, copy=True), state)
        row = logits.detach().cpu().numpy()[0].astype(np.float64)
        row[never] = -np.inf
        token = draw_one(row, uniform(), settings) if sampled else int(row.argmax())
        if token in stop:
            return
        yield token
