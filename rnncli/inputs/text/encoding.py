"""Texts to ids."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from rnncli.inputs.features import UNKNOWN
from rnncli.inputs.tables import BLOCK
from rnncli.inputs.text.pieces import Pieces
from rnncli.inputs.text.settings import TextSettings
from rnncli.inputs.vocabulary import Vocabulary


class Encoded(NamedTuple):
    """Texts as ids, end to end.

    Attributes:
        ids: (units of all texts,) int64.
        lengths: (texts,) int64.
        cut: texts that were longer than `max_length`.
    """

    ids: np.ndarray
    lengths: np.ndarray
    cut: int

    @property
    def offsets(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.lengths)])


class Tally:
    """How much of some texts the model does not see."""

    def __init__(self, encoded: Encoded | None = None) -> None:
        self.texts = self.cut = self.units = self.unknown = 0
        if encoded is not None:
            self.add(encoded)

    def add(self, encoded: Encoded) -> None:
        self.texts += len(encoded.lengths)
        self.cut += encoded.cut
        self.units += len(encoded.ids)
        self.unknown += int(np.count_nonzero(encoded.ids == UNKNOWN))


def describe(tallies: Mapping[str, Tally], settings: TextSettings) -> list[str]:
    """Sentences about the parts by their names (a part alone needs none)."""
    noun = {"word": "words", "character": "characters", "sentencepiece": "pieces"}[settings.units]
    shares = (f"{part} {tally.unknown / max(tally.units, 1):.1%}".strip() for part, tally in tallies.items())
    told = [f"unknown {noun}: {', '.join(shares).replace('%', ' %')}"]
    if settings.max_length is not None:
        cut = (f"{part} {tally.cut} of {tally.texts}".strip() for part, tally in tallies.items())
        told.append(f"texts cut at max_length {settings.max_length}: {', '.join(cut)}")
    return told


class Encoder:
    """How a text is cut into units, and the vocabulary of the training part.

    In a language model every text ends with the unit `end`: "<eos>", or among characters the line feed.
    """

    def __init__(self, settings: TextSettings, vocabulary: Vocabulary, pieces: Pieces | None) -> None:
        self.vocabulary, self.pieces = vocabulary, pieces
        self.max_length = settings.max_length
        self._lowercase = settings.lowercase
        self._end = _end(settings)
        self._split: Callable[[str], list[str]] = pieces or (str.split if settings.units == "word" else list)

    @classmethod
    def fit(cls, settings: TextSettings, texts: Sequence[str]) -> Encoder:
        """Trains the pieces and counts the vocabulary."""
        pieces = None
        if settings.units == "sentencepiece":
            pieces = Pieces.train(
                (text.lower() if settings.lowercase else text for text in texts), settings.sentencepiece_size
            )
        counts: Counter[str] = Counter()
        counting = cls(settings, Vocabulary([]), pieces)
        for text in texts:
            counts.update(counting.units(text)[: settings.max_length])
        return cls(settings, Vocabulary.count(counts, settings.min_count), pieces)

    @property
    def end(self) -> int:
        """The id of the unit that ends a text of a language model."""
        return self.vocabulary.ids.get("".join(self._end), UNKNOWN)

    def units(self, text: str) -> list[str]:
        """All units of a text, its end included."""
        return self._split(text.lower() if self._lowercase else text) + self._end

    def encode(self, texts: Iterable[str]) -> Encoded:
        """The ids of texts, each cut at `max_length`."""
        texts = list(texts)
        ids, cut = [np.zeros(0, np.int64)], 0
        lengths: list[int] = []
        for start in range(0, len(texts), BLOCK):
            block = [self.units(text) for text in texts[start : start + BLOCK]]
            if self.max_length is not None:
                cut += sum(len(units) > self.max_length for units in block)
                block = [units[: self.max_length] for units in block]
            lengths += map(len, block)
            ids.append(self.vocabulary.encode(chain.from_iterable(block)))
        return Encoded(np.concatenate(ids), np.array(lengths, np.int64), cut)

    def to_json(self) -> dict[str, Any]:
        model = None if self.pieces is None else base64.b64encode(self.pieces.model).decode("ascii")
        return {"vocabulary": self.vocabulary.to_json(), "sentencepiece": model}

    @classmethod
    def from_json(cls, settings: TextSettings, saved: Mapping[str, Any]) -> Encoder:
        """Raises KeyError, TypeError, ValueError or RunError where `saved` is not what `to_json` gives."""
        model = saved["sentencepiece"]
        pieces = None if model is None else Pieces(base64.b64decode(model, validate=True))
        return cls(settings, Vocabulary.from_json(saved["vocabulary"]), pieces)


def _end(settings: TextSettings) -> list[str]:
    if settings.target.kind != "next":
        return []
    return ["\n"] if settings.units == "character" else ["<eos>"]
