"""What decoding drives and what it gives."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Protocol, TypeVar

from torch import Tensor

from rnncli.inputs.features import PADDING, UNKNOWN

END = PADDING
"""The token that begins every sequence that a decoder writes, and ends it; no target has it."""

S = TypeVar("S")


class Steps(Protocol[S]):
    """A model that says what comes next, one token at a time, for several sequences side by side.

    Its state S holds whatever it needs of the past of each of them, so that no token costs more than the one before.
    """

    def logits(self, tokens: Tensor, state: S) -> tuple[Tensor, S]:
        """(rows, vocabulary) unnormalised log probabilities of the tokens that follow, and the state that goes with
        them.

        Args:
            tokens: (rows,) int64, the last token of each sequence.
        """

    def chosen(self, state: S, rows: Tensor) -> S:
        """The state of those rows, in their order; a row may be taken several times."""


@dataclass(frozen=True)
class Answer:
    """One decoded sequence.

    Attributes:
        tokens: without the end.
        score: its log probability in nats, the end included where it was reached; not divided by any penalty.
    """

    tokens: list[int]
    score: float


def never_written(ends: Container[int | None]) -> list[int]:
    """The entries of a vocabulary that stand for no text and so are never written, but for those that end one."""
    return [entry for entry in (PADDING, UNKNOWN) if entry not in ends]
