"""Classes and spoken texts of recordings to ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from rnncli.errors import DataError
from rnncli.inputs.answered import Answered
from rnncli.inputs.audio.settings import AudioTarget
from rnncli.inputs.batches import Dataset, Ragged, Sequences
from rnncli.inputs.cutting import prepared
from rnncli.inputs.encoding import Encoder, Tally, unknown_shares
from rnncli.inputs.targets import Target, in_order, unseen


def cleaned(raw: str, settings: AudioTarget) -> str:
    """The class, or the text as `prepared` gives it, white space as single spaces.

    Raises:
        ValueError: it is empty.
    """
    if not raw.strip():
        raise ValueError(f"has no {settings.kind if settings.kind == 'class' else 'text'} in {settings.column!r}")
    if settings.kind == "class":
        return raw
    text = prepared(" ".join(raw.split()), settings)
    if not text:
        raise ValueError(f"has nothing left in {settings.column!r} once target.remove has been taken out")
    return text


class Transcripts:
    """The target of the recordings, by the training part."""

    def __init__(self, settings: AudioTarget, target: Target, encoder: Encoder | None) -> None:
        self.target = target
        self._units, self._encoder = settings.units, encoder

    @classmethod
    def fit(cls, texts: Sequence[str], settings: AudioTarget, path: Path) -> Transcripts:
        """Raises a DataError where the training part, which begins at `path`, has one class alone."""
        if settings.kind == "class":
            counts = Counter(texts)
            if len(counts) < 2:
                raise DataError(
                    f"the training part has only one class, {next(iter(counts))!r} (data.target.column: "
                    f"{settings.column}): a classifier needs at least two",
                    path,
                )
            names = in_order(counts)
            return cls(settings, Target("class", names, tuple(counts[name] for name in names)), None)
        encoder = Encoder.fit(settings, texts)
        counts = Counter(unit for text in texts for unit in encoder.units(text))
        entries = encoder.vocabulary.entries
        target = Target("sequence", entries, tuple(counts[entry] for entry in entries), units=settings.units)
        return cls(settings, target, encoder)

    def unknown(self, text: str) -> str | None:
        """A sentence about a class that the training part lacks."""
        if self._encoder is not None or text in self.target.names:
            return None
        return unseen("class", text, self.target.names)

    def joined(self, texts: Sequence[str]) -> str:
        """The text of several recordings one after another."""
        return (" " if self._units in ("word", "sentencepiece") else "").join(texts)

    def dataset(self, inputs: Mapping[str, Ragged], texts: Sequence[str] | None) -> Dataset:
        """Features with the targets of these texts; without texts, to predict only."""
        if self._encoder is None:
            ids = {name: position for position, name in enumerate(self.target.names)}
            return Sequences(dict(inputs), None if texts is None else torch.tensor([ids[text] for text in texts]))
        if texts is None:
            return Answered(inputs, None)
        encoded = self._encoder.encode(texts)
        answers = Ragged(torch.from_numpy(encoded.ids), encoded.offsets)
        return Answered(inputs, answers, [(text,) for text in texts])

    def notes(self, parts: Mapping[str, Sequence[str]]) -> list[str]:
        """The share of units that the training part lacks, of texts."""
        if self._encoder is None:
            return []
        return [unknown_shares({part: Tally(self._encoder.encode(each)) for part, each in parts.items()}, self._units)]

    def to_json(self) -> dict[str, Any]:
        encoder = None if self._encoder is None else self._encoder.to_json()
        return {"target": self.target.to_json(), "encoder": encoder}

    @classmethod
    def from_json(cls, settings: AudioTarget, saved: Mapping[str, Any]) -> Transcripts:
        """Raises KeyError, TypeError, ValueError or RunError where `saved` is not what `to_json` gives."""
        encoder = saved["encoder"]
        fitted = None if encoder is None else Encoder.from_json(settings, encoder)
        return cls(settings, Target.from_json(saved["target"]), fitted)
