"""Spans (entities) that tag sequences write, and how many of them two sequences share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple


class Span(NamedTuple):
    """Tokens `start` up to but not including `end`, of one sentence."""

    type: str
    start: int
    end: int


def spans(tags: Sequence[str], scheme: Literal["BIO", "BIOES"]) -> list[Span]:
    """The spans of one sentence, in their order.

    BIO is read as conlleval.pl and the default mode of seqeval 1.2.2 read it: an I- that nothing of its type precedes
    begins a span as B- would. BIOES is read as the strict mode of seqeval reads it: a span is S-, or B- with any
    number of I- and an E- of the same type; whatever is not so formed is no span.
    """
    return _conlleval(tags) if scheme == "BIO" else _strict_bioes(tags)


def _conlleval(tags: Sequence[str]) -> list[Span]:
    found: list[Span] = []
    begin = None
    for position, tag in enumerate(tags):
        if begin is not None and (tag[0] != "I" or tag[2:] != tags[begin][2:]):
            found.append(Span(tags[begin][2:], begin, position))
            begin = None
        if begin is None and tag != "O":
            begin = position
    if begin is not None:
        found.append(Span(tags[begin][2:], begin, len(tags)))
    return found


def _strict_bioes(tags: Sequence[str]) -> list[Span]:
    found: list[Span] = []
    begin = None
    for position, tag in enumerate(tags):
        prefix, kind = tag[0], tag[2:]
        if prefix in "BS":
            begin = position
        elif prefix == "O" or begin is None or kind != tags[begin][2:]:
            begin = None
        if prefix in "ES" and begin is not None:
            found.append(Span(kind, begin, position + 1))
            begin = None
    return found


@dataclass(frozen=True)
class Matches:
    """Spans of one type: those predicted with type and both ends right, all that were predicted, all that are true."""

    correct: int
    predicted: int
    target: int


def count_matches(
    predicted: Iterable[Sequence[str]], target: Iterable[Sequence[str]], scheme: Literal["BIO", "BIOES"]
) -> dict[str, Matches]:
    """Matches by type, ordered by type, over sentences given as tags.

    Raises:
        ValueError: not the same number of sentences.
    """
    correct, guessed, true = Counter[str](), Counter[str](), Counter[str]()
    for ours, theirs in zip(predicted, target, strict=True):
        found, wanted = set(spans(ours, scheme)), set(spans(theirs, scheme))
        guessed.update(span.type for span in found)
        true.update(span.type for span in wanted)
        correct.update(span.type for span in found & wanted)
    return {kind: Matches(correct[kind], guessed[kind], true[kind]) for kind in sorted(guessed | true)}
