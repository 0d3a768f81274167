"""Words, characters or pieces and their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from rnncli.errors import RunError
from rnncli.inputs.features import UNKNOWN

RESERVED = ("<pad>", "<unk>")
"""Entries PADDING and UNKNOWN. The text <unk> is the entry UNKNOWN; the text <pad> is an unknown one."""


class Vocabulary:
    """Entries by id, and ids by entry.

    Attributes:
        entries: the position is the id; the first two are RESERVED.
        ids: entry -> id, without padding.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self.entries = tuple(entries)
        self.ids = {entry: position for position, entry in enumerate(self.entries) if position}

    @classmethod
    def count(cls, counts: Mapping[str, int], min_count: int = 1) -> Vocabulary:
        """All that were counted at least `min_count` times, the most frequent first, equal ones by text."""
        kept = [text for text, seen in counts.items() if seen >= min_count and text not in RESERVED]
        kept.sort(key=lambda text: (-counts[text], text))
        return cls([*RESERVED, *kept])

    @property
    def size(self) -> int:
        return len(self.entries)

    def encode(self, texts: Iterable[str]) -> np.ndarray:
        """(texts,) int64 ids; UNKNOWN for what is not among the entries."""
        return np.fromiter(map(self.ids.get, texts, repeat(UNKNOWN)), np.int64)

    def to_json(self) -> list[str]:
        return list(self.entries)

    @classmethod
    def from_json(cls, saved: Any) -> Vocabulary:
        """Raises a RunError where `saved` is not what `to_json` gives."""
        whole = isinstance(saved, list) and all(isinstance(entry, str) for entry in saved)
        if not whole or tuple(saved[:2]) != RESERVED or len(set(saved)) != len(saved):
            raise RunError("the saved vocabulary is damaged")
        return cls(saved)
