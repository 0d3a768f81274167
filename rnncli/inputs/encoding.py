"""Texts to ids."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, Protocol

import numpy as np

from rnncli.errors import MissingExtra
from rnncli.inputs.features import UNKNOWN
from rnncli.inputs.pieces import Pieces
from rnncli.inputs.tables import BLOCK
from rnncli.inputs.targets import Units
from rnncli.inputs.vocabulary import Vocabulary


class Cutting(Protocol):
    """How texts are cut: what settings must say."""

    @property
    def units(self) -> Units: ...
    @property
    def sentencepiece_size(self) -> int: ...
    @property
    def lowercase(self) -> bool: ...
    @property
    def min_count(self) -> int: ...
    @property
    def max_length(self) -> int | None: ...


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


def unknown_shares(tallies: Mapping[str, Tally], units: Units, side: str = "") -> str:
    """A sentence about the parts by their names (a part alone needs none), of one `side` of pairs."""
    noun = {"word": "words", "character": "characters", "grapheme": "graphemes", "sentencepiece": "pieces"}[units]
    shares = (f"{part} {tally.unknown / max(tally.units, 1):.1%}".strip() for part, tally in tallies.items())
    return f"unknown {f'{side} {noun}'.strip()}: {', '.join(shares).replace('%', ' %')}"


class Encoder:
    """How a text is cut into units, and the vocabulary of the training part.

    Args:
        end: the unit that every text ends with, if there is one: in a language model "<eos>", or among characters the
            line feed.
    """

    def __init__(
        self, settings: Cutting, vocabulary: Vocabulary, pieces: Pieces | None, end: Sequence[str] = ()
    ) -> None:
        self.vocabulary, self.pieces = vocabulary, pieces
        self.max_length = settings.max_length
        self._lowercase = settings.lowercase
        self._end = list(end)
        self._split: Callable[[str], list[str]] = pieces or _SPLITS[settings.units]()

    @classmethod
    def fit(cls, settings: Cutting, texts: Sequence[str], end: Sequence[str] = ()) -> Encoder:
        """Trains the pieces and counts the vocabulary."""
        counts: Counter[str] = Counter()
        counting = cls.cutting(settings, texts, end)
        for text in texts:
            counts.update(counting.units(text)[: settings.max_length])
        return cls(settings, Vocabulary.count(counts, settings.min_count), counting.pieces, end)

    @classmethod
    def cutting(cls, settings: Cutting, texts: Iterable[str], end: Sequence[str] = ()) -> Encoder:
        """One that cuts texts and knows no unit yet."""
        pieces = None
        if settings.units == "sentencepiece":
            pieces = Pieces.train(
                (text.lower() if settings.lowercase else text for text in texts), settings.sentencepiece_size
            )
        return cls(settings, Vocabulary([]), pieces, end)

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
    def from_json(cls, settings: Cutting, saved: Mapping[str, Any], end: Sequence[str] = ()) -> Encoder:
        """Raises KeyError, TypeError, ValueError or RunError where `saved` is not what `to_json` gives."""
        model = saved["sentencepiece"]
        pieces = None if model is None else Pieces(base64.b64decode(model, validate=True))
        return cls(settings, Vocabulary.from_json(saved["vocabulary"]), pieces, end)


def _graphemes() -> Callable[[str], list[str]]:
    try:
        import regex
    except ImportError:
        raise MissingExtra("regex", "text", "units: grapheme") from None
    found: Callable[[str], list[str]] = regex.compile(r"\X").findall
    return found


_SPLITS: Mapping[Units, Callable[[], Callable[[str], list[str]]]] = {
    "word": lambda: str.split,
    "character": lambda: list,
    "grapheme": _graphemes,
}
