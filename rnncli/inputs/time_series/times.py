"""Times: read from text, written as text, their usual step and what follows the last."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from rnncli.errors import UserError
from rnncli.inputs.time_series.numbers import numbers

_ZONE = (
    r"^(?P<bare>.*[T ]\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?)(?P<blank>\s?)"
    r"(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)$"
)
_ISO = re.compile(r"^\d{4}([-/.])\d{1,2}(?:\1(\d{1,2})(?:([T ])\d{1,2}(?::(\d{2})(?::(\d{2})([.,]\d+)?)?)?)?)?$")
_OFFSET = re.compile(r"Z|UTC|GMT|[+-]\d{2}:?\d{2}")

_DAY = 86_400 * 10**9
_UNITS = (("day", _DAY), ("hour", _DAY // 24), ("minute", 60 * 10**9), ("second", 10**9))

_EARLIEST, _LATEST = np.datetime64("1678-01-01"), np.datetime64("2262-01-01")


@dataclass(frozen=True)
class Parsed:
    """A column of times as read.

    Attributes:
        values: (rows,) datetime64[ns], as the clock of the zone shows them, or float64.
        wrong: (rows,) bool: those that were not understood; their value means nothing.
        zones: each zone that is written, "" for none, and the first row that writes it.
        form: how times are written, as in strftime and without the zone; None for plain numbers.
    """

    values: np.ndarray
    wrong: np.ndarray
    zones: dict[str, int]
    form: str | None


def parse(texts: pa.Array, time_format: str | None = None, plain: bool | None = None) -> Parsed:
    """Reads a column of times: by `time_format`, or as plain numbers, or as ISO 8601 ("1949-01", "2016-07-01 00:00").

    Args:
        plain: whether they are plain numbers; None for what most of the first are.

    Raises:
        UserError: strptime doesn't know the `time_format`.
    """
    # Panels repeat their times: each distinct text is parsed once.
    encoded = pc.dictionary_encode(pc.utf8_trim_whitespace(texts))
    words, codes = encoded.dictionary, encoded.indices.to_numpy()
    if plain is None:
        plain = _mostly_numbers(words[:1000])
    if time_format is None and plain:
        values, wrong = numbers(words)
        values, wrong = values[codes], (wrong | np.isnan(values))[codes]
        return Parsed(values, wrong, {}, None)
    stamps, zones, form = _iso(words) if time_format is None else _formatted(words.to_pylist(), time_format)
    days = stamps.astype("datetime64[D]")
    wrong = np.isnat(stamps) | (days < _EARLIEST) | (days >= _LATEST)
    stamps = np.where(wrong, np.datetime64("NaT"), stamps).astype("datetime64[ns]")
    understood = np.flatnonzero(~wrong)
    # The dictionary is in the order of first rows, so the first word of a zone has its first row.
    written, words_of = np.unique(zones[understood], return_index=True)
    first = {str(zone): int((codes == understood[word]).argmax()) for zone, word in zip(written, words_of, strict=True)}
    return Parsed(stamps[codes], wrong[codes], first, form)


def _mostly_numbers(words: pa.Array) -> bool:
    values, wrong = numbers(words)
    return int((~np.isnan(values)).sum()) >= max(1, int(wrong.sum()))


def _iso(words: pa.Array) -> tuple[np.ndarray, np.ndarray, str]:
    """Stamps, zones and form of ISO texts."""
    split = pc.extract_regex(words, _ZONE)
    bare = pc.coalesce(pc.struct_field(split, "bare"), words)
    zones = pc.fill_null(pc.struct_field(split, "zone"), "").to_numpy(zero_copy_only=False)
    blank = bool(pc.any(pc.equal(pc.struct_field(split, "blank"), " ")).as_py())
    texts = bare.to_pylist()
    return _stamps(texts, "ISO8601"), zones.astype(str), _form(texts) + (" " if blank else "")


def _stamps(texts: list[str], time_format: str) -> np.ndarray:
    stamps = pd.to_datetime(pd.Series(texts, dtype=object), format=time_format, errors="coerce").to_numpy()
    # Where no text is understood, pandas has no resolution to choose.
    return stamps.astype("datetime64[ns]") if stamps.dtype == object else stamps


def _form(words: list[str]) -> str:
    """The strftime form of the most detailed of ISO texts."""
    parts = _ISO.match(max(words, key=len, default=""))
    if parts is None:
        return "%Y-%m-%d %H:%M:%S"
    mark, day, between, minute, second, fraction = parts.groups()
    form = f"%Y{mark}%m"
    for there, more in ((day, f"{mark}%d"), (between, f"{between}%H"), (minute, ":%M"), (second, ":%S")):
        form += more if there else ""
    return form + (f"{fraction[0]}%f" if fraction else "")


def _formatted(words: list[str], time_format: str) -> tuple[np.ndarray, np.ndarray, str]:
    zones = [""] * len(words)
    try:
        if "%z" not in time_format:
            return _stamps(words, time_format), np.array(zones, str), time_format
    except ValueError as error:
        raise UserError(f"data.time_format: {time_format!r} is no form that strptime knows ({error})") from None
    stamps = np.full(len(words), np.datetime64("NaT"), "datetime64[us]")
    for position, word in enumerate(words):
        try:
            stamps[position] = np.datetime64(datetime.strptime(word, time_format).replace(tzinfo=None))
        except ValueError:
            continue
        zones[position] = _OFFSET.findall(word)[-1]
    return stamps, np.array(zones, str), time_format


def as_text(times: np.ndarray, form: str | None, zone: str | None) -> list[str]:
    """Times as the input writes them: `form` and `zone` of its Series."""
    if form is None:
        return [str(int(time)) if float(time).is_integer() else repr(float(time)) for time in times]
    tail = "" if zone is None or "%z" in form else zone
    return [text + tail for text in pd.DatetimeIndex(times).strftime(form.replace("%z", zone or ""))]


@dataclass(frozen=True)
class Frequency:
    """The usual step from one time to the next: `count` of a unit.

    Attributes:
        last_day: of months: every time is the last day of its month.
    """

    unit: Literal["month", "business day", "nanosecond", "number"]
    count: float
    last_day: bool = False

    def __str__(self) -> str:
        if self.unit == "nanosecond":
            return span(self.count)
        return f"{self.count:g}" if self.unit == "number" else _count(self.count, self.unit)


def frequency(times: np.ndarray) -> Frequency | None:
    """The usual step of ascending times: the one at least half of the steps have; None where no step is usual.

    Times of the same day of the month, or all on its last day, step in months (quarters, years). Daily times that
    skip every weekend step in business days.
    """
    if len(times) < 2:
        return None
    if times.dtype.kind == "f":
        step = _usual(np.round(np.diff(times), 9))
        return None if step is None else Frequency("number", step)
    days, months = times.astype("datetime64[D]"), times.astype("datetime64[M]")
    clock = times - days
    if (clock == clock[0]).all():
        of_month = days - months.astype("datetime64[D]")
        ends = bool(((days + 1).astype("datetime64[M]") > months).all())
        if ends or (of_month == of_month[0]).all():
            step = _usual(np.diff(months).astype(np.int64))
            return None if step is None else Frequency("month", step, ends)
    step = _usual(np.diff(times).astype("timedelta64[ns]").astype(np.int64))
    if step is None:
        return None
    weekends = not np.is_busday(days).all()
    crosses = bool((np.busday_count(days[:-1], days[1:]) < np.diff(days).astype(np.int64)).any())
    if step == _DAY and not weekends and crosses:
        return Frequency("business day", 1)
    return Frequency("nanosecond", step)


def _usual(steps: np.ndarray) -> float | None:
    distinct, counts = np.unique(steps, return_counts=True)
    most = int(counts.argmax())
    return distinct[most].item() if 2 * counts[most] >= len(steps) else None


def future(times: np.ndarray, horizon: int, step: Frequency | None = None) -> np.ndarray | None:
    """(horizon,) the times that follow the last of `times`; None where no step is usual.

    Args:
        step: the usual step, where it is known better than from these times; ignored where it is one of dates and
            these times are numbers, or the other way round.
    """
    if step is None or (step.unit == "number") != (times.dtype.kind == "f"):
        step = frequency(times)
    if step is None:
        return None
    last, ahead = times[-1], np.arange(1, horizon + 1)
    if step.unit == "number":
        # Rounding hides that 0.1 has no exact binary form: 0.3, not 0.30000000000000004.
        return np.asarray(np.round(last + ahead * step.count, 9))
    if step.unit == "nanosecond":
        return np.asarray(last + (ahead * int(step.count)).astype("timedelta64[ns]"))
    day = last.astype("datetime64[D]")
    if step.unit == "business day":
        days = np.busday_offset(day, ahead, roll="backward")
    else:
        months = day.astype("datetime64[M]") + ahead * int(step.count)
        final = (months + 1).astype("datetime64[D]") - 1
        same = months.astype("datetime64[D]") + (day - day.astype("datetime64[M]").astype("datetime64[D]"))
        days = final if step.last_day else np.minimum(same, final)
    return np.asarray((days + (last - day)).astype("datetime64[ns]"))


def season_of(step: Frequency | None) -> int:
    """Steps of the season that goes with a step: a year of months or weeks, a week of days, a day of anything from
    5 minutes, an hour of minutes, a minute of seconds; 1 where none goes."""
    if step is None or step.unit == "number":
        return 1
    if step.unit == "business day":
        return 5
    if step.unit == "month":
        return int(12 // step.count) if 12 % step.count == 0 else 1
    if step.count % _DAY == 0:
        return {1: 7, 7: 52}.get(int(step.count // _DAY), 1)
    minute = _DAY // 1440
    whole = _DAY if step.count >= 5 * minute else 60 * minute if step.count >= minute else minute
    return int(whole // step.count) if whole % step.count == 0 else 1


def gaps(times: np.ndarray, step: Frequency) -> np.ndarray:
    """The positions after which times are absent."""
    if step.unit == "month":
        return np.flatnonzero(np.diff(times.astype("datetime64[M]")).astype(np.int64) > step.count)
    if step.unit == "business day":
        days = times.astype("datetime64[D]")
        return np.flatnonzero(np.busday_count(days[:-1], days[1:]) > 1)
    steps = np.diff(times)
    return np.flatnonzero((steps if times.dtype.kind == "f" else steps.astype(np.int64)) > 1.5 * step.count)


def span(nanoseconds: float) -> str:
    """A stretch of time in its largest unit that fits: "5 days", "90 minutes"."""
    for unit, size in _UNITS:
        if nanoseconds % size == 0:
            return _count(nanoseconds // size, unit)
    return f"{nanoseconds / 10**9:g} seconds"


def _count(number: float, unit: str) -> str:
    return f"{number:g} {unit}{'' if number == 1 else 's'}"
