"""The files of a folder, a zip file or a manifest, and what is known of each before it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rnncli.errors import DataError
from rnncli.inputs.audio.settings import FOLDER, AudioSettings
from rnncli.inputs.files import OnBadRow, check_exists, lines, suffix
from rnncli.inputs.members import Members, read_whole
from rnncli.inputs.tables import format_of, require, rows

if TYPE_CHECKING:
    import pandas as pd

SOUNDS, STORED = (".wav", ".flac"), (".npy", ".csv")
"""Suffixes of sounds, and of features that were computed before."""


@dataclass(frozen=True)
class Entry:
    """One file.

    Attributes:
        name: of the file, with its suffix.
        place, line: where it lies or is named, for messages.
        file: itself, or the zip file that it is in.
        columns: what is known of it: the columns of its manifest, the groups of its name, and its folder.
        own: what a predictions file repeats of it.
        read: gives its bytes.
    """

    name: str
    place: str
    line: int | None
    file: Path
    columns: Mapping[str, str]
    own: Mapping[str, str]
    read: Callable[[], bytes]

    def bad(self, message: str) -> DataError:
        return DataError(message, self.place, self.line)


def entries(
    source: Path | pd.DataFrame | Sequence[str], settings: AudioSettings, on_bad_row: OnBadRow, *, named: bool = True
) -> list[Entry]:
    """The files of a folder or zip file in the order of their names, those that a manifest or a list of paths names in
    its order, or one file.

    Args:
        named: the name of each must match `settings.name`, which says more about it; else it is a bad row.

    Raises:
        DataError: there are none, or a manifest or zip file can't be read.
    """
    where = source if isinstance(source, Path) else None
    if where is None:
        found = _of_manifest(source, settings, on_bad_row)
    else:
        check_exists(where)
        if _is_collection(where):
            found = _of_members(Members(where))
        elif suffix(where) in SOUNDS or suffix(where) == ".npy" or _holds_numbers(where, settings):
            found = iter([_of_path(where, {"file": where.name})])
        else:
            found = _of_manifest(where, settings, on_bad_row)
    name = settings.name if named else None
    kept = [entry for entry in (_named(each, name, on_bad_row) for each in found) if entry is not None]
    if not kept:
        raise DataError(f"has no file that can be used (of {', '.join(SOUNDS + STORED)})", where)
    return kept


def left_out(source: Path) -> str | None:
    """A sentence about the files of a folder or zip file that are no recordings; hidden ones count for nothing."""
    if not _is_collection(source):
        return None
    others = [name for name in Members(source).names if not _is_ours(name)]
    if not others:
        return None
    shown = ", ".join(others[:5]) + (", ..." if len(others) > 5 else "")
    are = "file that is no recording" if len(others) == 1 else "files that are no recordings"
    return f"left out of {source.name}: {len(others)} {are} ({shown})"


def _of_members(members: Members) -> Iterator[Entry]:
    top = members.path.name if members.path.is_dir() else members.path.stem
    for name in filter(_is_ours, members.names):
        inner, read = PurePosixPath(name), partial(members.read, name)
        columns = {FOLDER: inner.parent.name or top}
        yield Entry(inner.name, members.place(name), None, members.file(name), columns, {"file": name}, read)


def _of_path(path: Path, own: Mapping[str, str]) -> Entry:
    return Entry(path.name, str(path), None, path, {FOLDER: path.parent.name}, own, partial(read_whole, path))


def _is_collection(path: Path) -> bool:
    return path.is_dir() or suffix(path) == ".zip"


def _is_ours(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SOUNDS + STORED


def _of_manifest(
    source: Path | pd.DataFrame | Sequence[str], settings: AudioSettings, on_bad_row: OnBadRow
) -> Iterator[Entry]:
    """Paths of a frame or list are relative to the current folder."""
    place, folder = (str(source), source.parent) if isinstance(source, Path) else ("the paths given", Path.cwd())
    if isinstance(source, Sequence):
        named = ((number, {settings.input: text}) for number, text in enumerate(source, 1))
    else:
        format = format_of(source) if isinstance(source, Path) else "csv"
        if format is None:
            raise DataError(
                f"is neither a recording ({', '.join(SOUNDS + STORED)}), nor a folder or zip file of them, nor a "
                "manifest (a table .csv, .tsv, .jsonl, .parquet)",
                place,
            )
        table = rows(
            source,
            format,
            columns=settings.columns,
            without=[settings.target.column],
            separator=settings.separator,
            encoding=settings.encoding,
            on_bad_row=on_bad_row,
        )
        named = ((row.line, row.values) for row in table)
    for line, columns in named:
        require(columns, [settings.input], place, "data.input")
        path = folder / columns[settings.input]
        try:
            check_exists(path)
            if path.is_dir():
                raise DataError("is a folder where a file is needed", path)
        except DataError as error:
            on_bad_row(DataError(str(error), place, line))
            continue
        known = columns if FOLDER in columns else {**columns, FOLDER: path.parent.name}
        yield replace(_of_path(path, columns), columns=known, place=f"{place}:{line}: {path}")


def _holds_numbers(path: Path, settings: AudioSettings) -> bool:
    """Whether a .csv has numbers from its first line on, which a manifest can't have."""
    if suffix(path) != ".csv":
        return False
    first = next((text for _, text in lines(path, settings.encoding) if text.strip()), "")
    try:
        return bool([float(cell) for cell in first.split(settings.separator)])
    except ValueError:
        return False


def _named(entry: Entry, expression: str | None, on_bad_row: OnBadRow) -> Entry | None:
    """The entry with the groups of its name."""
    if expression is None:
        return entry
    stem = PurePosixPath(entry.name).stem
    found = re.fullmatch(expression, stem)
    if found is None:
        on_bad_row(entry.bad(f"the name {stem!r} does not match data.name, {expression!r}"))
        return None
    groups = {name: text or "" for name, text in found.groupdict().items()}
    for name in groups.keys() & entry.columns.keys():
        raise entry.bad(f"{name!r} is a column of the manifest and a group of data.name; rename one")
    return replace(entry, columns={**entry.columns, **groups})
