"""From the file of an ablation, settings and overrides to runs and their configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnncli.ablation.plan import Plan, read_ablation
from rnncli.runs.config import RunConfig

from .plans import planned, ready, written

CELLS = {"model.cell.type": ["lstm", "gru"]}


def config_of(plan: Plan, variant: str, task: str = "", **drawn: Any) -> RunConfig:
    return plan.config(task, variant, plan.run(task, variant, 1, drawn, None).changes)


def test_the_runs_of_a_plan(tmp_path: Path) -> None:
    plan = planned(tmp_path, vary=CELLS, seeds=[3, 1], threads_per_run=2, change={"training": {"epochs": 4}})
    assert [(run.name, run.changes) for run in ready(plan, tmp_path).agenda.runs] == [
        (
            f"{cell}/seed-{seed}",
            {"training.epochs": 4, "model.cell.type": cell, "training.seed": seed, "training.threads": 2},
        )
        for seed in (3, 1)
        for cell in ("lstm", "gru")
    ]
    assert plan.baseline == "lstm"


def test_the_folders_are_plain_and_no_two_the_same(tmp_path: Path) -> None:
    names = ["a b", "a/b", "A_B", "../..", "ünï", "x" * 200, "x" * 201, "CON.", "lstm, layers=1"]
    plan = planned(tmp_path, variants={name: {} for name in names}, tasks={"a b": {}, "t": {}})
    folders = [plan.run(task, name, 1, {}, 12).name for task in ("a b", "t") for name in names]
    assert len({folder.lower() for folder in folders}) == len(folders)
    for folder in folders:
        _, variant, trial, seed = folder.split("/")
        assert (trial, seed) == ("trial-012", "seed-1")
        assert variant.isascii() and len(variant) < 90 and not variant.startswith(".")
    assert plan.run("t", "lstm, layers=1", 1, {}, None).name == "t/lstm_layers=1/seed-1"


def test_tasks_have_their_own_base_metric_match_and_change(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        base=None,
        metric=None,
        change={"training.batch_size": 4, "training.epochs": 9},
        match={"parameters": 900},
        tasks={
            "adding": {"base": "base.yaml", "metric": "test.mse", "change": {"training.epochs": 2}},
            "sums": {
                "base": "tokens.yaml",
                "metric": "valid.accuracy",
                "match": {"parameters": 5000, "sizes": ["model.cell.hidden_size", "model.embedding_size"]},
            },
        },
        vary=CELLS,
        seeds=1,
    )
    found = ready(plan, tmp_path)
    assert [run.name for run in found.agenda.runs] == [
        f"{t}/{c}/seed-1" for t in ("adding", "sums") for c in ("lstm", "gru")
    ]
    adding, _, sums, _ = [run.changes for run in found.agenda.runs]
    assert (adding["training.epochs"], sums["training.epochs"]) == (2, 9)
    assert adding["training.batch_size"] == sums["training.batch_size"] == 4
    assert "model.embedding_size" not in adding
    assert sums["model.embedding_size"] == sums["model.cell.hidden_size"] != adding["model.cell.hidden_size"]
    assert config_of(plan, "lstm", "sums").task == "many-to-many"


def test_each_layer_wins_over_those_before(tmp_path: Path) -> None:
    """base < change < the task's change < variant < draw and match < seed and threads."""
    keys: dict[str, Any] = {
        "tasks": {"t": {"change": {"training.epochs": 3, "training.batch_size": 3}}},
        "variants": {"plain": {}, "long": {"training.epochs": 4}},
        "change": {"training": {"epochs": 2, "batch_size": 2, "learning_rate": 0.2}},
    }
    plan = planned(tmp_path, **keys)
    plain, long = (config_of(plan, name, "t").training for name in ("plain", "long"))
    assert (plain.epochs, plain.batch_size, plain.learning_rate) == (3, 3, 0.2)
    assert (long.epochs, long.batch_size, long.learning_rate) == (4, 3, 0.2)
    drawn = plan.run("t", "long", 1, {"training.epochs": 5}, None)
    assert plan.config("t", "long", drawn.changes).training.epochs == 5
    assert (plain.seed, plain.threads) == (1, 1)
    assert config_of(planned(tmp_path, variants={"plain": {}}), "plain").training.epochs == 7


def test_a_whole_part_takes_the_place_of_what_was_said_below_it_before(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        change={"model.cell.hidden_size": 5},
        variants={"A": {"model.cell": {"type": "gru", "hidden_size": 6}}, "B": {}},
    )
    assert [config_of(plan, name).model.cell.hidden_size for name in "AB"] == [6, 5]
    drawn = plan.run("", "A", 1, {"model.cell.hidden_size": 9}, None)
    assert plan.config("", "A", drawn.changes).model.cell.hidden_size == 9


SPELT = {
    "dotted": {"training.epochs": 50},
    "nested": {"training": {"epochs": 50}},
    "both": {"training": {"batch_size": 4}, "training.epochs": 50},
}


@pytest.mark.parametrize("spelt", SPELT)
def test_set_wins_over_change_for_all_tasks_but_not_over_a_variant(spelt: str, tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        " training.epochs = 1 ",
        "training.learning_rate=0.5",
        change=SPELT[spelt],
        tasks={"a": {}, "b": {"change": SPELT[spelt]}},
        variants={"plain": {}, "long": {"training.epochs": 4}},
    )
    for task in "ab":
        assert config_of(plan, "plain", task).training.epochs == 1
        assert config_of(plan, "long", task).training.epochs == 4
        assert config_of(plan, "long", task).training.learning_rate == 0.5


def test_set_of_one_option_of_a_part_leaves_its_others(tmp_path: Path) -> None:
    plan = planned(tmp_path, "model.cell.type=gru", variants={"A": {}})
    assert (config_of(plan, "A").model.cell.type, config_of(plan, "A").model.cell.hidden_size) == ("gru", 8)
    plan = planned(tmp_path, "model.cell={type: rnn, hidden_size: 3}", "model.cell.type=gru", variants={"A": {}})
    assert (config_of(plan, "A").model.cell.type, config_of(plan, "A").model.cell.hidden_size) == ("gru", 3)


def test_set_of_the_ablations_own_keys(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        "seeds=[4]",
        "vary.model.cell.type=[rnn, gru]",
        "vary.model.layers=[1, 2]",
        "search.trials=3",
        "search.space.training.learning_rate=uniform 0.1 0.2",
        "tasks.t.change.training.epochs=2",
        "tasks.t.solved=0.5",
        "baseline.model.layers=2",
        vary=CELLS,
        tasks={"t": {"change": {"training": {"epochs": 9}}}, "u": {}},
        baseline={"model.cell.type": "gru"},
        search={"trials": 9, "space": {"training.learning_rate": "uniform 0 1"}},
    )
    assert list(plan.variants) == ["rnn, layers=1", "rnn, layers=2", "gru, layers=1", "gru, layers=2"]
    assert plan.baseline == "gru, layers=2"
    assert plan.settings.all_seeds == [4]
    assert plan.settings.search is not None and plan.settings.search.trials == 3
    assert plan.settings.search.space == {"training.learning_rate": "uniform 0.1 0.2"}
    assert (plan.tasks["t"].solved, plan.tasks["u"].solved) == (0.5, None)
    assert [config_of(plan, plan.baseline, task).training.epochs for task in "tu"] == [2, 7]


def test_set_gives_what_the_file_leaves_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, base=None, metric=None, vary=CELLS)
    monkeypatch.chdir(tmp_path)
    plan = Plan(read_ablation(path, None, ["base=base.yaml", "metric=test.mae"]), path)
    assert (plan.base(""), plan.tasks[""].metric) == (tmp_path / "base.yaml", "test.mae")


def test_a_setting_comes_before_set(tmp_path: Path) -> None:
    keys: dict[str, Any] = {
        "vary": CELLS,
        "search": {"trials": 9, "best": 0.5, "space": {"training.learning_rate": "uniform 0 1"}},
        "change": {"training.epochs": 50, "training.batch_size": 6},
        "settings": {
            "small": {"training": {"epochs": 3}, "search": {"trials": 4}, "seeds": 1, "training.batch_size": 2},
            "none": {"search": None},
        },
    }
    small = planned(tmp_path, "training.batch_size=5", setting="small", **keys)
    assert small.settings.search is not None
    assert (small.settings.search.trials, small.settings.search.best, small.settings.seeds) == (4, 0.5, 1)
    training = config_of(small, "gru").training
    assert (training.epochs, training.batch_size) == (3, 5)
    assert planned(tmp_path, setting="none", **keys).settings.search is None
    assert config_of(planned(tmp_path, **keys), "gru").training.epochs == 50


def test_what_paths_are_relative_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, current, bases = tmp_path / "ablations", tmp_path / "current", tmp_path / "bases"
    for each in (folder, current, bases):
        each.mkdir()
    monkeypatch.chdir(current)
    path = written(
        folder,
        base="../bases/base.yaml",
        variants={"A": {"training.init_from": "own.safetensors"}, "B": {}},
        change={"training": {"init_from": "all.safetensors"}},
        settings={"s": {"training.init_from": "setting.safetensors"}},
    )
    (folder / "base.yaml").rename(bases / "base.yaml")
    for near in (path, Path("../ablations/cells.yaml")):
        plan = Plan(read_ablation(near, None, []), near)
        assert plan.base("") == bases / "base.yaml"
        assert config_of(plan, "A").training.init_from == folder / "own.safetensors"
        assert config_of(plan, "B").training.init_from == folder / "all.safetensors"
        plan = Plan(read_ablation(near, "s", []), near)
        assert config_of(plan, "B").training.init_from == folder / "setting.safetensors"
        plan = Plan(read_ablation(near, None, ["training.init_from=given.safetensors"]), near)
        assert config_of(plan, "B").training.init_from == current / "given.safetensors"


def test_a_search_plans_its_trials_for_each_variant_and_finds_out_whole_numbers(tmp_path: Path) -> None:
    plan = planned(
        tmp_path,
        vary=CELLS,
        seeds=2,
        search={
            "trials": 12,
            "space": {
                "model.cell.hidden_size": "log-uniform 20 200",
                "model.layers": "uniform 1 4",
                "training.optimizer.momentum": "1 - log-uniform 0.01 1",
                "model.input_noise": "uniform 0 1",
                "training.batch_size": [2, 5],
            },
        },
        change={"training.optimizer": {"type": "sgd"}},
    )
    runs = ready(plan, tmp_path).agenda.runs
    assert {run.name for run in runs} == {
        f"{cell}/trial-{trial:03}/seed-{seed}" for cell in ("lstm", "gru") for trial in range(1, 13) for seed in (1, 2)
    }
    assert {run.changes["model.layers"] for run in runs} == {1, 2, 3, 4}
    for run in runs:
        assert type(run.changes["model.cell.hidden_size"]) is int and 20 <= run.changes["model.cell.hidden_size"] <= 200
        assert run.changes["training.optimizer.momentum"] % 1 and run.changes["model.input_noise"] % 1
        plan.config("", run.variant, run.changes)


def test_a_grid_is_searched_as_a_whole(tmp_path: Path) -> None:
    space = {"training.learning_rate": [0.1, 0.2], "model.layers": [1, 2, 3]}
    plan = planned(tmp_path, variants={"A": {}}, seeds=1, search={"sampler": "grid", "space": space})
    drawn = [
        (run.changes["training.learning_rate"], run.changes["model.layers"])
        for run in ready(plan, tmp_path).agenda.runs
    ]
    assert drawn == [(rate, layers) for rate in (0.1, 0.2) for layers in (1, 2, 3)]
