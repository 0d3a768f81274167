"""Spans and their counts against seqeval."""

from __future__ import annotations

import random

import pytest
from seqeval.metrics.sequence_labeling import get_entities, precision_recall_fscore_support
from seqeval.scheme import IOBES, Entities

from rnncli.metrics.entities import Matches, Span, count_matches, spans

TYPES = ("creative-work", "LOC", "P")


def random_tags(prefixes: str, generator: random.Random) -> list[str]:
    """Tags without any order among them, so that most sequences are invalid."""
    tags = ["O", *(f"{prefix}-{kind}" for prefix in prefixes for kind in TYPES[:2])]
    return [generator.choice(tags) for _ in range(generator.randint(1, 9))]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("B-P I-P O B-LOC", [("P", 0, 2), ("LOC", 3, 4)]),
        ("O I-P I-P B-P", [("P", 1, 3), ("P", 3, 4)]),
        ("B-P I-LOC I-P", [("P", 0, 1), ("LOC", 1, 2), ("P", 2, 3)]),
        ("O", []),
    ],
)
def test_bio_by_hand(tags: str, expected: list[Span]) -> None:
    assert spans(tags.split(), "BIO") == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("S-P B-P I-P E-P", [("P", 0, 1), ("P", 1, 4)]),
        ("B-P I-P O E-P", []),
        ("I-P E-P B-P E-LOC", []),
        ("B-P B-P E-P I-P", [("P", 1, 3)]),
        ("B-P I-LOC E-P B-P", []),
    ],
)
def test_bioes_by_hand(tags: str, expected: list[Span]) -> None:
    assert spans(tags.split(), "BIOES") == expected


def test_bio_is_seqevals_default() -> None:
    generator = random.Random(1)
    for _ in range(3000):
        tags = random_tags("BI", generator)
        assert spans(tags, "BIO") == [(kind, start, last + 1) for kind, start, last in get_entities(tags)]


def test_bioes_is_seqevals_strict() -> None:
    generator = random.Random(2)
    for _ in range(3000):
        tags = random_tags("BIES", generator)
        (found,) = Entities([tags], IOBES).entities
        assert spans(tags, "BIOES") == [(one.tag, one.start, one.end) for one in found]


def test_counts_give_seqevals_scores() -> None:
    generator = random.Random(3)
    target = [random_tags("BI", generator) for _ in range(200)]
    predicted = [[tag if generator.random() < 0.7 else "O" for tag in sentence] for sentence in target]
    matches = count_matches(predicted, target, "BIO")
    precision, recall, _, support = precision_recall_fscore_support(target, predicted, average=None)
    assert list(matches) == sorted(TYPES[:2])
    assert [one.correct / one.predicted for one in matches.values()] == pytest.approx(precision)
    assert [one.correct / one.target for one in matches.values()] == pytest.approx(recall)
    assert [one.target for one in matches.values()] == list(support)


def test_types_that_only_one_side_has() -> None:
    matches = count_matches([["B-P", "B-LOC"]], [["B-P", "I-P"]], "BIO")
    assert matches == {"LOC": Matches(0, 1, 0), "P": Matches(0, 1, 1)}
