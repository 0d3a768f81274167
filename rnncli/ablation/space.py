"""Where a search draws the values of its keys from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WRITTEN = re.compile(r"(1 - )?(log-uniform|uniform) (\S+) (\S+)")
_FORMS = "uniform 0 1, log-uniform 20 200, 1 - log-uniform 0.01 1, or a list of values"


@dataclass(frozen=True)
class Interval:
    """Numbers from low to high, each as likely as any other, or their logarithms.

    Attributes:
        from_one: what is drawn is taken from 1.
        whole: whole numbers alone; low and high are among them.
    """

    low: float
    high: float
    log: bool
    from_one: bool = False
    whole: bool = False

    def value(self, drawn: float) -> float | int:
        """What a number of the interval stands for."""
        return int(drawn) if self.whole else 1 - drawn if self.from_one else drawn


@dataclass(frozen=True)
class Choice:
    """Values of which each is as likely as any other."""

    values: tuple[Any, ...]


Distribution = Interval | Choice


def distribution(written: str | list[Any]) -> Distribution:
    """What an ablation's file says of one key.

    Raises:
        ValueError: it is not written as any distribution is.
    """
    if isinstance(written, list):
        if not written:
            raise ValueError("the list of values is empty")
        return Choice(tuple(written))
    found = _WRITTEN.fullmatch(" ".join(written.split()))
    if found is None:
        raise ValueError(f"expected {_FORMS}; found {written!r}")
    try:
        low, high = float(found[3]), float(found[4])
    except ValueError:
        raise ValueError(f"expected two numbers, as in {found[2]} 20 200; found {written!r}") from None
    log = found[2] == "log-uniform"
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(high - low)):
        raise ValueError(f"expected two finite numbers; found {written!r}")
    if not low < high or (log and low <= 0):
        raise ValueError(f"expected two numbers, the first the smaller{' and above 0' * log}; found {written!r}")
    return Interval(low, high, log, found[1] is not None)


def whole(interval: Interval) -> Interval:
    """The whole numbers of an interval.

    Raises:
        ValueError: its ends are none, or it is taken from 1.
    """
    if interval.from_one or interval.low != int(interval.low) or interval.high != int(interval.high):
        raise ValueError("a whole number is wanted, so that both ends must be whole numbers")
    return Interval(int(interval.low), int(interval.high), interval.log, whole=True)


def middle(space: Mapping[str, Distribution]) -> dict[str, Any]:
    """A value of each key, to try whether the configs can take them; whole where only whole numbers are drawn."""
    return {key: each.values[0] if isinstance(each, Choice) else _inside(each) for key, each in space.items()}


def _inside(interval: Interval) -> float | int:
    half, other = (interval.value(interval.low + share * (interval.high - interval.low)) for share in (0.5, 0.382))
    return half if interval.whole or half % 1 else other
