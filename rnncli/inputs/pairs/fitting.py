"""How the texts of pairs are cut, by those of the training part."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from rnncli.errors import DataError
from rnncli.inputs.encoding import Encoded, Encoder, Tally
from rnncli.inputs.pairs.parts import Part
from rnncli.inputs.pairs.settings import PairsSettings, SourceSettings, TargetSettings
from rnncli.inputs.vocabulary import Vocabulary


def fit(part: Part, settings: PairsSettings, path: Path) -> tuple[list[Encoder], Part]:
    """The encoder of the targets, behind that of the sources where these are texts, and the pairs that aren't too long.

    Pairs that are left out do not count for the vocabularies.

    Args:
        path: where the training part stands, for messages.

    Raises:
        DataError: all pairs are too long, or the texts allow no sentencepiece model.
    """
    sides: list[tuple[SourceSettings | TargetSettings, list[str]]] = [(settings.target, part.answers)]
    if settings.source.kind == "text":
        sides.insert(0, (settings.source, [str(source) for source in part.sources]))
    if settings.shared_vocabulary:
        both = Encoder.cutting(settings.target, chain.from_iterable(texts for _, texts in sides))
        cutters = [Encoder(side, both.vocabulary, both.pieces) for side, _ in sides]
    else:
        cutters = [Encoder.cutting(side, texts) for side, texts in sides]
    counts: list[Counter[str]] = [Counter() for _ in sides]
    kept = []
    for row, pair in enumerate(zip(*(texts for _, texts in sides), strict=True)):
        units = [cutter.units(text) for cutter, text in zip(cutters, pair, strict=True)]
        lengths = zip(cutters, units, strict=True)
        if all(cutter.max_length is None or len(cut) <= cutter.max_length for cutter, cut in lengths):
            kept.append(row)
            for counter, cut in zip(counts, units, strict=True):
                counter.update(cut)
    if not kept:
        raise DataError(f"all {len(part)} pairs of the training part are longer than max_length", path)
    if settings.shared_vocabulary:
        counts = [sum(counts, Counter())] * 2
    encoders = [
        Encoder(side, Vocabulary.count(counter, side.min_count), cutter.pieces)
        for (side, _), counter, cutter in zip(sides, counts, cutters, strict=True)
    ]
    return [*encoders[:-1], uncut(encoders[-1])], part if len(kept) == len(part) else part.take(kept)


def uncut(encoder: Encoder) -> Encoder:
    """The encoder, of targets: what is right is never cut."""
    encoder.max_length = None
    return encoder


class Tallies(NamedTuple):
    """How much of the texts of each part, by its name, the model does not see; of sources if they are texts."""

    sources: dict[str, Tally]
    targets: dict[str, Tally]

    def add(self, name: str, of_sources: Encoded | None, of_targets: Encoded | None) -> None:
        for tallies, encoded in ((self.sources, of_sources), (self.targets, of_targets)):
            if encoded is not None:
                tallies.setdefault(name, Tally()).add(encoded)
