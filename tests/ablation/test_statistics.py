"""Statistics of an ablation against scipy, definitions, published figures, and thousands of simulated ablations."""

from __future__ import annotations

import dataclasses
import itertools
import math
import sys
import warnings

import numpy as np
import pytest
from scipy import stats

from rnncli.ablation.significance import BARNARD, PAIRED_T, PERMUTATION, WELCH, barnard, holm, significance_of
from rnncli.ablation.statistics import ALPHA, ASSUMPTIONS, NO_TEST, claim, compare, needed_for, spread
from rnncli.errors import MissingExtra


def by_seed(values, first=0):
    return dict(enumerate(np.asarray(values, dtype=float).tolist(), first))


def drawn(rng, n, variants, shift=0.0):
    """A baseline and variants of independent standard normal values; `shift` is added to the first variant."""
    base, *others = (by_seed(row) for row in rng.normal(size=(variants + 1, n)))
    others[0] = {seed: value + shift for seed, value in others[0].items()}
    return base, {f"v{number}": other for number, other in enumerate(others)}


def arrays(base, other):
    return np.array(list(base.values())), np.array(list(other.values()))


def test_spread():
    found = spread([3.0, 1.0, 7.0, 2.0], higher_is_better=True)
    assert found == dataclasses.replace(found, n=4, mean=3.25, median=2.5, best=7.0)
    assert found.sd == pytest.approx(math.sqrt((0.25**2 + 2.25**2 + 3.75**2 + 1.25**2) / 3))
    assert spread([3.0, 1.0], higher_is_better=False).best == 1.0
    assert spread([0.1] * 3, higher_is_better=True).sd == 0
    assert math.isnan(spread([4.0], higher_is_better=True).sd)
    nothing = spread([], higher_is_better=True)
    assert nothing.n == 0 and math.isnan(nothing.mean) and math.isnan(nothing.best)


@pytest.mark.parametrize("n", [2, 4, 8])
def test_few_pairs_get_a_t_test(n):
    base, others = drawn(np.random.default_rng(n), n, 3, shift=1.5)
    for name, found in compare(base, others, paired=True, higher_is_better=True).items():
        values = arrays(base, others[name])
        difference = values[1] - values[0]
        assert (found.test, found.n) == (PAIRED_T, n)
        assert found.p == pytest.approx(stats.ttest_rel(*values).pvalue, rel=1e-12)
        assert found.difference == pytest.approx(difference.mean())
        assert found.effect == pytest.approx(difference.mean() / difference.std(ddof=1))


@pytest.mark.parametrize("n", [9, 11, 14])
def test_more_pairs_get_the_exact_permutation_test(n):
    base, others = drawn(np.random.default_rng(n), n, 2, shift=0.9)
    for name, found in significance_of(base, others, paired=True).items():
        exact = stats.permutation_test(
            arrays(others[name], base),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=np.inf,
        )
        assert found.test == PERMUTATION
        assert found.p == pytest.approx(exact.pvalue, rel=1e-12)


def test_ties_of_coarse_values_count_as_extreme():
    """Counts out of 100 differ by a few in the last digit only after rounding: 0.3 - 0.2 is not 0.1."""
    steps = np.array([1, 2, -1, 1, 3, 1, -2, 1, 1])
    hundredths = np.array([20, 30, 70, 60, 10, 90, 50, 33, 81])
    sums = [abs(np.dot(signs, steps)) for signs in itertools.product((1, -1), repeat=9)]
    found = significance_of(by_seed(hundredths / 100), {"v": by_seed((hundredths + steps) / 100)}, paired=True)["v"]
    assert found.p == np.mean(np.array(sums) >= abs(steps.sum()))


def test_many_pairs_get_random_signs():
    base, others = drawn(np.random.default_rng(3), 17, 1, shift=0.7)
    found = significance_of(base, others, paired=True)["v0"]
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=16)))
    base_values, values = arrays(base, others["v0"])
    difference = values - base_values
    exact = np.mean(np.abs(signs @ difference[1:] + difference[0]) >= abs(difference.sum()) - 1e-12)
    assert found.test == PERMUTATION
    assert found.p == pytest.approx(exact, abs=4 * math.sqrt(exact / 20_000))
    assert found == significance_of(base, others, paired=True)["v0"]


@pytest.mark.parametrize(("n", "variants", "test"), [(9, 12, PERMUTATION), (9, 13, PAIRED_T), (10, 25, PERMUTATION)])
def test_a_permutation_test_that_could_never_tell_is_not_made(n, variants, test):
    base, others = drawn(np.random.default_rng(4), n, variants, shift=9.0)
    others |= {f"single{number}": {0: 1.0} for number in range(9)}  # tested by nothing, so corrected for by nothing
    found = significance_of(base, others, paired=True)["v0"]
    assert found.test == test and found.adjusted < ALPHA
    assert (2 / 2**n <= ALPHA / variants) == (test == PERMUTATION)


@pytest.mark.parametrize("sizes", [(7, 4), (3, 12)])
def test_unpaired_groups_get_welch(sizes):
    rng = np.random.default_rng(5)
    a, b = rng.normal(3, 2, sizes[0]), rng.normal(5, 0.5, sizes[1])
    found = compare(by_seed(a), {"v": by_seed(b, first=2)}, paired=False, higher_is_better=True)["v"]
    assert (found.test, found.n) == (WELCH, min(sizes))
    assert found.p == pytest.approx(stats.ttest_ind(b, a, equal_var=False).pvalue, rel=1e-12)
    pooled = ((sizes[0] - 1) * a.var(ddof=1) + (sizes[1] - 1) * b.var(ddof=1)) / (sum(sizes) - 2)
    hedges = (b.mean() - a.mean()) / math.sqrt(pooled) * (1 - 3 / (4 * (sum(sizes) - 2) - 1))
    assert found.effect == pytest.approx(hedges, rel=2e-3)  # of Hedges' approximate factor


@pytest.mark.parametrize("paired", [True, False])
def test_interval_is_scipys(paired):
    a, b = np.random.default_rng(6).gamma(1.0, size=(2, 8))
    found = compare(by_seed(a), {"v": by_seed(b)}, paired=paired, higher_is_better=True)["v"]
    again = compare(by_seed(a), {"v": by_seed(b)}, paired=paired, higher_is_better=True)["v"]
    samples = (b - a,) if paired else (b, a)
    statistic = np.mean if paired else lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis)
    interval = stats.bootstrap(samples, statistic, n_resamples=40_000, rng=np.random.default_rng(0)).confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=0.03 * (found.high - found.low))
    assert (found.low, found.high) == (again.low, again.high)


def test_interval_where_bca_degenerates():
    tiny = by_seed([1e-120, 3e-120, 2e-120, 7e-120])
    found = compare(dict.fromkeys(range(4), 0.0), {"v": tiny}, paired=True, higher_is_better=True)["v"]
    assert 1e-120 <= found.low < found.difference < found.high <= 7e-120


def test_holm_by_hand_and_by_its_definition():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, math.nan, 0.02])[::2] == pytest.approx([0.5, 0.04])
    p = np.random.default_rng(7).uniform(size=9) ** 4
    adjusted = np.array(holm(p.tolist()))
    for level in np.linspace(0.001, 0.999, 400):
        rejected, left = set(), set(range(9))
        while left and p[first := min(left, key=lambda index: p[index])] <= level / len(left):
            rejected.add(first)
            left.remove(first)
        assert rejected == set(np.flatnonzero(adjusted <= level))


def test_only_shared_seeds_are_compared():
    rng = np.random.default_rng(8)
    base, other = by_seed(rng.normal(size=6)), by_seed(rng.normal(size=6), first=2)
    found = compare(base, {"v": other}, paired=True, higher_is_better=True)["v"]
    shared = range(2, 6)
    whole = {seed: base[seed] for seed in shared}, {"v": {seed: other[seed] for seed in reversed(shared)}}
    assert found.n == 4
    assert found == compare(*whole, paired=True, higher_is_better=True)["v"]


@pytest.mark.parametrize("paired", [True, False])
def test_too_few_values(paired):
    base = by_seed([0.5, 0.7, 0.4, 0.6])
    others = {"none": {}, "one": {0: 0.1}, "two": by_seed([0.1, 0.4]), "all": by_seed([0.3, 0.1, 0.2, 0.15])}
    found = compare(base, others, paired=paired, higher_is_better=True)
    assert [found[name].test for name in ("none", "one")] == [NO_TEST] * 2
    assert all(math.isnan(found[name].p) and found[name].verdict == "undecided" for name in ("none", "one"))
    assert math.isnan(found["none"].difference) and not math.isnan(found["one"].difference)
    assert math.isnan(found["two"].low) and found["two"].needed is None and not math.isnan(found["two"].p)
    assert found["all"].adjusted == min(1.0, 2 * found["all"].p)  # over the two that were tested


@pytest.mark.parametrize("paired", [True, False])
def test_values_that_are_all_the_same(paired):
    varied = by_seed([0.31, 0.62, 0.45, 0.73, 0.5])
    found = compare(varied, {"v": dict(varied)}, paired=paired, higher_is_better=True)["v"]
    assert (found.p, found.verdict, found.effect, found.needed) == (1.0, "undecided", 0.0, None)
    solved = dict.fromkeys(range(5), 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        others = {"never": dict.fromkeys(range(5), 0.0), "same": dict(solved), "hardly": {**varied, 0: 0.0}}
        found = compare(solved, others, paired=paired, higher_is_better=True)
    exact = stats.barnard_exact([[5, 0], [0, 5]]).pvalue
    assert (found["never"].test, found["never"].verdict) == (BARNARD, "worse")
    assert found["never"].p == pytest.approx(exact) == pytest.approx(2 / 4**5)
    assert (found["never"].low, found["never"].high, found["never"].effect) == (-1, -1, -math.inf)
    assert found["never"].needed == 4  # 2 / 4**4 < 0.05 / 3
    assert (found["same"].p, found["same"].verdict) == (1.0, "undecided")


@pytest.mark.parametrize(("n", "verdict"), [(2, "undecided"), (5, "undecided"), (6, "better")])
def test_one_step_at_each_seed_is_no_certainty(n, verdict):
    """A t-test has p = 0 here for two pairs already; so many signs that agree have 2 / 2^n."""
    base = by_seed(np.random.default_rng(n).integers(10, 90, n) / 100)
    found = compare(base, {"v": {s: v + 0.01 for s, v in base.items()}}, paired=True, higher_is_better=True)["v"]
    assert (found.test, found.p, found.verdict) == (PERMUTATION, 2 / 2**n, verdict)
    assert (found.effect, found.needed) == (math.inf, 6)


@pytest.mark.parametrize("sizes", [(3, 3), (4, 9), (5, 2)])
def test_barnard_is_never_below_scipys(sizes):
    table = [[sizes[0], 0], [0, sizes[1]]]
    exact = stats.barnard_exact(table).pvalue
    assert exact - 1e-9 <= barnard(*sizes) <= (exact + 1e-9 if sizes[0] == sizes[1] else 2.1 * exact)


@pytest.mark.parametrize("paired", [True, False])
def test_direction_flips_the_verdict_alone(paired):
    base, others = drawn(np.random.default_rng(9), 6, 4, shift=6.0)
    up = compare(base, others, paired=paired, higher_is_better=True)
    down = compare(base, others, paired=paired, higher_is_better=False)
    flipped = {"better": "worse", "worse": "better", "undecided": "undecided"}
    assert up["v0"].verdict == "better"
    for name, found in up.items():
        assert dataclasses.replace(found, verdict=flipped[found.verdict]) == down[name]


@pytest.mark.parametrize("paired", [True, False])
def test_claims(paired):
    base, others = drawn(np.random.default_rng(10), 6, 3, shift=5.0)
    high, low = others["v0"], base
    settings = {"paired": paired, "higher_is_better": True}
    found = claim(high, low, left="a", right="b", **settings)
    assert (found.left, found.right, found.verdict) == ("a", "b", "holds")
    assert found.p == significance_of(low, others, paired=paired)["v0"].p
    assert found.difference == pytest.approx(np.mean(list(high.values())) - np.mean(list(low.values())))
    assert claim(low, high, **settings).verdict == "reversed"
    assert claim(low, high, paired=paired, higher_is_better=False).verdict == "holds"
    assert claim({1: 2.0}, {1: 1.0}, **settings).verdict == "undecided"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_values_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        compare({0: 1.0, 1: 2.0}, {"v": {0: 1.0, 1: value}}, paired=True, higher_is_better=True)
    with pytest.raises(ValueError, match="finite"):
        spread([value], higher_is_better=True)
    with pytest.raises(ValueError, match="finite"):
        needed_for(value, 1, paired=True)


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    with pytest.raises(MissingExtra, match=r"rnncli\[ablate\]"):
        compare({0: 1.0, 1: 2.0}, {"v": {0: 1.5, 1: 1.0}}, paired=True, higher_is_better=True)


def test_each_test_says_what_it_assumes():
    assert set(ASSUMPTIONS) == {PERMUTATION, PAIRED_T, WELCH, BARNARD, NO_TEST}
