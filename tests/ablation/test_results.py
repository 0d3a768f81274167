"""results.csv and summary.json against numpy and scipy over the rows that were put in."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from ablation.studies import NASTY, make_study
from rnncli.ablation import results
from rnncli.ablation.analysis import analyse
from rnncli.ablation.study import Claim, Row, Study, TaskOfStudy


def figures(study):
    """The lines of results.csv and summary.json, as a program reads them."""
    analysis = analyse(study)

    def refuse(name):
        raise ValueError(f"{name} is no JSON")

    rows = list(csv.DictReader(io.StringIO(results.results_csv(analysis), newline="")))
    return rows, json.loads(json.dumps(results.summary(analysis)), parse_constant=refuse)


def values(study, task, variant):
    return {row.seed: row.value for row in study.of(task, variant) if row.value is not None}


def test_csv_has_every_run_as_it_is():
    study = make_study(variants=NASTY, seeds=4, failed={(NASTY[2], 3)}, waiting={(NASTY[1], 2)})
    rows, _ = figures(study)
    assert len(rows) == len(study.rows)
    for line, row in zip(rows, study.rows, strict=True):
        assert (line["task"], line["variant"], int(line["seed"])) == (row.task, row.variant, row.seed)
        assert (line["state"], line["reason"], line["path"]) == (row.state, row.reason, row.path)
        assert line["trial"] == "" and line["metric"] == "test.nll"
        assert line["value"] == ("" if row.value is None else repr(row.value))
        assert line["compared"] == ("true" if row.state == "done" else "false")
        for name in ("parameters", "flops", "hidden_size", "epochs", "steps", "engine", "threads"):
            assert line[name] == str(getattr(row, name))
        assert line["config.model.cell.type"] == row.changes["model.cell.type"]
        assert json.loads(line["config.model.sizes"]) == row.changes["model.sizes"]
        # Only the first variant changes the seed; a key of the config is not mistaken for a column of the run.
        assert line["config.seed"] == (str(row.changes["seed"]) if "seed" in row.changes else "")


@pytest.mark.parametrize("higher", [False, True])
def test_summary_against_numpy_and_scipy(higher):
    study = make_study(seeds=6, higher=higher, failed={("gru", 2)}, published={"gru": 7.25})
    _, summary = figures(study)
    (task,) = summary["tasks"]
    base = values(study, "jsb", "lstm")
    assert summary["variants"] == list(task["variants"]) == list(study.variants)
    p = {}
    for name, found in task["variants"].items():
        own = values(study, "jsb", name)
        array = np.array(list(own.values()))
        assert (found["planned"], found["done"], found["n"]) == (6, len(own), len(own))
        assert found["failed"] == 6 - len(own) and found["waiting"] == found["pruned"] == 0
        assert found["mean"] == pytest.approx(array.mean(), rel=1e-12)
        assert found["sd"] == pytest.approx(array.std(ddof=1), rel=1e-12)
        assert found["median"] == np.median(array)
        assert found["best"] == (array.max() if higher else array.min())
        assert found["published"] == {"gru": 7.25}.get(name)
        rows = [row for row in study.of("jsb", name) if row.state == "done"]
        assert found["parameters"] == {
            "low": min(row.parameters for row in rows),
            "high": max(row.parameters for row in rows),
        }
        assert found["seconds"] == pytest.approx(np.mean([row.seconds for row in rows]))
        if name == "lstm":
            assert found["against"] is None
            continue
        both = sorted(base.keys() & own.keys())
        first, second = np.array([own[seed] for seed in both]), np.array([base[seed] for seed in both])
        against = found["against"]
        assert against["n"] == len(both) == (5 if name == "gru" else 6)
        assert against["difference"] == pytest.approx((first - second).mean())
        assert against["low"] < against["difference"] < against["high"]
        p[name] = stats.ttest_rel(first, second).pvalue
        assert against["p"] == pytest.approx(p[name])
        ahead = (against["difference"] > 0) == higher
        told = "better" if ahead else "worse"
        assert against["verdict"] == (told if against["adjusted"] < 0.05 else "undecided")
    for rank, name in enumerate(sorted(p, key=p.get)):
        steps = [min(1, (len(p) - place) * p[each]) for place, each in enumerate(sorted(p, key=p.get))]
        assert task["variants"][name]["against"]["adjusted"] == pytest.approx(max(steps[: rank + 1]))
    assert {each["against"]["test"] for each in task["variants"].values() if each["against"]} == set(
        summary["assumptions"]
    )


def test_a_search_compares_its_best_trials_by_welch():
    study = make_study(variants=("lstm", "gru"), seeds=1, trials=40, best=0.1)
    rows, summary = figures(study)
    chosen = {}
    for variant in study.variants:
        own = sorted(study.of("jsb", variant), key=lambda row: row.chosen_by)[:4]
        chosen[variant] = [row.value for row in own]
        marked = {line["trial"] for line in rows if line["variant"] == variant and line["compared"] == "true"}
        assert marked == {str(row.trial) for row in own}
    assert summary["paired"] is False and summary["best"] == 0.1
    found = summary["tasks"][0]["variants"]["gru"]
    assert found["planned"] == 40 and found["n"] == 4
    sizes = [row.parameters for row in sorted(study.of("jsb", "gru"), key=lambda row: row.chosen_by)[:4]]
    assert found["parameters"] == {"low": min(sizes), "high": max(sizes)}
    assert found["mean"] == pytest.approx(np.mean(chosen["gru"]))
    expected = stats.ttest_ind(chosen["gru"], chosen["lstm"], equal_var=False)
    assert found["against"]["p"] == pytest.approx(expected.pvalue)
    assert found["against"]["test"] == "Welch's t-test"
    assert "best 10 % of the trials" in summary["rule"]


def test_a_trial_counts_once_however_many_seeds_it_has():
    study = make_study(variants=("lstm", "gru"), seeds=3, trials=12, best=4)
    rows, summary = figures(study)
    means = {}
    for variant in study.variants:
        counted = [row for row in rows if row["variant"] == variant and row["compared"] == "true"]
        of_trial = {row["trial"]: [] for row in counted}
        for row in counted:
            of_trial[row["trial"]].append(float(row["value"]))
        assert {len(values) for values in of_trial.values()} == {3}
        means[variant] = [np.mean(values) for values in of_trial.values()]
    against = summary["tasks"][0]["variants"]["gru"]["against"]
    expected = stats.ttest_ind(means["gru"], means["lstm"], equal_var=False)
    assert against["n"] == 4 and against["p"] == pytest.approx(expected.pvalue)
    assert against["difference"] == pytest.approx(np.mean(means["gru"]) - np.mean(means["lstm"]))


def test_it_is_said_where_trials_are_compared_by_what_they_were_chosen_by():
    study = make_study(trials=5, best=2)
    on_valid = replace(study, tasks=[replace(task, metric="valid.nll") for task in study.tasks])
    warned = [
        "values of the validation part, by which trials were selected" in figures(each)[1]["rule"]
        for each in (study, on_valid)
    ]
    assert warned == [False, True]


def test_the_best_trial_alone_keeps_its_pairs():
    study = make_study(variants=("lstm", "gru"), seeds=3, trials=5, best=1)
    rows, summary = figures(study)
    assert summary["paired"] is True and "best trial " in summary["rule"]
    means = {
        trial: np.mean([row.chosen_by for row in study.of("jsb", "gru") if row.trial == trial]) for trial in range(1, 6)
    }
    best = min(means, key=means.get)
    assert {(row["trial"], row["seed"]) for row in rows if row["compared"] == "true" and row["variant"] == "gru"} == {
        (str(best), str(seed)) for seed in (1, 2, 3)
    }
    assert summary["tasks"][0]["variants"]["gru"]["against"]["test"] == "paired t-test"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("holds", "holds"), "holds"),
        (("holds", "undecided"), "holds in part"),
        (("holds", "reversed"), "holds in part"),
        (("undecided", "reversed"), "does not hold"),
        (("undecided", "undecided"), "cannot be told"),
        (("holds", "no runs"), "holds in part"),
        (("no runs", "no runs"), "cannot be told"),
    ],
)
def test_claims(verdicts, expected):
    """Of two pairs: what each says by its values, and what the claim says by both."""
    gaps = {"holds": 1.0, "reversed": -1.0, "undecided": 0.0}
    rows = []
    for name, verdict in (("low", "undecided"), ("a", verdicts[0]), ("b", verdicts[1])):
        for seed in range(8):
            # Alternating, so that without a gap the mean of the differences is exactly zero.
            value = 5 + gaps.get(verdict, 0) + (0.01 if name == "low" else (-1) ** seed * 0.02)
            state = "waiting" if verdict == "no runs" else "done"
            rows.append(
                Row(
                    "t",
                    name,
                    None,
                    seed,
                    state,
                    "",
                    value if state == "done" else None,
                    value,
                    {},
                    [],
                    f"{name}-{seed}",
                )
            )
    task = TaskOfStudy("t", "test.accuracy", True, "low")
    claim = Claim("t", "low below both", [["low"], ["a", "b"]])
    (found,) = analyse(Study("s", [task], ["low", "a", "b"], rows, [claim])).tasks[0].claims
    assert [(pair.worse, pair.better) for pair in found.pairs] == [("low", "a"), ("low", "b")]
    assert [pair.verdict for pair in found.pairs] == list(verdicts)
    assert found.verdict == expected


def test_a_claim_of_three_groups_compares_neighbours():
    order = [["rnn", "irnn"], ["lstm"], ["gru"]]
    study = make_study(claims=[Claim("jsb", "as in the paper", order)])
    _, summary = figures(study)
    (claim,) = summary["claims"]
    assert claim["order"] == order and claim["text"] == "as in the paper"
    assert [(pair["worse"], pair["better"]) for pair in claim["pairs"]] == [
        ("rnn", "lstm"),
        ("irnn", "lstm"),
        ("lstm", "gru"),
    ]
    for pair in claim["pairs"]:
        better, worse = (values(study, "jsb", pair[name]) for name in ("better", "worse"))
        assert pair["difference"] == pytest.approx(np.mean(list(better.values())) - np.mean(list(worse.values())))
        p = stats.ttest_rel(list(better.values()), list(worse.values())).pvalue
        assert pair["p"] == pytest.approx(p)
        # Of a loss the better is the lower.
        ahead = "holds" if pair["difference"] < 0 else "reversed"
        assert pair["verdict"] == (ahead if p < 0.05 else "undecided")


def test_values_that_are_no_numbers_do_not_count():
    study = make_study(variants=("lstm", "gru"), seeds=5)
    strange = [math.nan, math.inf, -math.inf]
    rows = list(study.rows)
    for place, value in zip((1, 6, 8), strange, strict=True):
        rows[place] = Row(**{**vars(rows[place]), "value": value, "chosen_by": value})
    study = Study(study.name, study.tasks, study.variants, rows)
    lines, summary = figures(study)
    assert [lines[place]["value"] for place in (1, 6, 8)] == ["", "", ""]
    assert [lines[place]["compared"] for place in (1, 6, 8)] == ["false"] * 3
    found = summary["tasks"][0]["variants"]
    assert (found["lstm"]["n"], found["gru"]["n"]) == (4, 3)
    assert found["gru"]["mean"] == pytest.approx(np.mean([rows[place].value for place in (5, 7, 9)]))
    assert [(each["variant"], each["seed"]) for each in summary["failures"]] == [("lstm", 2), ("gru", 2), ("gru", 4)]


def test_a_variant_that_failed_in_all_seeds():
    study = make_study(seeds=3, failed={("gru", seed) for seed in (1, 2, 3)})
    _, summary = figures(study)
    found = summary["tasks"][0]["variants"]
    sizes = [row.parameters for row in study.of("jsb", "gru")]
    assert found["gru"]["parameters"] == {"low": min(sizes), "high": max(sizes)}  # known before they failed
    assert (found["gru"]["n"], found["gru"]["failed"], found["gru"]["mean"], found["gru"]["against"]) == (
        0,
        3,
        None,
        None,
    )
    assert found["rnn"]["against"]["n"] == 3
    assert [(each["variant"], each["seed"], each["reason"], each["path"]) for each in summary["failures"]] == [
        ("gru", row.seed, "the loss is not finite", row.path) for row in study.of("jsb", "gru")
    ]


@pytest.mark.parametrize("higher", [False, True])
def test_solved_and_the_longest_length(higher):
    """The limit itself counts as solved, a run that failed does not, and one that waits is left out."""
    sign = 1 if higher else -1
    solved = {  # task -> variant -> values; None failed, "waits" waits
        "adding-50": {"a": [1, 1, 0], "b": [0, 2, None]},
        "adding-400": {"a": [0, 3, None], "b": [-1, -1, -1]},
        "adding-100": {"a": [1, -2, "waits"], "b": [-1, None, None]},
        "copy 7": {"a": [-1, -1, -1], "b": ["waits", "waits", "waits"]},
        "copy 12": {"a": [-1, -1, -1], "b": ["waits", "waits", "waits"]},
        "other": {"a": [1, 1, 1], "b": [1, 1, -1]},
        "alone-9": {"a": [1, 1, 1], "b": [1, 1, -1]},
    }
    rows = []
    for task, variants in solved.items():
        for variant, values_ in variants.items():
            for seed, value in enumerate(values_):
                state = "failed" if value is None else "waiting" if value == "waits" else "done"
                number = 0.5 + sign * value if state == "done" else None
                rows.append(Row(task, variant, None, seed, state, "", number, number, {}, [], "p"))
    tasks = [TaskOfStudy(name, "test.mse", higher, "a", solved=0.5) for name in solved]
    _, summary = figures(Study("s", tasks, ["a", "b"], rows))
    shares = {
        task["name"]: {name: (each["solved"], each["ended"]) for name, each in task["variants"].items()}
        for task in summary["tasks"]
    }
    assert shares == {
        "adding-50": {"a": (3, 3), "b": (2, 3)},
        "adding-400": {"a": (2, 3), "b": (0, 3)},
        "adding-100": {"a": (1, 2), "b": (0, 3)},
        "copy 7": {"a": (0, 3), "b": (None, None)},
        "copy 12": {"a": (0, 3), "b": (None, None)},
        "other": {"a": (3, 3), "b": (2, 3)},
        "alone-9": {"a": (3, 3), "b": (2, 3)},
    }
    assert summary["lengths"] == {
        "adding": {"lengths": [50, 100, 400], "longest": {"a": 400, "b": 50}},
        "copy": {"lengths": [7, 12], "longest": {"a": 0, "b": None}},
    }
