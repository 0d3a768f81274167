"""What a roof of solar cells gives in each hour of a day.

It gives nothing in the dark, the more the higher the sun stands, little under clouds; cells that face east have their
best hours before noon, cells that face west after it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from random import Random

from generators.table import table

DAYS = 300
HOURS = [f"h{hour:02}" for hour in range(24)]


def files() -> Iterator[tuple[str, str]]:
    random = Random("curves")
    rows = []
    for _ in range(DAYS):
        daylight, cloud, west = random.uniform(8, 16), random.random(), random.choice((-1, 0, 1))
        peak = (0.4 + daylight / 16) * 5 * (1 - 0.8 * cloud)
        powers = []
        for hour in range(24):
            height = math.sin(math.pi * (hour - 12 + daylight / 2) / daylight) if abs(hour - 12) < daylight / 2 else 0
            tilt = 1 + 0.6 * west * (hour - 12) / daylight * 2
            powers.append(f"{max(0, peak * height * tilt * random.gauss(1, 0.05)):.1f}")
        rows.append((f"{daylight:.1f}", f"{cloud:.2f}", west, *powers))
    yield "curves.csv", table(("daylight", "cloud", "west", *HOURS), rows)
