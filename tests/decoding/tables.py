"""A small model that writes: what follows depends on its input and on the last two tokens; and its texts by brute
force."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from rnncli.decoding.steps import END

ALLOWED = (0, 2, 3, 4)
"""The entries of a vocabulary of five that may be written, the end among them."""


class Tables:
    """Random logits, (inputs, before last, last, next). The state is (input, before last) of each row."""

    def __init__(self, seed: int, inputs: int, scale: float = 1.5) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = scale * torch.randn(inputs, 5, 5, 5, generator=generator)
        self.rows: list[int] = []

    @property
    def inputs(self) -> int:
        return len(self.table)

    def start(self, inputs: list[int] | None = None) -> tuple[Tensor, Tensor]:
        """The state before anything is written, and the token before the first."""
        chosen = torch.tensor(range(self.inputs) if inputs is None else inputs)
        return torch.stack([chosen, torch.zeros_like(chosen)], 1), torch.full_like(chosen, END)

    def logits(self, tokens: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        self.rows.append(len(tokens))
        return self.table[state[:, 0], state[:, 1], tokens], torch.stack([state[:, 0], tokens], 1)

    def chosen(self, state: Tensor, rows: Tensor) -> Tensor:
        return state[rows]

    def probabilities(self, number: int, written: tuple[int, ...]) -> Tensor:
        """Of what follows a beginning, by the definition alone."""
        before, last = (END, END, *written)[-2:]
        exponentials = self.table[number, before, last].double().exp()
        return exponentials / exponentials.sum()

    def score(self, number: int, text: tuple[int, ...], longest: int) -> float:
        """Log probability of a text, its end included unless it has all the tokens that it may have."""
        steps = text if len(text) == longest else (*text, END)
        each = [self.probabilities(number, text[:at])[token].log() for at, token in enumerate(steps)]
        return float(sum(each))

    def texts(self, longest: int) -> list[tuple[int, ...]]:
        """All that can be written."""
        return [text for length in range(longest + 1) for text in product(ALLOWED[1:], repeat=length)]
