"""How often simulated ablations of normal values claim too much, and whether the recommended seeds suffice."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.ablation import significance
from rnncli.ablation.significance import significance_of
from rnncli.ablation.statistics import ALPHA, compare, needed_for


def drawn(rng, n, variants, shift=0.0):
    """A baseline and variants of independent standard normal values; `shift` is added to the first variant."""
    values = rng.normal(size=(variants + 1, n))
    values[1] += shift
    base, *others = (dict(enumerate(row)) for row in values.tolist())
    return base, {f"v{number}": other for number, other in enumerate(others)}


@pytest.mark.parametrize(
    ("effect", "paired", "seeds"),
    [
        (0.5, True, 34 + 1),
        (0.8, True, 15 + 1),
        (1.0, True, 10 + 1),
        (0.5, False, 64),
        (0.8, False, 26),
        (1.0, False, 17),
    ],
)
def test_seeds_needed_are_those_of_power_tables(effect, paired, seeds):
    """Cohen's tables for t-tests at 5 % and 80 %; a permutation test gets one pair more."""
    assert needed_for(effect, 1, paired) == needed_for(-effect, 1, paired) == seeds


def test_seeds_needed_of_a_comparison():
    base, others = drawn(np.random.default_rng(11), 5, 8, shift=1.2)
    found = compare(base, others, paired=True, higher_is_better=True)
    unbiased = {name: abs(each.effect) * math.gamma(2) / math.gamma(1.5) / math.sqrt(2) for name, each in found.items()}
    expected = {name: needed_for(effect, 8, True) for name, effect in unbiased.items()}
    assert {name: each.needed for name, each in found.items()} == {
        name: seeds if seeds <= 1000 else None for name, seeds in expected.items()
    }


@pytest.mark.parametrize("paired", [True, False])
def test_many_seeds_needed_are_approximated(monkeypatch, paired):
    effects = [0.2, 0.23, 0.26]
    approximated = [needed_for(effect, 8, paired) for effect in effects]
    monkeypatch.setattr(significance, "MANY", 10_000)
    assert approximated == pytest.approx([needed_for(effect, 8, paired) for effect in effects], abs=1)


def rate_of_claims(n, paired, ablations):
    rng = np.random.default_rng(12)
    claims = 0
    for _ in range(ablations):
        claims += any(found.adjusted < ALPHA for found in significance_of(*drawn(rng, n, 8), paired=paired).values())
    return claims / ablations


def rate_of_finds(effect, comparisons, paired, ablations):
    """How often the first of several variants is found better, at the n that is recommended."""
    rng = np.random.default_rng(13)
    n, shift = needed_for(effect, comparisons, paired), effect * (math.sqrt(2) if paired else 1)
    finds = 0
    for _ in range(ablations):
        base, others = drawn(rng, n, comparisons, shift)
        better = np.mean(list(others["v0"].values())) > np.mean(list(base.values()))
        finds += better and significance_of(base, others, paired=paired)["v0"].adjusted < ALPHA
    return finds / ablations


def test_identical_variants_raise_no_claim_quickly():
    assert 0.01 <= rate_of_claims(9, True, 1000) <= 0.066


@pytest.mark.slow
@pytest.mark.parametrize(("n", "paired"), [(3, True), (5, True), (9, True), (20, True), (3, False), (5, False)])
def test_identical_variants_raise_no_claim(n, paired):
    assert 0.01 <= rate_of_claims(n, paired, 1000) <= 0.066


def test_an_effect_of_two_deviations_is_found_quickly():
    assert rate_of_finds(math.sqrt(2), 8, True, 500) >= 0.8  # two sd of the runs


def test_seeds_needed_leave_a_permutation_test_room():
    """Of 20 variants, 11 pairs have but two arrangements below the level: 75 % are found."""
    assert rate_of_finds(1.65, 20, True, 300) >= 0.8


def test_a_large_effect_is_found_by_a_few_unpaired_runs():
    """Where Welch's degrees of freedom are clearly fewer than those of a pooled variance."""
    assert rate_of_finds(3.0, 8, False, 300) >= 0.8


@pytest.mark.slow
@pytest.mark.parametrize("comparisons", [1, 3, 8, 12])
@pytest.mark.parametrize(("effect", "paired"), [(math.sqrt(2), True), (2.0, True), (2.0, False)])
def test_an_effect_of_two_deviations_is_found(effect, paired, comparisons):
    """Two sd of the runs, paired; of the differences; of the runs, unpaired."""
    assert rate_of_finds(effect, comparisons, paired, 1000) >= 0.8
