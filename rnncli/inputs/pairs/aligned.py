"""Pairs out of two files whose lines belong together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, lines
from rnncli.inputs.pairs.reading import Example
from rnncli.inputs.pairs.settings import AlignedFiles, PairsSettings
from rnncli.inputs.tables import counted


def aligned(files: AlignedFiles, settings: PairsSettings, on_bad_row: OnBadRow) -> Iterator[Example]:
    """The pairs of two files of lines. A line that holds bad bytes is told once and its pair left out.

    Raises:
        DataError: a file can't be used, or they have different numbers of lines.
    """
    of_source, source_lines = _numbered(files.source, settings.encoding, on_bad_row)
    of_target, target_lines = _numbered(files.target, settings.encoding, on_bad_row)
    if source_lines != target_lines:
        raise DataError(
            f"has {counted(source_lines, 'line')} and {files.target} has {target_lines}: "
            "the lines of both files must belong together",
            files.source,
        )
    place, target_place = str(files.source), str(files.target)
    for line, text in of_source.items():
        if line in of_target:
            yield Example((text,), (of_target[line],), place, line, {settings.source.column: text}, target_place)


def _numbered(path: Path, encoding: str, on_bad_row: OnBadRow) -> tuple[dict[int, str], int]:
    """The lines that can be read by their numbers, and how many there are."""
    last = 0

    def told(bad: DataError) -> None:
        nonlocal last
        last = bad.line or last
        on_bad_row(bad)

    found = dict(lines(path, encoding, told))
    return found, max(last, next(reversed(found), 0))


def beside(source: Path, known: AlignedFiles) -> AlignedFiles:
    """A file of sources with that of its targets, whose name differs from it as the names of `known` differ.

    Raises:
        DataError: there is no such name.
    """
    names = known.source.name, known.target.name
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*names, strict=False)))
    own, other = (name[same:] for name in names)
    if own == other or not source.name.endswith(own):
        raise DataError(
            f"is no table with targets, and no file beside it is known to hold them: the training part is "
            f"{names[0]} and {names[1]}; a name that ends in {own!r} stands for such files too",
            source,
        )
    return AlignedFiles(source=source, target=source.with_name(source.name.removesuffix(own) + other))
