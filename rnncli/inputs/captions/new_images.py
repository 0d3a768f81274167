"""Images to be described, from wherever they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs import tables
from rnncli.inputs.captions.album import Album, decode
from rnncli.inputs.captions.reading import table
from rnncli.inputs.captions.settings import CaptionsSettings
from rnncli.inputs.captions.vectors import read_array, read_table
from rnncli.inputs.files import OnBadRow, check_exists, suffix
from rnncli.inputs.frame import is_frame
from rnncli.inputs.loader import Source
from rnncli.inputs.members import read_whole


class Picture(NamedTuple):
    """An image to be described.

    Attributes:
        own: the columns that a predictions file repeats.
        values: (1, 3, height, width) uint8, or features (regions, numbers) float32.
        other: whether it had another size.
    """

    own: Mapping[str, str]
    values: np.ndarray
    other: bool = False


class _Named(NamedTuple):
    """The name of an image in a row, and the folder that it is relative to."""

    own: Mapping[str, str]
    name: str
    folder: Path
    source: str
    line: int


def pictures(source: Source, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Iterator[Picture]:
    """The images of a source as they are read: an image, a folder or zip of images, a table or frame whose image column
    names files (beside the table, or in `data.images`), names; features from a .npy or a table.

    Raises:
        DataError: the source can't be used.
    """
    if isinstance(source, Path):
        check_exists(source)
    if settings.vectors:
        return _vectors(source, settings, on_bad_row)
    if isinstance(source, Path) and (source.is_dir() or suffix(source) == ".zip"):
        return _of_album(Album(source), settings, on_bad_row)
    return _of_names(_names(source, settings, on_bad_row), settings, on_bad_row)


def _of_album(album: Album, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Iterator[Picture]:
    for name in album.names:
        try:
            pixels, other = album.decode(name, settings.size)
        except DataError as bad:
            on_bad_row(bad)
            continue
        yield Picture({settings.image: name}, pixels[None], other)


def _of_names(names: Iterator[_Named], settings: CaptionsSettings, on_bad_row: OnBadRow) -> Iterator[Picture]:
    shelf = _Shelf(settings)
    for each in names:
        try:
            pixels, other = shelf.decode(each.folder / each.name, each.name)
        except LookupError as error:
            on_bad_row(DataError(str(error.args[0]), each.source, each.line))
        except DataError as bad:
            on_bad_row(bad)
        else:
            yield Picture(each.own, pixels[None], other)


class _Shelf:
    """Images that lie anywhere, or in `data.images`."""

    def __init__(self, settings: CaptionsSettings) -> None:
        self.settings = settings

    @cached_property
    def album(self) -> Album:
        return Album(self.settings.images)

    def decode(self, path: Path, name: str) -> tuple[np.ndarray, bool]:
        """Raises a LookupError with a sentence where there is no such image, a DataError where it can't be used."""
        if path.is_file():
            return decode(read_whole(path), self.settings.size, str(path))
        if not self.settings.images.exists():
            raise LookupError(f"there is no image {path}")
        return self.album.decode(self.album.find(name), self.settings.size)


def _names(source: Source, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Iterator[_Named]:
    if isinstance(source, Path) and tables.format_of(source) is None:
        yield _Named({settings.image: source.name}, source.name, source.parent, str(source), 1)
    elif not is_frame(source) and isinstance(source, Sequence):
        for line, name in enumerate(source, 1):
            yield _Named({settings.image: name}, name, Path(), "names", line)
    else:
        form = tables.format_of(source) if isinstance(source, Path) else None
        folder = source.parent if isinstance(source, Path) else Path()
        for row in table(source, form or "csv", settings, False, on_bad_row):
            yield _Named(row.own, row.name, folder, row.source, row.line)


def _vectors(source: Source, settings: CaptionsSettings, on_bad_row: OnBadRow) -> Iterator[Picture]:
    if isinstance(source, Path) and suffix(source) == ".npy":
        for line, values in enumerate(read_array(source), 1):
            yield Picture({settings.image: str(line)}, values)
        return
    if not is_frame(source) and isinstance(source, Sequence):
        raise DataError("features of images are read from a .npy or a table, not from names", settings.images)
    found = read_table(source, settings, on_bad_row)
    for name, values in zip(found.names, found.values, strict=True):
        yield Picture({settings.image: name}, values)
