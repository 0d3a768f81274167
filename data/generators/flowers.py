"""Three invented kinds of a flower by four measures in centimetres; two of the kinds overlap."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.table import table

KINDS = {
    "alpine": (9.0, 2.1, 1.1, 0.9),
    "meadow": (14.5, 3.1, 1.6, 1.6),
    "marsh": (17.0, 3.4, 1.5, 2.1),
}
SPREAD = (2.2, 0.45, 0.25, 0.3)


def files() -> Iterator[tuple[str, str]]:
    random = Random("flowers")
    rows = []
    for _ in range(300):
        kind = random.choice(list(KINDS))
        size = random.gauss(0, 0.6)  # A large plant is large in all its parts.
        measures = (
            mean + spread * (size + random.gauss(0, 0.8)) for mean, spread in zip(KINDS[kind], SPREAD, strict=True)
        )
        rows.append((*(f"{max(0.1, value):.1f}" for value in measures), kind))
    yield "flowers.csv", table(("stem", "leaf_length", "leaf_width", "petal", "kind"), rows)
