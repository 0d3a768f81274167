"""Monthly sales of a dozen shops, whose levels lie far apart.

Each kind of shop has a season of its own (ice cream, toys, books, tools); each shop its trend, and noise in proportion.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from generators.table import table

SEASONS = {
    "ice": (0.3, 0.35, 0.6, 0.9, 1.4, 1.8, 2.0, 1.9, 1.2, 0.7, 0.4, 0.35),
    "toys": (0.7, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.9, 1.0, 1.5, 2.6),
    "books": (0.9, 0.8, 0.9, 0.9, 0.9, 1.0, 1.1, 1.0, 1.1, 1.0, 1.1, 1.3),
    "tools": (0.6, 0.7, 1.1, 1.4, 1.5, 1.3, 1.0, 0.9, 1.1, 1.0, 0.8, 0.6),
}
MONTHS = 120


def files() -> Iterator[tuple[str, str]]:
    random = Random("shops")
    rows = []
    for number in range(1, 13):
        kind = list(SEASONS)[number % 4]
        level, growth = 10 ** random.uniform(1.5, 3.5), random.gauss(0.004, 0.004)
        wander = 0.0
        for month in range(MONTHS):
            wander = 0.8 * wander + random.gauss(0, 0.02)
            sales = level * math.exp(growth * month + wander) * SEASONS[kind][month % 12] * random.gauss(1, 0.08)
            rows.append((f"{kind}-{number:02}", f"{2014 + month // 12}-{month % 12 + 1:02}", round(sales)))
    yield "shops.csv", table(("shop", "month", "sales"), rows)
