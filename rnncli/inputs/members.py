"""Files below a folder or in a zip file, read where they lie."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from rnncli.errors import DataError
from rnncli.inputs.files import check_exists

LARGEST = 2**30
"""Bytes of a file that is read whole; a zip file of a few kilobytes may hold one that would fill the memory."""


class Members:
    """The files below a folder or in a zip file, hidden ones left out.

    Attributes:
        names: of all of them, with the folders they are in, in order.

    Raises:
        DataError: there is no such folder or zip file, it can't be opened, or a name is no text.
    """

    def __init__(self, path: Path) -> None:
        check_exists(path)
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_dir():
            found = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
        else:
            try:
                self._zip = zipfile.ZipFile(path)
            except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
                raise DataError(f"is no folder and can't be opened as a zip file ({error})", path) from None
            found = [name for name in self._zip.namelist() if not name.endswith("/")]
        self.names = sorted({name for name in found if not _is_hidden(name)})
        for name in self.names:
            try:
                name.encode()
            except UnicodeEncodeError:
                raise DataError(f"has a file whose name is no valid Unicode, {name!a}; rename it", path) from None

    def file(self, name: str) -> Path:
        """Where its bytes lie: the file itself, or the zip file."""
        return self.path / name if self._zip is None else self.path

    def place(self, name: str) -> str:
        """What a message calls it."""
        return f"{self.path}/{name}"

    def read(self, name: str) -> bytes:
        """All its bytes.

        Raises:
            DataError: it can't be read, or is too large.
        """
        if self._zip is None:
            return read_whole(self.path / name)
        _check_size(self._zip.getinfo(name).file_size, self.place(name))
        try:
            return self._zip.read(name)
        # RuntimeError: a password is asked for, or the way of compression is unknown.
        except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
            raise DataError(f"can't be read from the zip file ({error})", self.place(name)) from None


def read_whole(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        DataError: it can't be read, or is too large.
    """
    try:
        _check_size(path.stat().st_size, path)
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"can't be opened ({error.strerror or error})", path) from None


def _check_size(size: int, place: str | Path) -> None:
    if size > LARGEST:
        raise DataError(f"has {size:,} bytes, more than the {LARGEST:,} that are read of one file", place)


def _is_hidden(name: str) -> bool:
    return any(part[0] == "." or part == "__MACOSX" for part in PurePosixPath(name).parts)
