"""Files as they lie there: compressed or not, in any encoding, line by line."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from rnncli.errors import DataError, MissingExtra, UserError, nearest

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")

OnBadRow = Callable[[DataError], None]
"""Is told of a row that can't be read and is left out; may raise."""


def suffix(path: Path) -> str:
    """The suffix below that of the compression, in lower case: ".csv" of "a.CSV.gz"."""
    name = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    return name.suffix.lower()


def place(source: Path | BinaryIO) -> str:
    """What a message calls the source."""
    return str(source) if isinstance(source, Path) else "standard input"


def check_exists(path: Path) -> None:
    """Raises a DataError with the nearest name there is, where `path` is neither a file nor a folder."""
    if path.exists():
        return
    folder = path.parent
    if not folder.is_dir():
        while not folder.parent.is_dir():
            folder = folder.parent
        close = nearest(folder.name, (entry.name for entry in folder.parent.iterdir() if entry.is_dir()))
        hint = f"; the nearest in {folder.parent} is {close}" if close else ""
        raise DataError(f"no such file: there is no folder {folder}{hint}", path)
    present = [entry.name for entry in folder.iterdir()]
    close = nearest(path.name, present)
    hint = f"the nearest in {folder} is {close}" if close else f"{folder} has {_some(present)}"
    raise DataError(f"no such file; {hint}", path)


def _some(names: list[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "") or "no files"


def open_binary(path: Path) -> BinaryIO:
    """The bytes of a file, decompressed where its name ends in .gz, .bz2, .xz or .zst.

    Raises:
        DataError: there is no such file, or it can't be opened.
        MissingExtra: a .zst file without the package zstandard.
    """
    check_exists(path)
    if path.is_dir():
        raise DataError("is a folder where a file is needed", path)
    try:
        match path.suffix.lower():
            case ".gz":
                # Its own lines are cut in Python.
                return io.BufferedReader(cast(io.RawIOBase, gzip.open(path)))
            case ".bz2":
                return cast(BinaryIO, bz2.open(path))
            case ".xz":
                return cast(BinaryIO, lzma.open(path))
            case ".zst":
                return _open_zst(path)
            case _:
                return path.open("rb")
    except OSError as error:
        raise DataError(f"can't be opened ({error.strerror or error})", path) from None


def _open_zst(path: Path) -> BinaryIO:
    try:
        import zstandard
    except ImportError:
        raise MissingExtra("zstandard", "zstd", f"reading {path.name}") from None
    reader = zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True)
    return io.BufferedReader(cast(io.RawIOBase, reader))


def damage() -> tuple[type[Exception], ...]:
    """What reading a damaged file raises."""
    zstandard = sys.modules.get("zstandard")
    own = () if zstandard is None else (zstandard.ZstdError,)
    return (OSError, EOFError, zlib.error, lzma.LZMAError, *own)


def lines(
    source: Path | BinaryIO, encoding: str = "utf-8", on_bad_row: OnBadRow | None = None
) -> Iterator[tuple[int, str]]:
    """(line number from 1, text without its line end) of each line, as they are read.

    A byte order mark and the CR of CRLF are taken away; a CR elsewhere stays.

    Args:
        on_bad_row: is told of each line that holds bad bytes instead of an error being raised; in encodings of several
            bytes for each line end (UTF-16) reading can't go on behind them, and it raises all the same.

    Raises:
        DataError: the file is absent or damaged, or holds bytes that are not of this encoding.
    """
    codec = _codec(encoding)
    stream = open_binary(source) if isinstance(source, Path) else source
    try:
        if "\n".encode(codec) == b"\n":
            yield from _narrow_lines(stream, place(source), codec, on_bad_row)
        else:
            yield from _wide_lines(stream, place(source), codec)
    except damage() as error:
        raise DataError(f"is damaged or can't be read ({error})", place(source)) from None
    finally:
        if isinstance(source, Path):
            stream.close()


def _narrow_lines(stream: BinaryIO, name: str, codec: str, on_bad_row: OnBadRow | None) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(stream, 1):
        end = -2 if raw.endswith(b"\r\n") else -1 if raw.endswith(b"\n") else None
        try:
            text = raw[:end].decode(codec)
        except UnicodeDecodeError as error:
            byte = error.object[error.start : error.start + 1].hex()
            bad = DataError(f"byte 0x{byte} (column {error.start + 1}) is not {codec}; {_ADVICE}", name, number)
            if on_bad_row is None:
                raise bad from None
            on_bad_row(bad)
            continue
        yield number, text.removeprefix("\ufeff") if number == 1 else text


def _wide_lines(stream: BinaryIO, name: str, codec: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        # newline="\n" keeps a lone CR from ending a line.
        for number, text in enumerate(io.TextIOWrapper(stream, codec, newline="\n"), 1):
            plain = text.removesuffix("\n").removesuffix("\r")
            yield number, plain.removeprefix("\ufeff") if number == 1 else plain
    except UnicodeError:
        raise DataError(
            f"in or soon after this line are bytes that are not {codec}; {_ADVICE}", name, number + 1
        ) from None


_ADVICE = "state the file's encoding (data.encoding)"


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise UserError(f"data.encoding: unknown encoding {encoding!r}; utf-8, latin-1, cp1252 are common") from None
    return "utf-8" if name == "utf-8-sig" else name


def sha256(path: Path) -> str:
    """The hash of a file's bytes as they lie there, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
