"""What is to be predicted: its kind decides heads, metrics, baselines and how a prediction is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rnncli.errors import nearest

TaskMode = Literal["one-to-one", "one-to-many", "many-to-one", "many-to-many"]

Kind = Literal["class", "labels", "value", "tag", "token", "frame", "forecast", "sequence"]
"""class: one of `names`. labels: a subset of `names`. value: numbers, one a name.
tag: a class for each token of a tagged sentence. token: the next token of a stream. frame: the label set of the next
frame. forecast: the `horizon` steps that follow a window, for each of `names`. sequence: tokens in a sequence of its
own length."""

Units = Literal["word", "character", "grapheme", "sentencepiece"]
"""What a text is cut into."""

SPACE = "▁"
"""What stands for a space in the pieces of a sentencepiece model."""


@dataclass(frozen=True)
class Target:
    """The target of a run, complete once the training part has been read.

    Attributes:
        names: classes, labels, tags, tokens or value columns; the position is the id.
        counts: how often the training part has each of `names`; empty for values.
        per_step: one target for each time step, not one for each sequence.
        horizon: steps of a forecast.
        season: steps of a season, for the naive forecast and MASE.
        scheme: how tags write spans (BIO, BIOES), or None where tags are not spans.
        units: of a sequence: what its text was cut into. Entry 0 of `names`, which no target has, is the end of what a
            decoder writes and the blank of CTC.
        from_one: of a sequence or forecast: it is made from one step: a class, a vector or an image.
        known_ahead: of a forecast: numbers that are known of each step to come, in `Batch.ahead`.
        shared: of a sequence: `names` are also the entries of the tokens that are read.
        partial: of classes or tokens: some steps ask for nothing (NO_TARGET); neither loss nor metrics count them.
    """

    kind: Kind
    names: tuple[str, ...]
    counts: tuple[int, ...] = ()
    per_step: bool = False
    horizon: int = 1
    season: int = 1
    scheme: Literal["BIO", "BIOES"] | None = None
    partial: bool = False
    units: Units | None = None
    from_one: bool = False
    shared: bool = False
    known_ahead: int = 0

    def text(self, ids: Iterable[int]) -> str:
        """The text that the ids of a sequence stand for."""
        entries = [self.names[number] for number in ids]
        if self.units == "word":
            return " ".join(entries)
        whole = "".join(entries)
        return whole.replace(SPACE, " ").strip() if self.units == "sentencepiece" else whole

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Target:
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()
        }
        return cls(**plain)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Classes or labels sorted by value where all are numbers, else by text."""
    names = list(names)
    try:
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(names))


def unseen(noun: str, name: str, names: Sequence[str]) -> str:
    """A sentence about a class or label that is not among the `names` of the training part."""
    close = nearest(name, names)
    shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    hint = f"did you mean {close!r}? " if close else ""
    return f"{noun} {name!r} does not occur in the training part; {hint}it has {shown}"
