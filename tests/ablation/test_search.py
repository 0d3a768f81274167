"""Draws of a search: their distribution, on what they depend, and what Optuna says of the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
import pytest
from scipy import stats

from rnncli.ablation.search import UNPRUNED, Search, Tried
from rnncli.ablation.settings import SearchSettings
from rnncli.ablation.space import distribution, whole

SPACE = {
    "size": whole(distribution("log-uniform 20 200")),  # type: ignore[arg-type]
    "rate": distribution("log-uniform 6e-5 0.6"),
    "momentum": distribution("1 - log-uniform 0.01 1"),
    "noise": distribution("uniform 0 1"),
    "scale": distribution([{"type": "uniform", "scale": 0.3}, "x", 1, True, None]),
}


def searching(name: str = "a", higher: bool = False, trials: int = 20, **settings: Any) -> Search:
    written: dict[str, Any] = {"trials": trials, "space": {"any": "uniform 0 1"}, **settings}
    return Search(SearchSettings(**written), SPACE, name, higher)


def carried_out(
    search: Search, value: Callable[[Any], float], trials: int, before: list[Tried] | None = None
) -> list[Tried]:
    """Trials one after another, on top of those before."""
    found = list(before or [])
    while len(found) < trials:
        drawn = search.draw(len(found) + 1, found)
        found.append(Tried(drawn, value(drawn), False, {}))
    return found


def test_the_draws_are_distributed_as_is_written() -> None:
    search = searching(seed=3)
    drawn = [search.draw(number, []) for number in range(1, 1001)]
    uniform = {
        "rate": [math.log(each["rate"] / 6e-5) / math.log(1e4) for each in drawn],
        "momentum": [math.log((1 - each["momentum"]) / 0.01) / math.log(100) for each in drawn],
        "noise": [each["noise"] for each in drawn],
        # A whole number stands for all that are rounded to it.
        "size": [math.log((each["size"] + shift - 0.5) / 19.5) / math.log(200.5 / 19.5)
                 for each, shift in zip(drawn, np.random.default_rng(0).random(1000), strict=True)],
    }  # fmt: skip
    for key, values in uniform.items():
        assert stats.kstest(values, "uniform").pvalue > 0.001, key
    for one, other in [("rate", "noise"), ("size", "momentum"), ("rate", "size")]:
        assert abs(stats.spearmanr(uniform[one], uniform[other]).statistic) < 0.12
    counts = [sum(repr(each["scale"]) == repr(value) for each in drawn) for value in SPACE["scale"].values]  # type: ignore[union-attr]
    assert stats.chisquare(counts).pvalue > 0.001
    assert all(type(each["size"]) is int and 20 <= each["size"] <= 200 for each in drawn)


def test_a_draw_depends_on_seed_variant_and_number_alone() -> None:
    drawn = [searching().draw(number, []) for number in range(1, 8)]
    assert [searching(trials=3).draw(number, []) for number in (7, 5)] == [drawn[6], drawn[4]]
    assert searching().draw(3, [Tried(drawn[0], 0.1, False, {})]) == drawn[2]
    assert searching(name="b").draw(3, []) != drawn[2]
    assert searching(seed=2).draw(3, []) != drawn[2]
    assert len({each["rate"] for each in drawn}) == 7


def test_a_grid_is_every_combination_in_order() -> None:
    space = {"a": distribution([1, 2]), "b": distribution(["x", {"y": 3}, None])}
    search = Search(SearchSettings(space={"a": [1, 2], "b": ["x", "y", "z"]}, sampler="grid"), space, "v", False)
    expected = [{"a": a, "b": b} for a in (1, 2) for b in ("x", {"y": 3}, None)]
    assert [search.draw(number, []) for number in range(1, search.trials + 1)] == expected


def quadratic(drawn: Any) -> float:
    return float((math.log10(drawn["rate"]) + 2) ** 2 + (drawn["noise"] - 0.7) ** 2)


@pytest.mark.parametrize("higher", [False, True])
def test_tpe_draws_the_same_after_a_restart_and_learns(higher: bool) -> None:
    sign = -1 if higher else 1
    value = lambda drawn: sign * quadratic(drawn)  # noqa: E731
    search = searching(sampler="tpe", higher=higher)
    straight = carried_out(search, value, 40)
    assert carried_out(searching(sampler="tpe", higher=higher), value, 40, straight[:23]) == straight
    late = np.median([quadratic(each.drawn) for each in straight[20:]])
    assert late < 0.5 * np.median([quadratic(searching(seed=9).draw(number, [])) for number in range(1, 200)])


def test_tpe_goes_on_over_trials_that_failed_or_were_given_up() -> None:
    search = searching(sampler="tpe")
    before = carried_out(search, quadratic, 30)
    spoilt = [
        Tried(each.drawn, None, place % 3 == 0, {1: 3.0}) if place % 2 else each for place, each in enumerate(before)
    ]
    assert search.draw(31, spoilt) != search.draw(31, before)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("higher", [False, True])
def test_a_trial_is_given_up_where_optunas_median_pruner_gives_it_up(higher: bool, sampler: str) -> None:
    search = searching(sampler=sampler, pruner="median", higher=higher)
    draw = random.Random(int(higher))
    study = optuna.create_study(
        direction="maximize" if higher else "minimize", pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED)
    )
    before: list[Tried] = []
    answers = []
    for number in range(1, 26):
        drawn, theirs, curve, pruned = search.draw(number, before), study.ask(), {}, False
        for epoch in range(1, 6):
            curve[epoch] = draw.uniform(0, 1) + number % 4
            theirs.report(curve[epoch], epoch)
            pruned = theirs.should_prune()
            answers.append(pruned)
            assert search.gives_up(curve, before) == pruned
            if pruned:
                break
        failed = not pruned and number == 9
        state = optuna.trial.TrialState
        study.tell(
            theirs, None if pruned or failed else curve[5], state.PRUNED if pruned else state.FAIL if failed else None
        )
        before.append(Tried(drawn, None if pruned or failed else curve[5], pruned, curve))
    assert not any(answers[: 5 * UNPRUNED])
    assert 5 < sum(answers) < 20


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no trials": ({"trials": None}, "trials: sampler random needs their number"),
    "no trials for tpe": ({"trials": None, "sampler": "tpe"}, "trials: sampler tpe needs their number"),
    "grid of text": ({"trials": None, "sampler": "grid"}, "space.any: a grid takes a list of values for each key"),
    "grid with trials": ({"sampler": "grid", "space": {"a": [1]}}, "trials: a grid has as many trials as"),
    "a large grid": (
        {"sampler": "grid", "trials": None, "space": {key: list(range(30)) for key in "abc"}},
        "space: a grid of 27,000 combinations; at most 10,000",
    ),
    "pruned grid": ({"sampler": "grid", "trials": None, "space": {"a": [1]}, "pruner": "median"}, "pruner: a grid"),
    "best of too few": ({"best": 21}, "best: 21 of 20 trials"),
    "best of a grid": ({"best": 2, "sampler": "grid", "trials": None, "space": {"a": [1]}}, "best: 2 of 1 trials"),
    "best between": ({"best": 2.5}, "best: 2.5 is neither a number of trials nor a share below 1"),
    "best endless": ({"best": math.inf}, "finite number"),
    "best nan": ({"best": math.nan}, "finite number"),
    "no space": ({"space": {}}, "at least 1 item"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_settings_that_make_no_sense(kind: str) -> None:
    given, message = WRONG[kind]
    with pytest.raises(ValueError, match=message):
        searching(**given)
