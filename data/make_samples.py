"""Writes the samples of this folder, or of another one: python data/make_samples.py [FOLDER].

Everything is drawn from seeded generators of the standard library, whose streams are the same on every machine: the
same bytes come out each time, and a test holds them against the files that are kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from generators import (
    curves,
    dates,
    entities,
    fables,
    flowers,
    gestures,
    homes,
    keys,
    load,
    machine,
    messages,
    music,
    reviews,
    shapes,
    shops,
)

SAMPLES = (
    curves,
    dates,
    entities,
    fables,
    flowers,
    gestures,
    homes,
    keys,
    load,
    machine,
    messages,
    music,
    reviews,
    shapes,
    shops,
)


def write_all(folder: Path) -> None:
    for sample in SAMPLES:
        for name, content in sample.files():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
