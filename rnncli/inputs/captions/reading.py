"""Captions and lists of images, as they stand in files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from rnncli.errors import DataError, nearest
from rnncli.inputs import tables
from rnncli.inputs.captions.settings import CaptionsSettings
from rnncli.inputs.cutting import prepared
from rnncli.inputs.files import OnBadRow, lines, place
from rnncli.inputs.frame import is_frame

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["csv", "tsv", "jsonl", "parquet", "tokens"]


@dataclass
class Captioned:
    """An image and its captions.

    Attributes:
        name: as the file with the captions writes it.
        source, line: where it is named first.
        texts: its captions, as they are learnt and compared.
    """

    name: str
    source: str
    line: int
    texts: list[str] = field(default_factory=list)


class Line(NamedTuple):
    """A row that names an image.

    Attributes:
        own: the columns that a predictions file repeats.
    """

    name: str
    caption: str
    source: str
    line: int
    own: dict[str, str]


def form_of(path: Path, settings: CaptionsSettings) -> Form:
    """How a file is read: as `data.format` says, or by its name."""
    return tables.format_of(path) or "tokens" if settings.format == "auto" else settings.format


def captioned(paths: Sequence[Path], settings: CaptionsSettings, on_bad_row: OnBadRow) -> dict[str, Captioned]:
    """The images of files with captions by name, in the order in which they are first named.

    Raises:
        DataError: a file can't be used, or there are no captions.
    """
    found: dict[str, Captioned] = {}
    for path in paths:
        form = form_of(path, settings)
        rows = (
            _tokens(path, settings, on_bad_row) if form == "tokens" else table(path, form, settings, True, on_bad_row)
        )
        for row in rows:
            if text := prepared(row.caption, settings.target):
                found.setdefault(row.name, Captioned(row.name, row.source, row.line)).texts.append(text)
            else:
                on_bad_row(DataError(f"the caption of image {row.name} is empty", row.source, row.line))
    if not found:
        raise DataError("has no captions", paths[0])
    return found


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
                found[name] = Captioned(name, str(path), line, known[name].texts)
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
        yield Line(image, caption, str(path), line, {})


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
    column = settings.target.column
    needed = {settings.image: "data.image"} | ({column: "data.target.column"} if captions else {})
    rows = tables.rows(
        source,
        form,
        columns=settings.columns,
        without=[] if captions else [column],
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
        yield Line(image, row.values[column] if captions else "", name, row.line, row.values)
