"""Ways of writing spans, turned into each other, against seqeval and by hand."""

from __future__ import annotations

import random

import pytest
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB1, IOBES, Entities

from rnncli.inputs.tagging.schemes import PREFIXES, Scheme, belongs, from_bio, sound_bio, to_bio

SPANS = "B-P I-P B-P O B-creative-work B-P I-P I-P"


@pytest.mark.parametrize(
    ("scheme", "written"),
    [
        ("BIO", SPANS),
        ("IOB1", "I-P I-P B-P O I-creative-work I-P I-P I-P"),
        ("BIOES", "B-P E-P S-P O S-creative-work B-P I-P E-P"),
    ],
)
def test_the_same_spans_in_each_scheme(scheme: Scheme, written: str) -> None:
    assert to_bio(written.split()) == SPANS.split()
    assert from_bio(SPANS.split(), scheme) == written.split()
    assert sound_bio(written.split(), scheme) == SPANS.split()


@pytest.mark.parametrize(
    ("written", "bio"),
    [
        ("O I-P I-P", "O B-P I-P"),
        ("B-P I-LOC", "B-P B-LOC"),
        ("E-P I-P B-P O", "B-P B-P B-P O"),
        ("B I O I", "B I O B"),
    ],
)
def test_every_sequence_has_a_reading(written: str, bio: str) -> None:
    assert to_bio(written.split()) == bio.split()


def random_tags(prefixes: str, generator: random.Random) -> list[str]:
    tags = ["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in ("P", "LOC"))]
    return [generator.choice(tags) for _ in range(generator.randint(1, 9))]


@pytest.mark.parametrize("scheme", PREFIXES)
def test_reading_keeps_the_spans_that_conlleval_sees(scheme: Scheme) -> None:
    generator = random.Random(1)
    for _ in range(1000):
        tags = random_tags(PREFIXES[scheme], generator)
        if scheme == "IOB1":
            (strict,) = Entities([to_iob1(tags)], IOB1).entities
            seen = [(one.tag, one.start, one.end - 1) for one in strict]
            assert get_entities(to_bio(to_iob1(tags))) == seen
        else:
            assert get_entities(to_bio(tags)) == get_entities(tags)


def to_iob1(tags: list[str]) -> list[str]:
    """Random tags made into valid IOB1, without our code: B- only where a span of its type has just ended."""
    valid: list[str] = []
    for tag in tags:
        follows = bool(valid) and valid[-1] != "O" and valid[-1][2:] == tag[2:]
        valid.append(tag if tag == "O" or follows else "I" + tag[1:])
    return valid


@pytest.mark.parametrize("scheme", PREFIXES)
def test_there_and_back(scheme: Scheme) -> None:
    generator = random.Random(2)
    for _ in range(1000):
        bio = to_bio(random_tags("BI", generator))
        written = from_bio(bio, scheme)
        assert to_bio(written) == bio
        assert all(belongs(tag, scheme) for tag in written)


def test_sound_spans_of_bioes_are_seqevals_strict_ones() -> None:
    generator = random.Random(3)
    for _ in range(3000):
        tags = random_tags("BIES", generator)
        (strict,) = Entities([tags], IOBES).entities
        assert get_entities(sound_bio(tags, "BIOES")) == [(one.tag, one.start, one.end - 1) for one in strict]


def test_tags_that_a_scheme_does_not_know() -> None:
    assert belongs("E-P", "BIOES") and not belongs("E-P", "BIO")
    assert not belongs("NOUN", "BIO") and not belongs("INTJ", "BIO") and not belongs("o", "IOB1")
    assert belongs("B", "BIO")
