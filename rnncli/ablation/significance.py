"""Whether a difference could be chance: the tests of variants against one baseline, and how many seeds they need."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.errors import MissingExtra

Values = NDArray[np.float64]

ALPHA = 0.05
POWER = 0.8
SEED = 1729
"""Of all that is drawn, so that a report made again is the same to the bit."""

FEWEST_PAIRS = 9
"""Of a permutation test; below, its smallest p leaves no room for a correction over a few variants."""
EXACT_PAIRS = 14
"""Up to here a permutation test goes through all signs of the differences; above, through FLIPS random ones."""
FLIPS = 20_000
ROOM = 3
"""So many arrangements must lie below the level for a permutation test to find at n what the t-test finds at n - 1
(measured for 3 to 20 variants and 9 to 14 pairs)."""
SHARES = 40
"""Quantiles over which the power of Welch's test is averaged."""
MANY = 100
"""Seeds from which on the noncentral t distribution is slow in scipy, and Guenther's approximation (1981) as good."""
ROUNDING = 1e-12
"""Relative to the largest value: what differs by less differs by rounding."""

PERMUTATION = "paired permutation test"
PAIRED_T = "paired t-test"
WELCH = "Welch's t-test"
BARNARD = "Barnard's exact test"
NO_TEST = "none"
ASSUMPTIONS: dict[str, str] = {
    PERMUTATION: "Seeds are independent, and without a difference either of a pair is as likely to be ahead by as "
    "much; no distribution is assumed.",
    PAIRED_T: "Seeds are independent and the differences of the pairs are normally distributed, which so few pairs "
    "cannot show.",
    WELCH: "Runs are independent and the values of each group are normally distributed; the groups may spread "
    "differently.",
    BARNARD: "Runs are independent; as no value changes with the seed, it counts how often one source would give "
    "two groups so unlike.",
    NO_TEST: "Fewer than two values on a side: nothing can be tested.",
}
"""What each test takes for granted."""


@dataclass(frozen=True)
class Significance:
    """A variant's test against the baseline: its two-sided p (NaN without a test), before and after Holm."""

    test: str
    p: float
    adjusted: float


def stats() -> Any:
    """`scipy.stats`, which comes with an extra."""
    try:
        return importlib.import_module("scipy.stats")
    except ImportError:
        raise MissingExtra("scipy", "ablate", "an ablation's statistics") from None


def sides(baseline: Mapping[int, float], other: Mapping[int, float], paired: bool) -> tuple[Values, Values]:
    """The values of both by rising seed; where paired, of the seeds that both have.

    Raises:
        ValueError: a value is not finite.
    """
    shared = baseline.keys() & other.keys()
    return tuple(  # type: ignore[return-value]
        finite([values[key] for key in sorted(shared if paired else values)]) for values in (baseline, other)
    )


def finite(values: Sequence[float]) -> Values:
    """An array of the values, none of which is infinite or NaN."""
    array = np.array(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"values: {list(values)}; allowed: finite numbers")
    return array


def same(*groups: Values) -> bool:
    """Whether all values are the same but for rounding."""
    values = np.concatenate(groups)
    return bool(np.ptp(values) <= ROUNDING * np.abs(values).max())


def identical(base: Values, other: Values) -> bool:
    """Whether both of each pair are the same but for rounding."""
    return bool((np.abs(other - base) <= ROUNDING * np.abs([base, other]).max()).all())


def same_differences(base: Values, other: Values) -> bool:
    """Whether the other differs from the base by one constant, but for the rounding of either."""
    return bool(np.ptp(other - base) <= ROUNDING * max(np.abs(base).max(), np.abs(other).max()))


def significance_of(
    baseline: Mapping[int, float], others: Mapping[str, Mapping[int, float]], *, paired: bool
) -> dict[str, Significance]:
    """The test of each variant against the baseline, without intervals: what can be repeated a thousand times."""
    pairs = {name: sides(baseline, other, paired) for name, other in others.items()}
    comparisons = sum(min(map(len, pair)) > 1 for pair in pairs.values())
    found = {name: _test(*pair, paired, comparisons) for name, pair in pairs.items()}
    adjusted = holm([p for _, p in found.values()])
    return {name: Significance(*found[name], after) for name, after in zip(found, adjusted, strict=True)}


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979); a NaN was no test, stays NaN and is not counted."""
    adjusted = [math.nan] * len(p)
    order = sorted((index for index, value in enumerate(p) if not math.isnan(value)), key=lambda index: p[index])
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def needed_for(effect: float, comparisons: int, paired: bool) -> int:
    """The seeds, at least 3, with which an effect is found in 80 % of ablations by the test chosen for so many.

    `effect` is in sd of the differences where paired (runs of sd 1 that share nothing differ with sd 1.41), else in sd
    of the runs; the level is 5 % over the comparisons: Holm's at its strictest. The power is the t-test's on normal
    values, by the noncentral t distribution; where a permutation test is chosen, the t-test's of one pair fewer.

    Raises:
        ValueError: the effect is not finite, or below a thousandth.
    """
    size = abs(effect)
    if not 1e-3 <= size < math.inf:
        raise ValueError(f"effect: {effect}; allowed: finite, and at least 0.001 in size")
    size = min(size, 1e3)  # scipy has NaN far out, where all is found anyway
    normal = stats().norm
    critical = float(normal.isf(ALPHA / comparisons / 2))
    known = ((critical + float(normal.ppf(POWER))) / size) ** 2 * (1 if paired else 2)  # would do if the sd were known
    if known > MANY:
        estimated = math.ceil(known + critical**2 / (2 if paired else 4))
        return estimated + (paired and _permutes(estimated, comparisons))
    n = max(3, math.floor(known))
    while not _suffices(n, size, comparisons, paired):
        n += 1
    return n


def _suffices(n: int, size: float, comparisons: int, paired: bool) -> bool:
    if paired and _permutes(n, comparisons):
        if _arrangements(n, comparisons) < ROOM:
            return False
        n -= 1
    if paired:
        freedom, shift, degrees = np.array([n - 1.0]), size * math.sqrt(n), n - 1
    else:
        # Welch's degrees of freedom follow the share that one group has in both variances; t does not depend on it.
        share = stats().beta.ppf((np.arange(SHARES) + 0.5) / SHARES, (n - 1) / 2, (n - 1) / 2)
        freedom, shift, degrees = (n - 1) / (share**2 + (1 - share) ** 2), size * math.sqrt(n / 2), 2 * n - 2
    critical = stats().t.isf(ALPHA / comparisons / 2, freedom)
    # Without the far tail: it is nothing where the power is near 0.8, and scipy has NaN for some of it.
    return bool(stats().nct.sf(critical, degrees, shift).mean() >= POWER)


def _test(base: Values, other: Values, paired: bool, comparisons: int) -> tuple[str, float]:
    """The name of the test that fits, and its two-sided p.

    Where differences have no spread a t-test has p = 0 even for two pairs, so that is left to exact tests.
    """
    n = min(len(base), len(other))
    if n < 2:
        return NO_TEST, math.nan
    test = WELCH if not paired else PERMUTATION if _permutes(n, comparisons) else PAIRED_T
    if same(base, other) or (paired and identical(base, other)):
        return test, 1.0
    if same(base) and same(other):
        return BARNARD, barnard(len(base), len(other))
    if test == WELCH:
        first, second = ((each.mean(), each.std(ddof=1), len(each)) for each in (other, base))
        return test, float(stats().ttest_ind_from_stats(*first, *second, equal_var=False).pvalue)
    if test == PERMUTATION or same_differences(base, other):
        return PERMUTATION, sign_flips(other - base)
    return test, float(stats().ttest_rel(other, base).pvalue)


def barnard(first: int, second: int) -> float:
    """How likely at most one source gives one value in all of one group and another in all of the other.

    The source that does so most often has the two as often as the groups are large.
    """
    share = first / (first + second)
    return min(1.0, 2 * share**first * (1 - share) ** second)


def sign_flips(differences: Values) -> float:
    """The two-sided p of a mean by the signs of the differences: exact to EXACT_PAIRS, then of random signs."""
    n = len(differences)
    sums = np.abs(_signs(n) @ differences)
    rounding = ROUNDING * np.abs(differences).sum()
    extreme = int((sums >= abs(differences.sum()) - rounding).sum())
    return extreme / len(sums) if n <= EXACT_PAIRS else (extreme + 1) / (FLIPS + 1)


@lru_cache(maxsize=2)
def _signs(n: int) -> Values:
    """Rows of signs: all that begin with +, as their opposites have the same size; or random ones."""
    if n > EXACT_PAIRS:
        return np.random.default_rng(SEED).choice(np.array([-1.0, 1.0]), (FLIPS, n))
    minus = np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1
    return np.where(minus == 1, -1.0, 1.0)


def _permutes(n: int, comparisons: int) -> bool:
    return n >= FEWEST_PAIRS and _arrangements(n, comparisons) >= 1


def _arrangements(n: int, comparisons: int) -> int:
    """How many arrangements of signs, each with its opposite, can be as extreme without p reaching the level."""
    return math.floor(ALPHA / comparisons * (2 ** (n - 1) if n <= EXACT_PAIRS else FLIPS + 1))
