"""What a target is made from, as the model reads it: texts, classes, or numbers."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from rnncli.inputs.answer_settings import AnswerSettings
from rnncli.inputs.batches import Ragged
from rnncli.inputs.cutting import prepared
from rnncli.inputs.encoding import Encoded, Encoder
from rnncli.inputs.features import UNKNOWN, Categories, Feature, Tokens, Values
from rnncli.inputs.numbers import numbers
from rnncli.inputs.pairs.settings import SourceSettings
from rnncli.inputs.targets import unseen
from rnncli.inputs.time_series import scaling
from rnncli.inputs.time_series.scaling import Scale
from rnncli.inputs.vocabulary import Vocabulary

Item = str | tuple[float, ...]
"""A text or class, or numbers."""


def parse(cells: Sequence[str], settings: SourceSettings) -> Item:
    """The source that stands in the cells of a row.

    Raises:
        ValueError: there is none; says why.
    """
    if settings.kind == "values":
        return numbers(cells, settings.names)
    [cell] = cells
    found = prepared(cell, settings) if settings.kind == "text" else unicodedata.normalize("NFC", cell).strip()
    if not found:
        raise ValueError("the source is empty")
    return found


def parse_target(cells: Sequence[str], settings: AnswerSettings) -> Item:
    """The target that stands in the cells of a row.

    Raises:
        ValueError: there is none; says why.
    """
    if settings.kind == "values":
        return numbers(cells, settings.names)
    [cell] = cells
    if not (found := prepared(cell, settings)):
        raise ValueError("the target is empty")
    return found


class Sources(ABC):
    """How sources of one kind become inputs.

    Attributes:
        name: of its feature.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def feature(self) -> Feature: ...

    @abstractmethod
    def encode(self, items: Sequence[Any]) -> tuple[Ragged, Encoded | None]:
        """The inputs of items and, of texts, their ids."""

    def mistake(self, item: Any) -> str | None:
        """A sentence about an item that the training part doesn't prepare for."""
        return None

    @abstractmethod
    def to_json(self) -> dict[str, Any]: ...


class TextSources(Sources):
    """Texts: a unit a step."""

    name = "tokens"

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    @property
    def feature(self) -> Feature:
        return Tokens(self.encoder.vocabulary.size)

    def encode(self, items: Sequence[Any]) -> tuple[Ragged, Encoded | None]:
        encoded = self.encoder.encode(items)
        return Ragged(torch.from_numpy(encoded.ids), encoded.offsets), encoded

    def to_json(self) -> dict[str, Any]:
        return self.encoder.to_json()


class ClassSources(Sources):
    """Classes: one step."""

    name = "class"

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    @classmethod
    def fit(cls, items: Sequence[Any]) -> ClassSources:
        return cls(Vocabulary.count(Counter(items)))

    @property
    def feature(self) -> Feature:
        return Categories(self._vocabulary.size)

    def encode(self, items: Sequence[Any]) -> tuple[Ragged, Encoded | None]:
        ids = torch.from_numpy(self._vocabulary.encode(items))
        return Ragged(ids, np.arange(len(items) + 1)), None

    def mistake(self, item: Any) -> str | None:
        names = self._vocabulary.entries[UNKNOWN + 1 :]
        return None if self._vocabulary.ids.get(item, UNKNOWN) != UNKNOWN else unseen("class", item, names)

    def to_json(self) -> dict[str, Any]:
        return {"classes": self._vocabulary.to_json()}


class ValuesSources(Sources):
    """Numbers, one step, scaled by the training part."""

    name = "values"

    def __init__(self, scale: Scale) -> None:
        self._scale = scale

    @classmethod
    def fit(cls, items: Sequence[Any]) -> ValuesSources:
        return cls(scaling.fit("standard", np.array(items, np.float64)))

    @property
    def feature(self) -> Feature:
        return Values(len(self._scale.center))

    def encode(self, items: Sequence[Any]) -> tuple[Ragged, Encoded | None]:
        values = np.array(items, np.float64).reshape(len(items), len(self._scale.center))
        scaled = ((values - self._scale.center) / self._scale.scale).astype(np.float32)
        return Ragged(torch.from_numpy(scaled), np.arange(len(items) + 1)), None

    def to_json(self) -> dict[str, Any]:
        return {"scale": self._scale.to_json()}


def sources_from_json(settings: SourceSettings, saved: Mapping[str, Any]) -> Sources:
    """Raises KeyError, TypeError, ValueError or RunError where `saved` is not what `to_json` gives."""
    match settings.kind:
        case "text":
            return TextSources(Encoder.from_json(settings, saved))
        case "class":
            return ClassSources(Vocabulary.from_json(saved["classes"]))
        case "values":
            return ValuesSources(Scale.from_json(saved["scale"]))
