"""What BIO and BIOES allow side by side, against all sequences that spans can write."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from rnncli.heads.schemes import Scheme, forbidden_ends, forbidden_pairs, forbidden_starts

TAGS = {
    "BIO": ["O", "B-X", "I-Y", "I-X", "B-Y"],
    "BIOES": ["E-X", "O", "B-X", "I-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"],
}


def spans_as_tags(scheme: Scheme, length: int) -> set[tuple[str, ...]]:
    """Every sequence of tags that some set of spans gives."""
    if length == 0:
        return {()}
    found = {("O", *rest) for rest in spans_as_tags(scheme, length - 1)}
    for kind, size in product("XY", range(1, length + 1)):
        if scheme == "BIO":
            span = [f"B-{kind}"] + [f"I-{kind}"] * (size - 1)
        elif size == 1:
            span = [f"S-{kind}"]
        else:
            span = [f"B-{kind}"] + [f"I-{kind}"] * (size - 2) + [f"E-{kind}"]
        found |= {(*span, *rest) for rest in spans_as_tags(scheme, length - size)}
    return found


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_what_is_not_forbidden_is_what_spans_write(scheme: Scheme) -> None:
    tags = TAGS[scheme]
    pairs, starts, ends = (f(tags, scheme) for f in (forbidden_pairs, forbidden_starts, forbidden_ends))
    allowed = {
        tuple(tags[tag] for tag in path)
        for path in product(range(len(tags)), repeat=4)
        if not starts[path[0]] and not ends[path[-1]] and not any(pairs[a][b] for a, b in pairwise(path))
    }
    assert allowed == spans_as_tags(scheme, 4)


def test_tags_without_a_type_are_of_one_type() -> None:
    assert forbidden_starts(["O", "B", "I"], "BIO") == [False, False, True]
    assert forbidden_pairs(["O", "B", "I"], "BIO") == [[False, False, True], [False] * 3, [False] * 3]
