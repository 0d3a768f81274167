"""Flats to let: a short description and the monthly rent.

The rent follows from size, district and what is told of the flat, some of it denied ("no balcony"), times a factor of
one to the other by chance: one twelfth up or down.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from generators.table import table

ROOMS = {"one room": 24, "two rooms": 41, "three rooms": 60, "four rooms": 79, "five rooms": 101}
DISTRICTS = {
    "old town": 17.5, "harbour": 16.0, "university quarter": 15.0, "garden city": 13.5, "station": 12.0,
    "north end": 10.5, "mill lane": 9.5,
}  # fmt: skip
EXTRAS = {"balcony": 45, "lift": 35, "garage": 70, "garden": 80, "fitted kitchen": 55, "bath tub": 20}
STATES = {"newly built": 1.2, "renovated": 1.1, "well kept": 1.0, "simple": 0.9, "in need of work": 0.75}
SIZES = {"small": 0.85, "bright": 1.0, "quiet": 1.0, "large": 1.15}


def flat(random: Random) -> tuple[str, int]:
    size, district, state = (random.choice(list(kind)) for kind in (SIZES, DISTRICTS, STATES))
    rooms = random.choices(list(ROOMS), (2, 4, 4, 2, 1))[0]
    rent = ROOMS[rooms] * SIZES[size] * DISTRICTS[district] * STATES[state]
    words = [f"{size} flat", rooms, state, random.choice(("near the", "in the", "close to the")) + f" {district}"]
    random.shuffle(words)
    for extra in random.sample(list(EXTRAS), random.randint(0, 3)):
        there = random.random() < 0.7
        words.append(f"with {extra}" if there else f"no {extra}")
        rent += EXTRAS[extra] if there else 0
    return " , ".join(words), round(rent * random.gauss(1, 1 / 12) / 5) * 5


def files() -> Iterator[tuple[str, str]]:
    random = Random("homes")
    drawn = (flat(random) for _ in range(1200))
    yield (
        "homes.csv",
        table(("id", "description", "rent"), ((i, text, rent) for i, (text, rent) in enumerate(drawn, 1))),
    )
