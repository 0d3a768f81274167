"""How the texts of pairs are cut, by those of the training part."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rnncli.errors import DataError
from rnncli.inputs import fitting
from rnncli.inputs.encoding import Cutting, Encoded, Encoder, Tally
from rnncli.inputs.pairs.parts import Part
from rnncli.inputs.pairs.settings import PairsSettings


def fit(part: Part, settings: PairsSettings, path: Path) -> tuple[list[Encoder], Part]:
    """The encoder of the targets, behind that of the sources where these are texts, and the pairs that aren't too long.

    Pairs that are left out do not count for the vocabularies.

    Args:
        path: where the training part stands, for messages.

    Raises:
        DataError: all pairs are too long, or the texts allow no sentencepiece model.
    """
    sides: list[tuple[Cutting, list[str]]] = [(settings.target, part.answers)]
    if settings.source.kind == "text":
        sides.insert(0, (settings.source, [str(source) for source in part.sources]))
    encoders, kept = fitting.fit(sides, settings.shared_vocabulary)
    if not kept:
        raise DataError(f"all {len(part)} pairs of the training part are longer than max_length", path)
    return [*encoders[:-1], fitting.uncut(encoders[-1])], part if len(kept) == len(part) else part.take(kept)


class Tallies(NamedTuple):
    """How much of the texts of each part, by its name, the model does not see; of sources if they are texts."""

    sources: dict[str, Tally]
    targets: dict[str, Tally]

    def add(self, name: str, of_sources: Encoded | None, of_targets: Encoded | None) -> None:
        for tallies, encoded in ((self.sources, of_sources), (self.targets, of_targets)):
            if encoded is not None:
                tallies.setdefault(name, Tally()).add(encoded)
