"""Electricity load of a small town, hour by hour from January to April.

The load follows the hour, the kind of day and the cold: each degree below 15 is heated against. Weather and load also
wander by themselves, so that the last hours say more than the season alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from generators.table import table
from generators.wording import words

START, DAYS = datetime(2023, 1, 1), 120
HOLIDAYS = {(1, 1), (1, 6), (4, 7), (4, 10)}
WORKDAY = words("52 49 48 48 50 57 70 86 95 96 94 93 94 92 90 90 93 99 105 102 94 83 70 60")
FREE_DAY = words("56 52 50 49 49 50 54 61 70 78 83 86 88 84 80 78 79 84 92 93 88 80 71 62")


def kind_of(day: datetime) -> str:
    if (day.month, day.day) in HOLIDAYS:
        return "holiday"
    return "weekend" if day.weekday() >= 5 else "workday"


def files() -> Iterator[tuple[str, str]]:
    random = Random("load")
    front = wander = 0.0
    rows = []
    for hour in range(DAYS * 24):
        time = START + timedelta(hours=hour)
        front = 0.985 * front + random.gauss(0, 0.55)
        wander = 0.9 * wander + random.gauss(0, 1.3)
        season = 1 + 11 * hour / (DAYS * 24)
        temperature = season + 3.5 * math.sin((time.hour - 9) / 24 * 2 * math.pi) + front
        profile = WORKDAY if kind_of(time) == "workday" else FREE_DAY
        load = float(profile[time.hour]) + 1.6 * max(0.0, 15 - temperature) + wander
        rows.append((time.strftime("%Y-%m-%d %H:%M"), f"{load:.1f}", f"{temperature:.1f}", kind_of(time)))
    yield "electricity.csv", table(("time", "load", "temperature", "day"), rows)
