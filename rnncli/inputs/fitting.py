"""How texts are cut, by those that a model learns from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain

from rnncli.inputs.encoding import Cutting, Encoder
from rnncli.inputs.vocabulary import Vocabulary


def fit(sides: Sequence[tuple[Cutting, Sequence[str]]], shared: bool = False) -> tuple[list[Encoder], list[int]]:
    """The encoder of each side, and the rows of which no text is longer than `max_length`.

    Rows that are too long count for no vocabulary.

    Args:
        sides: how the texts of each are cut, and its texts, one a row.
        shared: one vocabulary, and one sentencepiece model, for all sides.

    Raises:
        DataError: the texts allow no sentencepiece model.
    """
    if shared:
        both = Encoder.cutting(sides[-1][0], chain.from_iterable(texts for _, texts in sides))
        cutters = [Encoder(side, both.vocabulary, both.pieces) for side, _ in sides]
    else:
        cutters = [Encoder.cutting(side, texts) for side, texts in sides]
    counts: list[Counter[str]] = [Counter() for _ in sides]
    kept = []
    for row, texts in enumerate(zip(*(texts for _, texts in sides), strict=True)):
        units = [cutter.units(text) for cutter, text in zip(cutters, texts, strict=True)]
        lengths = zip(cutters, units, strict=True)
        if all(cutter.max_length is None or len(cut) <= cutter.max_length for cutter, cut in lengths):
            kept.append(row)
            for counter, cut in zip(counts, units, strict=True):
                counter.update(cut)
    if shared:
        counts = [sum(counts, Counter())] * len(sides)
    encoders = [
        Encoder(side, Vocabulary.count(counter, side.min_count), cutter.pieces)
        for (side, _), counter, cutter in zip(sides, counts, cutters, strict=True)
    ]
    return encoders, kept


def uncut(encoder: Encoder) -> Encoder:
    """The encoder, of targets: what is right is never cut."""
    encoder.max_length = None
    return encoder
