"""The pairs of one split, and how splits without files of their own are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rnncli.errors import DataError
from rnncli.inputs.bad_rows import BadRows
from rnncli.inputs.folders import class_of, holds_folders, of_classes, texts_of
from rnncli.inputs.pairs.aligned import aligned
from rnncli.inputs.pairs.reading import Example, check_pairs, form_of, pairs
from rnncli.inputs.pairs.settings import AlignedFiles, PairsSettings
from rnncli.inputs.pairs.sources import Item, parse, parse_target
from rnncli.inputs.splits import draw


@dataclass
class Part:
    """Pairs in lists side by side.

    Attributes:
        references: the targets of each source, texts or numbers, the first of which is learnt; empty where nothing is
            asked.
        places: where each source stands.
        own: the columns that a predictions file repeats; empty where nothing is predicted.
    """

    sources: list[Item] = field(default_factory=list)
    references: list[tuple[Any, ...]] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    own: list[Mapping[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sources)

    def __add__(self, other: Part) -> Part:
        return Part(self.sources + other.sources, self.references + other.references, self.places + other.places)

    @property
    def answers(self) -> list[Any]:
        """The first reference of each pair."""
        return [first for first, *_ in self.references]

    def take(self, rows: Iterable[int]) -> Part:
        """Some of the pairs, in the order of `rows`."""
        rows = list(rows)

        def taken(values: list[Any]) -> list[Any]:
            return [values[row] for row in rows] if values else []

        return Part(taken(self.sources), taken(self.references), taken(self.places), taken(self.own))

    def merged(self) -> Part:
        """Each source once, where it first stands, with all its distinct references in their order."""
        first: dict[Item, int] = {}
        found: dict[Item, dict[Any, None]] = {}
        for row, source in enumerate(self.sources):
            first.setdefault(source, row)
            found.setdefault(source, {}).update(dict.fromkeys(self.references[row]))
        one = self.take(first.values())
        return Part(one.sources, [tuple(references) for references in found.values()], one.places)


def read(
    files: Sequence[Path] | AlignedFiles, settings: PairsSettings, limit: int | None, bad: BadRows
) -> tuple[Part, list[Path]]:
    """The pairs of files and folders one after another, and the files they stand in.

    Args:
        limit: pairs read; of files that are classes an equal share of each.

    Raises:
        ConfigError: files that don't hold such pairs.
        DataError: a file can't be used, or there are no pairs.
    """
    if isinstance(files, AlignedFiles):
        paths, readers = [files.source, files.target], [("", aligned(files, settings, bad))]
    else:
        paths, readers = _opened(files, settings, bad)
    part = Part()
    for example in of_classes(readers, limit):
        try:
            source = parse(example.source, settings.source)
        except ValueError as error:
            bad(DataError(str(error), example.place, example.line))
            continue
        try:
            target = parse_target(example.target, settings.target)
        except ValueError as error:
            bad(DataError(str(error), example.target_place or example.place, example.line))
            continue
        part.sources.append(source)
        part.references.append((target,))
        part.places.append((example.place, example.line))
    if not part:
        raise bad.none_left(paths[0])
    return part, paths


def _opened(
    paths: Sequence[Path], settings: PairsSettings, bad: BadRows
) -> tuple[list[Path], list[tuple[str, Iterator[Example]]]]:
    """The files that paths stand for, and of each its class and its pairs."""
    files: list[Path] = []
    readers: list[tuple[str, Iterator[Example]]] = []
    for path in paths:
        form, whole = form_of(path, settings), holds_folders(path)
        check_pairs(path, form, settings)
        for file in texts_of(path, whole) if form == "files" else [path]:
            files.append(file)
            kind = class_of(file, whole) if form == "files" else ""
            readers.append((kind, pairs(file, form, settings, whole=whole, on_bad_row=bad)))
    return files, readers


def hold_out(part: Part, settings: PairsSettings, shares: Mapping[str, float], path: Path) -> dict[str, Part]:
    """The training part, which stands at `path`, without the parts of `shares`, and these.

    Rows are drawn by seed, equal sources into the same part; of classes each on its own, equal targets into the same.

    Raises:
        DataError: too few pairs for a part to get any.
    """
    keys: Sequence[Item] = part.sources
    classes = None
    if settings.source.kind == "class":
        numbers: dict[Item, int] = {}
        classes = [numbers.setdefault(source, len(numbers)) for source in part.sources]
        keys = part.answers
    drawn = draw(keys, classes, shares, settings.split.seed, path)
    return {name: part.take(rows.tolist()) for name, rows in drawn.items()}
