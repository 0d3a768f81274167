"""From the file of an ablation, settings and overrides to runs and their configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnncli.ablation.ablate import Ready, ablate
from rnncli.ablation.plan import Plan, read_ablation
from rnncli.errors import ConfigError, UserError
from rnncli.runs.config import RunConfig

from .plans import planned, written

CELLS = {"model.cell.type": ["lstm", "gru"]}


def ready(plan: Plan, folder: Path) -> Ready:
    """The plan worked out on its data, before anything runs."""
    events = ablate(plan, folder / "out", lambda directory: lambda source, asked: iter(()))
    event = next(events)
    assert isinstance(event, Ready)
    events.close()
    return event


def config_of(plan: Plan, variant: str, task: str = "", **drawn: Any) -> RunConfig:
    return plan.config(task, variant, plan.run(task, variant, 1, drawn, None).changes)


def mistakes(folder: Path, *overrides: str, setting: str | None = None, text: str = "", **keys: Any) -> list[str]:
    """What is wrong with an ablation, from its reading to the trial on its data."""
    path = written(folder, text, **keys)
    with pytest.raises(UserError) as caught:
        ready(Plan(read_ablation(path, setting, overrides), path), folder)
    found = caught.value.mistakes if isinstance(caught.value, ConfigError) else [str(caught.value)]
    return [each.replace(f"{path}", "cells.yaml") for each in found]


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


def test_all_wrong_keys_of_all_variants_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        variants={"A": {"model.cell.tipe": "gru", "trainig.epochs": 3}, "B": {"training": {"epoks": 3}}, "C": {}},
    )
    starts = [
        "cells.yaml: A: model.cell.tipe: 'gru': unknown key 'tipe'; did you mean 'type'? allowed: ",
        "cells.yaml: A: trainig.epochs: 3: trainig: unknown key 'trainig'; did you mean 'training'? allowed: ",
        "cells.yaml: B: training.epoks: 3: unknown key 'epoks'; did you mean 'epochs'? allowed: ",
    ]
    assert len(found) == len(starts)
    assert all(each.startswith(start) for each, start in zip(found, starts, strict=True))


def test_a_wrong_key_of_change_is_named_as_such(tmp_path: Path) -> None:
    plan = planned(tmp_path, vary=CELLS, change={"training.epoks": 3})
    with pytest.raises(ConfigError, match=r"cells.yaml: change: training.epoks: 3: unknown key 'epoks'; did you mean"):
        config_of(plan, "gru")


def test_mistakes_of_the_plan_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        vary=CELLS,
        baseline="lstn",
        metric="test.msee",
        claims=[{"order": "lstm < grv"}, {"order": "gru"}],
        published={"lsmt": 3},
    )
    assert [each.partition("; allowed")[0] for each in found] == [
        "cells.yaml: baseline: unknown variant 'lstn'; did you mean 'lstm'? allowed: gru, lstm",
        "cells.yaml: claims: unknown variant 'grv'; did you mean 'gru'? allowed: gru, lstm",
        "cells.yaml: claims: 'gru' has no < between two variants",
        found[3],
        "cells.yaml: published: unknown variant 'lsmt'; did you mean 'lstm'? allowed: gru, lstm",
    ]
    assert found[3].startswith("cells.yaml: metric: unknown metric 'msee'; did you mean 'mse'? allowed: ")


V: dict[str, Any] = {"vary": CELLS}
SEARCH: dict[str, Any] = {"trials": 2, "space": {"training.learning_rate": "uniform 0 1"}}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "there is nothing to compare: give vary or variants"),
    "no base": ({**V, "base": None}, "base: the config of the runs is not given"),
    "no metric": ({**V, "metric": None}, "metric: nothing to compare by is given of the runs, as in metric: test."),
    "metric of no part": ({**V, "metric": "mse"}, "a part and a metric, as in test.accuracy, found 'mse'"),
    "metric of training": ({**V, "metric": "train.mse"}, "metric: expected a part and a metric"),
    "metric that does not fit": ({**V, "metric": "test.accuracy"}, "unknown metric for a target of kind"),
    "seeds twice": ({**V, "seeds": [1, 2, 1]}, "seeds: one stands there twice"),
    "no seeds": ({**V, "seeds": []}, "seeds: "),
    "too many seeds": ({**V, "seeds": 10**15}, "seeds: must be at most 10000"),
    "seeds of text": ({**V, "seeds": "five"}, "seeds: expected "),
    "negative seed": ({**V, "seeds": [-1]}, "seeds"),
    "endless seed": ({**V, "seeds": [2**80]}, "seeds"),
    "empty axis": ({"vary": {"model.layers": []}}, "vary.model.layers: needs 1 items or more, found []"),
    "axis of null": ({"vary": {"model.layers": None}}, "vary.model.layers: expected a list of values, found null"),
    "nested axis": ({"vary": {"model": {"layers": [1]}}}, "vary.model: expected a list of values"),
    "too many": ({"vary": {key: list(range(50)) for key in "abc"}}, "vary: 125,000 variants; at most 10,000"),
    "same value": ({"vary": {"model.layers": [1, 1]}}, "vary: two variants would be called '1'"),
    "odd value": ({"vary": {"model.layers": [1, {"a": [1]}]}}, "model.layers"),
    "variant of null": ({"variants": {"A": None}}, "variants.A: expected keys with values, found null"),
    "variants of a list": ({"variants": [1]}, "variants: expected keys with"),
    "no name": ({"variants": {"": {}}}, "variants: one has no name"),
    "number for a key": ({"variants": {"A": {1: 3}}}, "cells.yaml: A: 1: 3: unknown key '1'"),
    "empty key": ({"variants": {"A": {"": 3}}}, "expected a key such as training.epochs"),
    "key that ends in a dot": ({"variants": {"A": {"model.": 3}}}, "expected a key such as training.epochs"),
    "null for a part": ({"variants": {"A": {"model": None}}}, "cells.yaml: A: model: null: expected keys"),
    "list for a part": ({"variants": {"A": {"training": [1]}}}, "A: training: [1]: expected keys with values"),
    "below a value": ({"variants": {"A": {"task": {"a": {"b": 1}}}}}, "task is 'many-to-one', so nothing can be set"),
    "one at a time, no vary": ({"variants": {"A": {}}, "one_at_a_time": True}, "one_at_a_time: needs vary"),
    "one at a time, one key": (
        {"vary": {"model.layers": [1], "model.skip": [True]}, "one_at_a_time": True, "baseline": {"model.layers": 1}},
        "baseline: one_at_a_time needs the baseline's value of model.skip",
    ),
    "seed": ({**V, "change": {"training": {"seed": 3}}}, "change.training.seed: seeds gives it"),
    "threads": ({"variants": {"A": {"training.threads": 3}}}, "variants.A.training.threads: threads_per_run gives it"),
    "idle change": ({**V, "change": {"model.cell.type": "rnn"}}, "change.model.cell.type: vary has it too"),
    "idle named": ({**V, "variants": {"A": {"model.cell.type": "rnn"}}}, "variants.A.model.cell.type: vary has it too"),
    "size of match varied": (
        {"vary": {"model.cell.hidden_size": [3]}, "match": {"parameters": 1000}},
        "vary.model.cell.hidden_size: match finds that size",
    ),
    "size of match searched": (
        {**V, "match": {"flops": 1000}, "search": {"trials": 2, "space": {"model.cell.hidden_size": "uniform 1 9"}}},
        "search.space.model.cell.hidden_size: match finds that size",
    ),
    "searched and varied": (
        {"vary": {"training.learning_rate": [1]}, "search": SEARCH},
        "vary.training.learning_rate: search draws it",
    ),
    "searched and changed": (
        {**V, "change": {"training": {"learning_rate": 1}}, "search": SEARCH},
        "change.training.learning_rate: search draws it",
    ),
    "written wrongly": (
        {**V, "search": {"trials": 2, "space": {"training.learning_rate": "loguniform 1 2"}}},
        "search.space.training.learning_rate: expected uniform 0 1, log-uniform 20 200, ",
    ),
    "unknown key searched": ({**V, "search": {"trials": 2, "space": {"training.rate": "uniform 0 1"}}}, "'rate'"),
    "null searched": ({**V, "search": {"trials": 2, "space": {"training.rate": None}}}, "search.space.training.rate: "),
    "two budgets": ({**V, "match": {"parameters": 3, "flops": 3}}, "match: match takes one of parameters and flops"),
    "no budget": ({**V, "match": {}}, "match: match takes one of parameters and flops"),
    "small budget": ({**V, "match": {"parameters": 3}}, "match: the smallest model has "),
    "large budget": ({**V, "match": {"parameters": 10**15}}, "match: no size up to 65536 reaches 1,000,"),
    "size that is none": ({**V, "match": {"parameters": 99, "sizes": ["model.cell.hiden_size"]}}, "key 'hiden_size'"),
    "size without cost": ({**V, "match": {"parameters": 9999, "sizes": ["training.epochs"]}}, "match: no size up to "),
    "claims of no task": ({**V, "tasks": {"a": {}, "b": {}}, "claims": [{"order": "x < y"}]}, "claims: of which task"),
    "claims of another": (
        {**V, "tasks": {"abc": {}}, "claims": [{"order": "lstm < gru", "task": "abd"}]},
        "claims: unknown task 'abd'; did you mean 'abc'?",
    ),
    "figures with tasks": ({**V, "tasks": {"a": {}}, "published": {"lstm": 3}}, "published: with tasks each has"),
    "figure that is none": ({**V, "published": {"lstm": float("nan")}}, "published.lstm: must be finite"),
    "task of null": ({**V, "tasks": {"a": None}}, "tasks.a: "),
    "nameless task": ({**V, "tasks": {"": {}}}, "tasks: one has no name"),
    "unknown option": ({**V, "seed": 3}, "unknown key 'seed'; did you mean 'seeds'?"),
    "base that is not there": ({**V, "base": "bas.yaml"}, "bas.yaml: no such file; did you mean"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(kind: str, tmp_path: Path) -> None:
    keys, message = WRONG[kind]
    assert any(message in each for each in mistakes(tmp_path, **keys)), mistakes(tmp_path, **keys)
    assert not (tmp_path / "out").exists()


WRONG_SETS = {
    "training": "--set training: expected key=value, such as training.epochs=3",
    "=3": "--set =3: expected key=value",
    "training.epochs=[": "--set training.epochs=[: expected the node content",
    "seeds=x": "--set seeds=x: expected ",
    "seads=3": "--set seads=3: unknown key 'seads'; did you mean 'seeds'?",
    "vary.model.layers=3": "--set vary.model.layers=3: vary.model.layers: expected a list of values, found 3",
    "training.epoks=3": "unknown key 'epoks'; did you mean 'epochs'?",
    "change=3": "--set change=3: expected keys with values, found 3",
    "tasks=[1]": "--set tasks=[1]: expected keys with",
}


@pytest.mark.parametrize("command", WRONG_SETS)
def test_wrong_overrides_are_named(command: str, tmp_path: Path) -> None:
    found = mistakes(tmp_path, command, "training.batch_size=3", vary=CELLS)
    assert any(WRONG_SETS[command] in each for each in found), found


@pytest.mark.parametrize("text", ["", "[1]", "3", "a: [", "vary: {a: [1]}\nvary: {b: [1]}\n", "? [1]\n: 2\n", "\t"])
def test_files_that_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "cells.yaml").write_text(text)
    for setting in (None, "small"):
        with pytest.raises(ConfigError, match=r"cells\.yaml"):
            read_ablation(tmp_path / "cells.yaml", setting, ["training.epochs=1"])


def test_a_setting_that_is_none(tmp_path: Path) -> None:
    assert mistakes(tmp_path, setting="smal", vary=CELLS, settings={"small": {}}) == [
        "cells.yaml: --setting: unknown setting 'smal'; did you mean 'small'? allowed: small"
    ]
    assert mistakes(tmp_path, setting="a", vary=CELLS) == ["cells.yaml: --setting a: the file names no settings"]
    [found] = mistakes(tmp_path, setting="a", vary=CELLS, settings={"a": {"training.epochs": {"b": 2}, "seeds": 0}})
    assert found.startswith("cells.yaml: settings.a: seeds: 0: ")
    [found] = mistakes(tmp_path, setting="a", vary=CELLS, settings={"a": None})
    assert "settings.a: expected keys with values, found null" in found


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
