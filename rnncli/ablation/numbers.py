"""Numbers as people read them. Nothing here decides anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from rnncli.ablation.analysis import Extent

NOTHING = "–"
Written = Callable[[float | None], str]
MOST_DIGITS = 7
SIGNIFICANT = 3
DECADES = 2
"""Figures that span more are written with significant digits, and drawn on a logarithmic axis."""


def writer(values: Sequence[float], deviations: Sequence[float]) -> Written:
    """How the figures of one task are written: all with as many decimals as show two digits of a usual deviation.

    Figures of very different size get a few significant digits instead.
    """
    sizes = [abs(value) for value in values if math.isfinite(value) and value]
    if not sizes:
        return lambda value: _fixed(value, 1)
    if spans_decades(values) or max(sizes) >= 1e6 or max(sizes) < 1e-4:
        return _significant
    known = sorted(each for each in deviations if math.isfinite(each) and each > 0)
    decimals = 1 - _magnitude(known[(len(known) - 1) // 2]) if known else 3 - _magnitude(max(sizes))
    places = max(min(decimals, MOST_DIGITS - 1 - _magnitude(max(sizes))), 0)
    return lambda value: _fixed(value, places)


def spans_decades(values: Iterable[float]) -> bool:
    """Whether all values are above zero and the highest is more than a hundred times the lowest."""
    known = [value for value in values if math.isfinite(value)]
    return bool(known) and min(known) > 0 and max(known) / min(known) > 10**DECADES


def given(value: float | None) -> str:
    """A figure of a paper, as it was printed."""
    return NOTHING if value is None else f"{value:.6g}".replace("-", "−")


def signed(write: Written, value: float | None) -> str:
    """With its sign."""
    text = write(value)
    return f"+{text}" if value is not None and value > 0 and text != NOTHING else text


def probability(value: float | None) -> str:
    """A p."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def equals(value: float) -> str:
    """A p in a sentence: = 0.012, or < 0.001."""
    text = probability(value)
    return text if text.startswith("<") else f"= {text}"


def effect(value: float | None) -> str:
    """An effect size in standard deviations; infinite where there is a difference without any spread."""
    if value is None or math.isnan(value):
        return NOTHING
    sign = "−" if value < 0 else "+"
    return f"{sign}∞" if math.isinf(value) else f"{sign}{abs(value):.2f}"


def count(value: float | None) -> str:
    """A whole number, with commas between thousands."""
    return NOTHING if value is None or not math.isfinite(value) else f"{value:,.0f}"


def extent(value: Extent | None) -> str:
    """One number, or the lowest and the highest."""
    if value is None:
        return NOTHING
    return count(value.low) if value.low == value.high else f"{count(value.low)} to {count(value.high)}"


def duration(value: float | None) -> str:
    """Seconds."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _fixed(value: float | None, decimals: int) -> str:
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:,.{decimals}f}"
    # No minus is left before what was rounded to zero.
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", "−")


def _significant(value: float | None) -> str:
    if value is None or not math.isfinite(value) or not value:
        return _fixed(value, 0)
    if 1e-4 <= abs(value) < 1e6:
        return _fixed(value, max(0, SIGNIFICANT - 1 - _magnitude(abs(value))))
    return f"{value:.{SIGNIFICANT - 1}e}".replace("-", "−")


def _magnitude(value: float) -> int:
    return math.floor(math.log10(value))
