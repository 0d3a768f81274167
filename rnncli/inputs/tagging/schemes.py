"""How tags write spans, and one way of writing turned into another.

BIO (IOB2) begins every span with B-. IOB1 begins a span with B- only where it follows one of its type, else with I-.
BIOES ends a span with E- and writes a span of one token as S-. O is outside of spans. All sequences here are of one
sentence; B, I, E and S without a type are tags of the one type without a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

Scheme = Literal["BIO", "IOB1", "BIOES"]
PREFIXES: dict[Scheme, str] = {"BIO": "BI", "IOB1": "BI", "BIOES": "BIES"}


def belongs(tag: str, scheme: Scheme) -> bool:
    """Whether the scheme knows such a tag."""
    return tag == "O" or (tag[0] in PREFIXES[scheme] and tag[1:2] in ("", "-"))


def to_bio(tags: Sequence[str]) -> list[str]:
    """BIO of tags of any scheme; every sequence has a reading: a span begins wherever none of its type is open."""
    bio: list[str] = []
    open_type = None
    for tag in tags:
        if tag == "O":
            bio.append(tag)
            open_type = None
        else:
            prefix, kind = tag[0], tag[1:]
            bio.append(("I" if prefix in "IE" and kind == open_type else "B") + kind)
            open_type = None if prefix in "ES" else kind
    return bio


def from_bio(bio: Sequence[str], scheme: Scheme) -> list[str]:
    """Tags of the scheme for valid BIO."""
    if scheme == "BIO":
        return list(bio)
    if scheme == "IOB1":
        return [
            "I" + tag[1:] if tag[0] == "B" and (before == "O" or before[1:] != tag[1:]) else tag
            for before, tag in pairwise(["O", *bio])
        ]
    tags = []
    for tag, after in pairwise([*bio, "O"]):
        goes_on = tag != "O" and after == "I" + tag[1:]
        tags.append(tag if tag == "O" or goes_on else ("S" if tag[0] == "B" else "E") + tag[1:])
    return tags


def sound_bio(tags: Sequence[str], scheme: Scheme) -> list[str]:
    """BIO of those spans alone that are written as the scheme demands; the tokens of all others become O."""
    bio = to_bio(tags)
    demanded = from_bio(bio, scheme)
    begins = [position for position, tag in enumerate(bio) if tag[0] != "I"]
    sound: list[str] = []
    for begin, end in pairwise([*begins, len(bio)]):
        sound += bio[begin:end] if demanded[begin:end] == list(tags[begin:end]) else ["O"] * (end - begin)
    return sound
