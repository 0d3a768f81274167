"""What the model is told of a token: its word, its characters, how it is capitalised."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnncli.inputs.batches import Ragged
from rnncli.inputs.features import UNKNOWN, Categories, Feature, Spelling, Tokens
from rnncli.inputs.tagging.corpus import Part
from rnncli.inputs.tagging.settings import TaggingSettings
from rnncli.inputs.vocabulary import Vocabulary

CAPITALS = {
    name: position for position, name in enumerate(("lower", "title", "upper", "mixed", "digit", "other"), UNKNOWN + 1)
}
"""How a token may be capitalised -> its id."""

LONGEST_SPELLING = 64
"""Characters a token is spelled with at most; a longer one (an address, a broken file) keeps both its ends."""

DIGIT = re.compile(r"\d")


def capitals(token: str) -> str:
    """Which of CAPITALS a token is: digit and other are those without upper and lower case."""
    lower, upper = token.lower(), token.upper()
    if lower == upper:
        return "digit" if any(map(str.isdigit, token)) else "other"
    if token == lower:
        return "lower"
    if token == upper and len(token) > 1:
        return "upper"
    return "title" if token[1:] == token[1:].lower() else "mixed"


def word(token: str, settings: TaggingSettings) -> str:
    """The token as the vocabulary of words knows it."""
    text = DIGIT.sub("0", token) if settings.digits else token
    return text.lower() if settings.lowercase else text


def spelling(token: str) -> str:
    half = LONGEST_SPELLING // 2
    return token if len(token) <= LONGEST_SPELLING else token[:half] + token[-half:]


@dataclass(frozen=True)
class Described:
    """The distinct tokens of some sentences, by their positions in a table.

    Attributes:
        words: (tokens,) int64 ids in the vocabulary.
        spellings: their characters; None where they are not wanted.
        capitals: (tokens,) int64 ids of CAPITALS; None where they are not wanted.
    """

    words: np.ndarray
    spellings: Ragged | None
    capitals: np.ndarray | None

    def inputs(self, part: Part, offsets: np.ndarray) -> dict[str, Ragged]:
        """What a batch is cut from, by feature."""
        found = {"tokens": self.words[part.tokens]}
        if self.spellings is not None:
            found["characters"] = part.tokens
        if self.capitals is not None:
            found["capitals"] = self.capitals[part.tokens]
        return {name: Ragged(torch.from_numpy(ids), offsets) for name, ids in found.items()}

    def unknown(self, part: Part) -> int:
        """How many tokens of a part the vocabulary does not have."""
        return int((self.words[part.tokens] == UNKNOWN).sum())


class Lexicon:
    """The vocabularies of words and of characters, fitted on the training part.

    Attributes:
        characters: None where the model does not read them.
    """

    def __init__(self, settings: TaggingSettings, words: Vocabulary, characters: Vocabulary | None) -> None:
        self.settings, self.words, self.characters = settings, words, characters

    @classmethod
    def fit(cls, settings: TaggingSettings, tokens: Sequence[str], counts: np.ndarray) -> Lexicon:
        """Counts words and characters of distinct tokens, each of which stands `counts` times in the training part."""
        words, characters = Counter[str](), Counter[str]()
        for token, count in zip(tokens, counts.tolist(), strict=True):
            if count:
                words[word(token, settings)] += count
                if settings.characters:
                    characters.update(spelling(token))
        known = Vocabulary.count(characters) if settings.characters else None
        return cls(settings, Vocabulary.count(words, settings.min_count), known)

    def describe(self, tokens: Sequence[str]) -> Described:
        """Distinct tokens, which need not be known."""
        words = self.words.encode(word(token, self.settings) for token in tokens)
        spellings = kinds = None
        if self.characters is not None:
            spelled = [spelling(token) for token in tokens]
            offsets = np.concatenate([[0], np.cumsum([len(text) for text in spelled])]).astype(np.int64)
            spellings = Ragged(torch.from_numpy(self.characters.encode("".join(spelled))), offsets)
        if self.settings.capitals:
            kinds = np.fromiter((CAPITALS[capitals(token)] for token in tokens), np.int64, len(tokens))
        return Described(words, spellings, kinds)

    def features(self, vectors: np.ndarray | None) -> dict[str, Feature]:
        features: dict[str, Feature] = {"tokens": Tokens(self.words.size, vectors)}
        if self.characters is not None:
            features["characters"] = Spelling(self.characters.size)
        if self.settings.capitals:
            features["capitals"] = Categories(UNKNOWN + 1 + len(CAPITALS))
        return features
