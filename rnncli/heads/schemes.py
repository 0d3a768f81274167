"""Which tags a scheme allows side by side. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Scheme = Literal["BIO", "BIOES"]
OUTSIDE = "O"


def _follows(left: str, right: str, scheme: Scheme) -> bool:
    """Whether a scheme allows `right` after `left`; the edges of a sentence are as OUTSIDE."""
    same = left[0] in "BI" and left[1:] == right[1:]
    continues = right[0] in "IE"
    if scheme == "BIO":
        return same or not continues
    return same if continues else left[0] not in "BI"


def forbidden_pairs(tags: Sequence[str], scheme: Scheme) -> list[list[bool]]:
    """For each tag (row) the tags that must not come right after it."""
    return [[not _follows(left, right, scheme) for right in tags] for left in tags]


def forbidden_starts(tags: Sequence[str], scheme: Scheme) -> list[bool]:
    """The tags that must not begin a sentence."""
    return [not _follows(OUTSIDE, tag, scheme) for tag in tags]


def forbidden_ends(tags: Sequence[str], scheme: Scheme) -> list[bool]:
    """The tags that must not end a sentence."""
    return [not _follows(tag, OUTSIDE, scheme) for tag in tags]
