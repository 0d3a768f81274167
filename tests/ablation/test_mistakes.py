"""What is wrong with an ablation is said in sentences, all of it at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnncli.ablation.plan import Plan, read_ablation
from rnncli.errors import ConfigError, UserError

from .plans import planned, ready, written

CELLS = {"model.cell.type": ["lstm", "gru"]}


def mistakes(folder: Path, *overrides: str, setting: str | None = None, text: str = "", **keys: Any) -> list[str]:
    """What is wrong with an ablation, from its reading to the trial on its data."""
    path = written(folder, text, **keys)
    with pytest.raises(UserError) as caught:
        ready(Plan(read_ablation(path, setting, overrides), path), folder)
    found = caught.value.mistakes if isinstance(caught.value, ConfigError) else [str(caught.value)]
    return [each.replace(f"{path}", "cells.yaml").partition("\n")[0] for each in found]


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
        plan.config("", "gru", plan.run("", "gru", 1, {}, None).changes)


def test_mistakes_of_the_plan_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        vary=CELLS,
        baseline="lstn",
        metric="test.msee",
        search={"trials": 2, "space": {"training.learning_rate": "log-unifrm 1 2"}},
        claims=[{"order": "lstm < grv"}, {"order": "gru"}],
        published={"lsmt": 3},
    )
    starts = [
        "cells.yaml:2:9: metric: unknown metric 'msee'; did you mean 'mse'? allowed: ",
        "cells.yaml:8:11: baseline: unknown variant 'lstn'; did you mean 'lstm'? allowed: gru, lstm",
        "cells.yaml:12:29: search.space.training.learning_rate: expected uniform 0 1, log-uniform 20 200, ",
        "cells.yaml:14:10: claims.0.order: unknown variant 'grv'; did you mean 'gru'? allowed: gru, lstm",
        "cells.yaml:15:10: claims.1.order: 'gru' has no < between two variants",
        "cells.yaml:17:3: published.lsmt: unknown variant 'lsmt'; did you mean 'lstm'? allowed: gru, lstm",
    ]
    assert len(found) == len(starts)
    assert all(each.startswith(start) for each, start in zip(found, starts, strict=True)), found


def test_mistakes_of_the_plan_that_an_override_makes(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "baseline=lstn", "training.seed=3", vary=CELLS, baseline="lstm")
    assert [each.partition("; allowed")[0] for each in found] == [
        "--set training.seed=3: change.training.seed: seeds gives it"
    ]
    found = mistakes(tmp_path, "baseline=lstn", setting="a", vary=CELLS, settings={"a": {"metric": "test.msee"}})
    assert found[0].startswith("--set baseline=lstn: unknown variant 'lstn'; did you mean 'lstm'?")
    assert found[1].startswith(
        "cells.yaml: settings.a: metric: 'test.msee': unknown metric 'msee'; did you mean 'mse'?"
    )


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
    "claims of no task": ({**V, "tasks": {"a": {}, "b": {}}, "claims": [{"order": "x < y"}]}, "claims.0: of which"),
    "claims of another": (
        {**V, "tasks": {"abc": {}}, "claims": [{"order": "lstm < gru", "task": "abd"}]},
        "claims.0.task: unknown task 'abd'; did you mean 'abc'?",
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
