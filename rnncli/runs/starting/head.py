"""The first lines of a file, and how many there are."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rnncli.errors import DataError
from rnncli.inputs.files import damage, lines, open_binary

LOOKED_AT = 1000
"""Lines, or rows of a table, from which everything is guessed."""

_BLOCK = 1 << 20
_COUNTED = 64
"""Blocks of a file within which lines are counted; of the rest it is only known that it is there."""


@dataclass(frozen=True)
class Head:
    """The beginning of a text file.

    Attributes:
        lines: at most LOOKED_AT, without line ends.
        count: lines of the whole file, or of its first 64 MiB.
        more: the file is longer than that.
    """

    path: Path
    encoding: str
    lines: list[str]
    count: int
    more: bool

    @property
    def filled(self) -> list[str]:
        """The lines that hold more than white space."""
        return [line for line in self.lines if line.strip()]

    def seen(self, noun: str, of: int | None = None) -> str:
        """How much of the file was looked at: "the first 1,000 of 6,920 rows".

        Args:
            of: how many there are in all, where these are not lines.
        """
        count = self.count if of is None else of
        if count <= LOOKED_AT and not self.more:
            return f"all {count:,} {noun}"
        return f"the first {LOOKED_AT:,} of {'more than ' if self.more else ''}{count:,} {noun}"


def look(path: Path) -> Head:
    """Reads the beginning of a file, compressed or not.

    Raises:
        DataError: it is absent, empty or damaged.
    """
    first, count, more = b"", 0, False
    try:
        with open_binary(path) as file:
            first = file.read(_BLOCK)
            block, last = first, b""
            for _ in range(_COUNTED):
                count += block.count(b"\n")
                last, block = block[-1:] or last, file.read(_BLOCK)
                if not block:
                    break
            more = bool(block)
    except damage() as error:
        raise DataError(f"is damaged or can't be read ({error})", path) from None
    if not first.strip():
        raise DataError("is empty", path)
    encoding = _encoding(first)
    read = [text for _, text in islice(lines(path, encoding), LOOKED_AT)]
    return Head(path, encoding, read, max(count + (last != b"\n"), len(read)), more)


def _encoding(first: bytes) -> str:
    """The encoding that the first bytes can be read in."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for name in ("utf-8", "cp1252"):
        try:
            # Only whole lines: the block may end within a character.
            first[: first.rfind(b"\n") + 1 or None].decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "latin-1"
