"""Pictures of two coloured shapes, what they show in two sentences, and how much of each strip is coloured.

Which shape stands above, below, left or right of the other has to be seen, and colour and shape of each belong
together. Each sentence begins with another of the two.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from random import Random

from generators.table import table

SIZE, SIDE = 16, 6
PICTURES = 200
COLOURS = {"red": (220, 40, 40), "green": (40, 160, 60), "blue": (50, 80, 220), "yellow": (235, 205, 50)}
OPPOSITE = {"above": "below", "below": "above", "left of": "right of", "right of": "left of"}
SHAPES = {
    "square": "###### ###### ###### ###### ###### ######",
    "circle": "..##.. .####. ###### ###### .####. ..##..",
    "triangle": "..##.. ..##.. .####. .####. ###### ######",
    "cross": "..##.. ..##.. ###### ###### ..##.. ..##..",
}


def picture(random: Random) -> tuple[bytes, list[str], list[int]]:
    """A PNG, two captions, and the coloured pixels of each strip of two columns."""
    shapes = random.sample(list(SHAPES), 2)
    colours = random.sample(list(COLOURS), 2)
    relation = random.choice(list(OPPOSITE))
    near, far = random.randint(0, 2), random.randint(SIZE - SIDE - 2, SIZE - SIDE)
    along = [near, far] if relation in ("above", "left of") else [far, near]
    across = [random.randint(2, SIZE - SIDE - 2)] * 2
    rows, columns = (along, across) if relation in ("above", "below") else (across, along)
    grid = [[0] * SIZE for _ in range(SIZE)]
    for number in (0, 1):
        for down, line in enumerate(SHAPES[shapes[number]].split()):
            for right, mark in enumerate(line):
                if mark == "#":
                    grid[rows[number] + down][columns[number] + right] = number + 1
    first, second = (f"a {colour} {shape}" for colour, shape in zip(colours, shapes, strict=True))
    back = random.randint(200, 250)
    palette = [(back, back, back), *(COLOURS[colour] for colour in colours)]
    captions = [f"{first} {relation} {second}", f"{second} {OPPOSITE[relation]} {first}"]
    strips = [sum(bool(pixel) for row in grid for pixel in row[left : left + 2]) for left in range(0, SIZE, 2)]
    return png(grid, palette), captions, strips


def png(grid: list[list[int]], palette: list[tuple[int, int, int]]) -> bytes:
    """A picture of four colours at most, not compressed: the same bytes whatever zlib is there."""
    lines = b"".join(
        b"\0" + bytes(sum(row[k + n] << 6 - 2 * n for n in range(4)) for k in range(0, len(row), 4)) for row in grid
    )
    stored = b"\x78\x01\x01" + struct.pack("<HH", len(lines), len(lines) ^ 0xFFFF) + lines
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", len(grid[0]), len(grid), 2, 3, 0, 0, 0),
        b"PLTE": b"".join(bytes(colour) for colour in palette),
        b"IDAT": stored + struct.pack(">I", zlib.adler32(lines)),
        b"IEND": b"",
    }
    written = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def files() -> Iterator[tuple[str, str | bytes]]:
    random = Random("shapes")
    drawn = [(f"{number:03}.png", *picture(random)) for number in range(PICTURES)]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, content, *_ in drawn:
            file.writestr(zipfile.ZipInfo(name), content)  # dated 1980
    yield "shapes.zip", archive.getvalue()
    rows = [(name, caption) for name, _, captions, _ in drawn for caption in captions]
    yield "shapes.csv", table(("image", "caption"), rows)
    head = ("image", *(f"strip{number}" for number in range(SIZE // 2)))
    yield "shapes_strips.csv", table(head, [(name, *strips) for name, *_, strips in drawn])
