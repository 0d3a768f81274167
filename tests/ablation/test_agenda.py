"""What is run when, whatever order runs end in, and after an interruption."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from rnncli.ablation.agenda import Agenda
from rnncli.ablation.collect import row
from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.plan import Plan, Planned
from rnncli.errors import ConfigError, RunError

from .plans import Driver, draws, made_of, planned

CELLS = {"model.cell.type": ["lstm", "gru", "rnn"]}
SPACE = {"training.learning_rate": "log-uniform 1e-4 1", "model.cell.hidden_size": "uniform 4 40"}


def quadratic(run: Planned, epoch: int) -> float:
    """Best at a rate of 0.01; of each variant and seed a little different, and falling."""
    rate = math.log10(run.changes.get("training.learning_rate", 0.1))
    return (rate + 2) ** 2 + 0.01 * run.seed + 0.1 * len(run.variant) + 1 / epoch


def searching(folder: Path, trials: int = 12, variants: int = 3, seeds: int = 2, **search: Any) -> Plan:
    vary = {"model.cell.type": CELLS["model.cell.type"][:variants]}
    return planned(folder, vary=vary, seeds=seeds, search={"trials": trials, "space": SPACE, **search})


def states(plan: Plan, directory: AblationDirectory, agenda: Agenda) -> dict[str, str]:
    """Run -> what its directory says of it."""
    return {run.name: row(directory, run, "test.mse").state for run in agenda.runs}


@pytest.fixture
def directory(tmp_path: Path) -> AblationDirectory:
    return AblationDirectory(tmp_path / "out")


def test_a_seed_of_all_variants_comes_before_the_next_and_a_task_before_the_next(
    tmp_path: Path, directory: AblationDirectory
) -> None:
    plan = planned(tmp_path, vary=CELLS, tasks={"b": {}, "a": {}}, seeds=[5, 3])
    taken = Driver(directory, quadratic).drive(made_of(plan, directory)).taken
    assert [run.name for run in taken] == [
        f"{task}/{cell}/seed-{seed}" for task in "ba" for seed in (5, 3) for cell in ("lstm", "gru", "rnn")
    ]
    assert made_of(plan, directory).take() is None  # all are done


def test_a_config_that_can_not_be_made_is_a_row_and_the_others_go_on(
    tmp_path: Path, directory: AblationDirectory
) -> None:
    plan = planned(tmp_path, variants={"odd": {"model.cell.tipe": 3}, "good": {}}, seeds=2)
    agenda = made_of(plan, directory)
    assert [run.variant for run in Driver(directory, quadratic).drive(agenda).taken] == ["good", "good"]
    failed = row(directory, agenda.runs[0], "test.mse")
    assert (failed.variant, failed.state) == ("odd", "failed")
    assert "unknown key 'tipe'; did you mean 'type'?" in failed.reason


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("pruner", ["none", "median"])
def test_the_trials_are_the_same_in_whatever_order_runs_end(sampler: str, pruner: str, tmp_path: Path) -> None:
    plan = searching(tmp_path, trials=8, variants=2, sampler=sampler, pruner=pruner)
    adaptive = (sampler, pruner) != ("random", "none")
    found = []
    for order, slots in ((1, 1), (2, 3), (3, 9)):
        directory = AblationDirectory(tmp_path / f"out-{order}")
        agenda = made_of(plan, directory)
        driver = Driver(directory, quadratic, slots=slots, order=order, one_at_a_time=adaptive).drive(agenda)
        found.append((draws(driver.taken, SPACE), driver.given_up, states(plan, directory, agenda)))
        assert {len(lane) for lane in found[-1][0].values()} == {8}
        assert agenda.planned == len(agenda.runs) == 2 * 8 * 2
    assert all(each == found[0] for each in found[1:])
    assert bool(found[0][1]) == (pruner == "median")


@pytest.mark.parametrize("sampler", ["random", "tpe"])
@pytest.mark.parametrize("pruner", ["none", "median"])
def test_an_interruption_changes_no_trial_and_repeats_no_run(sampler: str, pruner: str, tmp_path: Path) -> None:
    plan = searching(tmp_path, trials=7, variants=2, sampler=sampler, pruner=pruner)
    whole = AblationDirectory(tmp_path / "whole")
    straight = Driver(whole, quadratic).drive(made_of(plan, whole))
    broken = AblationDirectory(tmp_path / "broken")
    taken: list[Planned] = []
    given_up: dict[str, int] = {}
    for sitting in range(100):
        agenda = made_of(plan, broken)
        done_before = {name for name, state in states(plan, broken, agenda).items() if state != "waiting"}
        driver = Driver(broken, quadratic, slots=3, order=sitting).drive(agenda, events=11)
        assert not done_before & {run.name for run in driver.taken}
        taken, given_up = taken + driver.taken, given_up | driver.given_up
        if not driver.taken:
            break
    assert draws(taken, SPACE) == draws(straight.taken, SPACE)
    assert given_up == straight.given_up
    assert states(plan, broken, agenda) == states(plan, whole, made_of(plan, whole))


def test_a_plan_that_is_read_again_holds_the_trials_that_are_over(tmp_path: Path, directory: AblationDirectory) -> None:
    plan = searching(tmp_path, variants=1, seeds=1, sampler="tpe")
    before = made_of(plan, directory)
    Driver(directory, quadratic).drive(before, events=3 * 5 + 1)
    assert [run.changes for run in made_of(plan, directory).runs] == [run.changes for run in before.runs]
    assert len(before.runs) == 6


def test_a_trial_whose_first_seed_is_given_up_has_no_other_runs(tmp_path: Path, directory: AblationDirectory) -> None:
    plan = searching(tmp_path, variants=1, seeds=3, trials=10, pruner="median")
    agenda = made_of(plan, directory)
    driver = Driver(directory, quadratic, slots=4).drive(agenda)
    assert driver.given_up
    for trial in range(1, 11):
        runs = [run for run in agenda.runs if run.trial == trial]
        rows = [row(directory, run, "test.mse") for run in runs]
        pruned = runs[0].name in driver.given_up
        assert [each.state for each in rows] == ["pruned" if pruned else "done"] * 3
        assert [run.name in {each.name for each in driver.taken} for run in runs[1:]] == [not pruned] * 2
        if pruned:
            assert rows[1].reason == "not begun, since the first seed of its trial was given up"
    assert made_of(plan, directory).take() is None


def test_a_failed_run_is_begun_again_when_asked_for(tmp_path: Path, directory: AblationDirectory) -> None:
    plan = searching(tmp_path, variants=2, pruner="median")
    fails = lambda run: run.trial in (2, 7) and run.variant == "gru"  # noqa: E731
    first = Driver(directory, quadratic, fails=fails).drive(made_of(plan, directory))
    again = Driver(directory, quadratic).drive(made_of(plan, directory, retry=True))
    assert Driver(directory, quadratic).drive(made_of(plan, directory, retry=True)).taken == []
    assert {(run.variant, run.trial) for run in again.taken} == {("gru", 2), ("gru", 7)}
    assert len([run for run in first.taken if run.variant == "gru" and run.trial == 2]) == 1  # the first seed


def test_tpe_can_not_begin_a_failed_trial_again(tmp_path: Path, directory: AblationDirectory) -> None:
    plan = searching(tmp_path, variants=1, trials=4, sampler="tpe")
    Driver(directory, quadratic, fails=lambda run: run.trial == 2).drive(made_of(plan, directory))
    with pytest.raises(RunError, match=r"--retry: sampler tpe has drawn the trials after lstm/trial-002/seed-1"):
        made_of(plan, directory, retry=True)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_draw_that_has_no_matching_size_is_a_failed_trial(
    sampler: str, tmp_path: Path, directory: AblationDirectory
) -> None:
    def sizes(task: str, variant: str, drawn: dict[str, Any]) -> dict[str, Any]:
        if drawn["training.learning_rate"] < 0.01:
            raise ConfigError(["match: no size will do"])
        return {"model.embedding_size": 3}

    plan = searching(tmp_path, variants=2, trials=8, sampler=sampler)
    agenda = made_of(plan, directory, sizes=sizes)
    Driver(directory, quadratic).drive(agenda)
    rows = [row(directory, run, "test.mse") for run in agenda.runs]
    assert len(rows) == 2 * 8 * 2
    for each in rows:
        small = each.changes["training.learning_rate"] < 0.01
        # The task has no embedding: these runs fail as well, for a reason of their own at their config.
        assert (each.state == "failed" and each.reason == "match: no size will do") == small
    assert {each.changes["training.learning_rate"] < 0.01 for each in rows} == {True, False}
