"""Tagged sentences in memory, as positions in tables of distinct tokens and tags."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


class Table:
    """Distinct texts in the order they were met.

    Attributes:
        positions: text -> its number.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.positions = {text: position for position, text in enumerate(texts)}

    def place(self, text: str) -> int:
        """The number of a text, a new one where it was not met before."""
        return self.positions.setdefault(text, len(self.positions))

    @property
    def texts(self) -> list[str]:
        return list(self.positions)


@dataclass(frozen=True)
class Part:
    """Sentences end to end.

    Attributes:
        tokens: (tokens,) int64 positions in a table of tokens.
        tags: (tokens,) int64 positions in a table of tags; empty where the source has none.
        offsets: (sentences + 1,) int64: sentence k is `tokens[offsets[k]:offsets[k + 1]]`.
    """

    tokens: np.ndarray
    tags: np.ndarray
    offsets: np.ndarray

    def keys(self) -> list[bytes]:
        """The tokens of each sentence as something that can be compared."""
        ends = self.offsets.tolist()
        return [self.tokens[start:end].tobytes() for start, end in pairwise(ends)]

    def chosen(self, sentences: np.ndarray) -> Part:
        """These sentences only; tags must be there."""
        lengths = np.diff(self.offsets)[sentences]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        # Position of each token: its place in its sentence, counted from where the sentence began.
        index = np.arange(offsets[-1]) + np.repeat(self.offsets[sentences] - offsets[:-1], lengths)
        return Part(self.tokens[index], self.tags[index], offsets)

    def joined(self, other: Part) -> Part:
        return Part(
            np.concatenate([self.tokens, other.tokens]),
            np.concatenate([self.tags, other.tags]),
            np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]]),
        )


class Gathering:
    """A part while it is read."""

    def __init__(self, tokens: Table, tags: Table) -> None:
        self._token_table, self._tag_table = tokens, tags
        self._tokens, self._tags, self._offsets = array("q"), array("q"), array("q", [0])

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def add(self, tokens: Iterable[str], tags: Iterable[str] = ()) -> None:
        """One sentence; either all have tags or none."""
        self._tokens.extend(map(self._token_table.place, tokens))
        self._tags.extend(map(self._tag_table.place, tags))
        self._offsets.append(len(self._tokens))

    def part(self) -> Part:
        tokens, tags, offsets = (np.array(numbers, np.int64) for numbers in (self._tokens, self._tags, self._offsets))
        return Part(tokens, tags, offsets)
