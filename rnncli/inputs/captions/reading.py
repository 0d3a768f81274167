"""Captions, or numbers, and lists of images, as they stand in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from rnncli.errors import ConfigError, DataError, nearest
from rnncli.inputs import tables
from rnncli.inputs.captions.settings import CaptionSettings, CaptionsSettings
from rnncli.inputs.cutting import prepared
from rnncli.inputs.files import OnBadRow, lines, place
from rnncli.inputs.frame import is_frame
from rnncli.inputs.numbers import numbers

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["csv", "tsv", "jsonl", "parquet", "tokens"]


@dataclass
class Captioned:
    """An image and what is to be written of it.

    Attributes:
        name: as the file with the captions writes it.
        source, line: where it is named first.
        texts: its captions, as they are learnt and compared; none where numbers are written.
        numbers: those of the columns of data.target; none where captions are written.
    """

    name: str
    source: str
    line: int
    texts: list[str] = field(default_factory=list)
    numbers: tuple[float, ...] = ()


class Line(NamedTuple):
    """A row that names an image.

    Attributes:
        cells: what stands in the columns of data.target.
        own: the columns that a predictions file repeats.
    """

    name: str
    cells: Sequence[str]
    source: str
    line: int
    own: dict[str, str]


def form_of(path: Path, settings: CaptionsSettings) -> Form:
    """How a file is read: as `data.format` says, or by its name."""
    return tables.format_of(path) or "tokens" if settings.format == "auto" else settings.format


def captioned(paths: Sequence[Path], settings: CaptionsSettings, on_bad_row: OnBadRow) -> dict[str, Captioned]:
    """The images of files with captions, or numbers, by name, in the order in which they are first named.

    Raises:
        ConfigError: numbers are asked for of a file without columns.
        DataError: a file can't be used, or there are no captions.
    """
    found: dict[str, Captioned] = {}
    for path in paths:
        form = form_of(path, settings)
        if form == "tokens" and settings.target.numbers:
            raise ConfigError([f"data.target.kind: values are columns of a table, and {path} is none"])
        rows = (
            _tokens(path, settings, on_bad_row) if form == "tokens" else table(path, form, settings, True, on_bad_row)
        )
        for row in rows:
            try:
                _add(row, settings.target, found)
            except ValueError as error:
                on_bad_row(DataError(str(error), row.source, row.line))
    if not found:
        raise DataError(f"has no {'numbers' if settings.target.numbers else 'captions'}", paths[0])
    return found


def _add(row: Line, target: CaptionSettings, found: dict[str, Captioned]) -> None:
    """Raises a ValueError where the row has nothing to write, or numbers that its image has already."""
    image = Captioned(row.name, row.source, row.line)
    if target.numbers:
        if row.name in found:
            raise ValueError(f"image {row.name} has numbers already, in line {found[row.name].line}")
        found[row.name] = replace(image, numbers=numbers(row.cells, target.names))
    elif text := prepared(row.cells[0], target):
        found.setdefault(row.name, image).texts.append(text)
    else:
        raise ValueError(f"the caption of image {row.name} is empty")


def listed(
    paths: Sequence[Path], known: dict[str, Captioned], settings: CaptionsSettings, on_bad_row: OnBadRow
) -> dict[str, Captioned]:
    """The captioned images that files list.

    Raises:
        DataError: a file can't be used, or lists nothing.
    """
    found: dict[str, Captioned] = {}
    for path in paths:
        for line, text in lines(path, settings.encoding, on_bad_row):
            if not (name := text.strip()):
                continue
            if name in found:
                on_bad_row(DataError(f"lists image {name} a second time", path, line))
            elif name in known:
                found[name] = replace(known[name], source=str(path), line=line)
            else:
                close = nearest(name, known)
                hint = f"; the nearest that has one is {close}" if close else ""
                on_bad_row(DataError(f"image {name!r} has no caption in {settings.captions}{hint}", path, line))
    if not found:
        raise DataError("lists no images that can be used", paths[0])
    return found


def _tokens(path: Path, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Iterator[Line]:
    for line, text in lines(path, settings.encoding, on_bad_row):
        if not text.strip():
            continue
        name, tab, caption = text.partition("\t")
        image, _, number = name.strip().rpartition("#")
        if not tab or not image or not number.isdigit():
            on_bad_row(
                DataError(
                    "has no image and caption, <image>#<number> TAB <caption> (data.format: tokens); "
                    f"found {text[:60]!r}",
                    path,
                    line,
                )
            )
            continue
        yield Line(image, [caption], str(path), line, {})


def table(
    source: Path | BinaryIO | pd.DataFrame,
    form: tables.TableFormat,
    settings: CaptionsSettings,
    captions: bool,
    on_bad_row: OnBadRow,
) -> Iterator[Line]:
    """The rows of a table.

    Args:
        captions: they must be there too.
    """
    name = "the frame" if is_frame(source) else place(source)
    target, key = settings.target, f"data.target.{'columns' if settings.target.numbers else 'column'}"
    needed = {settings.image: "data.image"} | (dict.fromkeys(target.names, key) if captions else {})
    rows = tables.rows(
        source,
        form,
        columns=settings.columns,
        without=[] if captions else target.names,
        separator=settings.separator,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    )
    for row in rows:
        if missing := [each for each in needed if each not in row.values]:
            try:
                tables.require(
                    row.values, missing[:1], f"{name}:{row.line}" if form == "jsonl" else name, needed[missing[0]]
                )
            except DataError as bad:
                if form != "jsonl":  # there each row has its own columns
                    raise
                on_bad_row(bad)
            continue
        image = row.values[settings.image].strip()
        if not image:
            on_bad_row(DataError(f"names no image in column {settings.image!r}", name, row.line))
            continue
        yield Line(image, [row.values[each] for each in target.names if captions], name, row.line, row.values)
