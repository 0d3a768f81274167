"""Dates as people write them, and the same as YYYY-MM-DD.

Months and days stand in any order, in words, in digits or shortened, with or without the day of the week; of a year the
century may be left out, which is then this one up to 40 and the last one after. Where all is digits, points part a day
from its month, and slashes begin with the year.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from generators.table import table
from generators.wording import phrases, words

MONTHS = words("January February March April May June July August September October November December")
WEEKDAYS = words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
FORMS = phrases(
    "{d} {month} {y} | {d} {month} {y} | {nth} of {month} {y} | the {nth} of {month} {y} | {month} {d} , {y} | "
    "{month} {nth} , {y} | {weekday} {d} {month} {y} | {weekday} , {month} {d} , {y} | "
    "on {weekday} the {nth} of {month} {y} | {d}.{m}.{y} | {d:02}.{m:02}.{y} | {year}/{m}/{d} | "
    "{year}/{m:02}/{d:02} | in {year} on {month} {nth} | {y} {month} {d}"
)


def written(random: Random, day: date) -> str:
    month, weekday = MONTHS[day.month - 1], WEEKDAYS[day.weekday()]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10 if day.day // 10 != 1 else 0, "th")
    full = str(day.year)
    text = random.choice(FORMS).format(
        d=day.day,
        m=day.month,
        y=full if random.random() < 0.75 else f"'{full[2:]}",
        year=full,
        nth=f"{day.day}{ending}",
        month=month if random.random() < 0.6 else month[:3],
        weekday=weekday if random.random() < 0.5 else weekday[:3],
    )
    text = text.replace(" ,", ",")
    return random.choice((text, text, text.lower(), text.upper()))


def files() -> Iterator[tuple[str, str]]:
    random = Random("dates")
    first, last = date(1941, 1, 1).toordinal(), date(2040, 12, 31).toordinal()
    days = (date.fromordinal(random.randint(first, last)) for _ in range(600))
    yield "dates.csv", table(("written", "iso"), [(written(random, day), day.isoformat()) for day in days])
