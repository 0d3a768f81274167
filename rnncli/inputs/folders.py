"""Folders whose files or sub-folders are classes of texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import TypeVar

from rnncli.errors import DataError
from rnncli.inputs.files import COMPRESSED, check_exists, suffix

T = TypeVar("T")


def holds_folders(path: Path) -> bool:
    """Whether the classes of a folder are its sub-folders, each file of theirs one text."""
    return path.is_dir() and any(
        _is_text(inner) for entry in path.iterdir() if _is_folder(entry) for inner in entry.iterdir()
    )


def texts_of(path: Path, whole: bool) -> list[Path]:
    """The files of texts that a path stands for: itself, or the .txt files of a folder, or of its sub-folders where
    there are any and each file is one text.

    Raises:
        DataError: there are none.
    """
    check_exists(path)
    if path.is_file():
        return [path]
    folders = [entry for entry in path.iterdir() if _is_folder(entry)] if whole and holds_folders(path) else [path]
    entries = [entry for folder in folders for entry in folder.iterdir()]
    found = sorted(entry for entry in entries if _is_text(entry))
    if not found:
        raise DataError("has no .txt files", path)
    return found


def class_of(file: Path, whole: bool) -> str:
    """The class that a file's place says: its folder, or its own name."""
    if whole:
        return file.parent.name
    return (file.with_suffix("") if file.suffix.lower() in COMPRESSED else file).stem


def of_classes(readers: Iterable[tuple[str, Iterator[T]]], limit: int | None) -> Iterator[T]:
    """What is read of each class, one class after another; where limited, an equal share of each.

    Args:
        readers: of each file its class and what stands in it; several files may be of one class.
    """
    found: dict[str, list[Iterator[T]]] = {}
    for kind, reader in readers:
        found.setdefault(kind, []).append(reader)
    classes = [chain.from_iterable(each) for each in found.values()]
    if limit is None:
        return chain.from_iterable(classes)
    return islice((one for turn in zip_longest(*classes) for one in turn if one is not None), limit)


def left_out(folder: Path, whole: bool) -> list[str]:
    """The names of the visible files of a folder of classes that hold no texts."""
    visible = [entry for entry in folder.iterdir() if entry.is_file() and entry.name[0] != "."]
    return sorted(entry.name for entry in visible if whole or not _is_text(entry))


def _is_text(path: Path) -> bool:
    return path.is_file() and suffix(path) == ".txt" and path.name[0] != "."


def _is_folder(path: Path) -> bool:
    return path.is_dir() and path.name[0] != "."
