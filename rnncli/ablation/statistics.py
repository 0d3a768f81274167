"""What the values of variants say: their spread, how they differ from a baseline, and what that is worth."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Literal

import numpy as np

from rnncli.ablation.significance import (
    ALPHA,
    ASSUMPTIONS,
    BARNARD,
    NO_TEST,
    SEED,
    Values,
    finite,
    identical,
    needed_for,
    same,
    same_differences,
    sides,
    significance_of,
    stats,
)

__all__ = [
    "ALPHA",
    "ASSUMPTIONS",
    "NO_TEST",
    "Claim",
    "Comparison",
    "Spread",
    "Verdict",
    "claim",
    "compare",
    "needed_for",
    "spread",
]

Verdict = Literal["better", "worse", "undecided"]
RESAMPLES = 10_000
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Spread:
    """The values of one variant in the metric's unit: the sd is NaN below two, all is NaN of none."""

    n: int
    mean: float
    sd: float
    median: float
    best: float


@dataclass(frozen=True)
class Comparison:
    """A variant against the baseline.

    `n` counts pairs, or the smaller of two groups. `difference` is the mean of the variant less the baseline's, `low`
    to `high` its 95 % bootstrap interval: NaN below three. `p` is two-sided, `adjusted` after Holm's correction
    over all variants that were tested. `effect` is in sd of the differences where paired, else Hedges' g; infinite
    where a difference has no spread. `needed` seeds would find a gap of this size in 80 % of ablations: None where
    that can't be told or is over 1,000.
    """

    n: int
    difference: float
    low: float
    high: float
    test: str
    p: float
    adjusted: float
    effect: float
    needed: int | None
    verdict: Verdict


@dataclass(frozen=True)
class Claim:
    """Whether `left` is better than `right`: the difference of their means, and its two-sided p, uncorrected."""

    left: str
    right: str
    difference: float
    p: float
    verdict: Literal["holds", "reversed", "undecided"]


def spread(values: Sequence[float], higher_is_better: bool) -> Spread:
    """The number, mean, sd (by n - 1), median and best of the values of one variant.

    Raises:
        ValueError: a value is not finite.
    """
    known: list[float] = finite(values).tolist()
    if not known:
        return Spread(0, math.nan, math.nan, math.nan, math.nan)
    sd = stdev(known) if len(known) > 1 else math.nan
    return Spread(len(known), fmean(known), sd, median(known), max(known) if higher_is_better else min(known))


def compare(
    baseline: Mapping[int, float], others: Mapping[str, Mapping[int, float]], *, paired: bool, higher_is_better: bool
) -> dict[str, Comparison]:
    """Each variant against the baseline, by seed where paired (seeds that only one has are left out), else by trial.

    Raises:
        ValueError: a value is not finite.
        MissingExtra: scipy is not installed.
    """
    results = significance_of(baseline, others, paired=paired)
    comparisons = sum(not math.isnan(result.p) for result in results.values())
    found = {}
    for name, result in results.items():
        base, other = sides(baseline, others[name], paired)
        n, difference, effect = min(len(base), len(other)), _difference(base, other), _effect(base, other, paired)
        low, high = _interval(base, other, paired)
        found[name] = Comparison(
            n=n,
            difference=difference,
            low=low,
            high=high,
            test=result.test,
            p=result.p,
            adjusted=result.adjusted,
            effect=effect,
            needed=_needed(effect, result.test, n, comparisons, paired),
            verdict=_verdict(result.adjusted, difference, higher_is_better),
        )
    return found


def claim(
    better: Mapping[int, float],
    worse: Mapping[int, float],
    *,
    paired: bool,
    higher_is_better: bool,
    left: str = "",
    right: str = "",
) -> Claim:
    """Whether `better` is better than `worse`, as was said beforehand: one question, so nothing is corrected."""
    p = significance_of(worse, {left: better}, paired=paired)[left].p
    difference = _difference(*sides(worse, better, paired))
    verdict = _verdict(p, difference, higher_is_better)
    named: dict[Verdict, Literal["holds", "reversed", "undecided"]] = {"better": "holds", "worse": "reversed"}
    return Claim(left, right, difference, p, named.get(verdict, "undecided"))


def _verdict(p: float, difference: float, higher_is_better: bool) -> Verdict:
    if not p < ALPHA:
        return "undecided"
    return "better" if (difference > 0) == higher_is_better else "worse"


def _difference(base: Values, other: Values) -> float:
    return fmean(other) - fmean(base) if len(base) and len(other) else math.nan


def _effect(base: Values, other: Values, paired: bool) -> float:
    """The mean difference over the sd of the differences; unpaired Hedges' g, over the pooled sd and without bias."""
    sizes = len(base), len(other)
    if min(sizes) < 2:
        return math.nan
    if same(base, other) or (paired and identical(base, other)):
        return 0.0
    difference = _difference(base, other)
    if same_differences(base, other) if paired else same(base) and same(other):
        return math.copysign(math.inf, difference)
    if paired:
        return difference / float(np.std(other - base, ddof=1))
    freedom = sum(sizes) - 2
    squares = float(((base - base.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum())
    return _unbiased(difference / math.sqrt(squares / freedom), freedom)


def _unbiased(effect: float, freedom: int) -> float:
    """A standardised difference without what few values add to it on average (Hedges 1981)."""
    log = math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2)
    return effect * math.exp(log) / math.sqrt(freedom / 2)


def _needed(effect: float, test: str, n: int, comparisons: int, paired: bool) -> int | None:
    if math.isinf(effect):
        return _needed_without_spread(4 if test == BARNARD else 2, comparisons)
    if n < 3:
        return None
    size = abs(_unbiased(effect, n - 1)) if paired else abs(effect)
    seeds = needed_for(size, comparisons, paired) if size >= 1e-3 else MOST_SEEDS + 1
    return seeds if seeds <= MOST_SEEDS else None


def _needed_without_spread(base: int, comparisons: int) -> int:
    """The least n, from 3 on, of which the exact p, 2 / base^n, is below the strictest level."""
    n = 3
    while 2 / base**n >= ALPHA / comparisons:
        n += 1
    return n


def _interval(base: Values, other: Values, paired: bool) -> tuple[float, float]:
    """A 95 % bootstrap interval of the difference: bias-corrected and accelerated, or by percentiles where that fails.

    It is narrow where values are few: of normal values it holds the truth in 69 of 100 with three pairs, in 84 with
    five, in 91 with ten.
    """
    if min(len(base), len(other)) < 3:
        return math.nan, math.nan
    difference = _difference(base, other)
    if same_differences(base, other) if paired else same(base) and same(other):
        return difference, difference
    samples = (other - base,) if paired else (other, base)
    low = high = math.nan
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", stats().DegenerateDataWarning)
            interval = (
                stats()
                .bootstrap(
                    samples,
                    _difference_of_means,
                    n_resamples=RESAMPLES,
                    method=method,
                    vectorized=True,
                    rng=np.random.default_rng(SEED),
                )
                .confidence_interval
            )
        low, high = float(interval.low), float(interval.high)
        if math.isfinite(low) and math.isfinite(high):
            break
    return low, high


def _difference_of_means(*samples: Values, axis: int) -> Values:
    """Of one sample, its mean."""
    first = samples[0].mean(axis=axis)
    return np.asarray(first if len(samples) == 1 else first - samples[1].mean(axis=axis))
