"""What an analysis says in words, against values that were made to say it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from ablation.studies import make_study, small
from rnncli.ablation import numbers, sentences
from rnncli.ablation.analysis import analyse
from rnncli.ablation.study import Claim, Row, Study


def noisy(center, seeds=6, spread=0.03):
    """Values whose mean is the center; each call's differ from each other call's."""
    rng = np.random.default_rng(int(center * 1000))
    noise = rng.normal(0, spread, seeds)
    return (center + noise - noise.mean()).tolist()


@pytest.mark.parametrize("higher", [False, True])
def test_sentences_say_which_differences_hold(higher):
    analysis = small(
        {
            "base": noisy(5.0),
            "up": noisy(5.41),
            "down": noisy(4.7),
            "same": noisy(5.001),
            "once": [5.2],
            "none": [None],
        },
        higher=higher,
    )
    task = analysis.tasks[0]
    said = sentences.paragraph(task, True)
    against = {each.name: each.against for each in task.variants}
    up, down = ("better", "worse") if higher else ("worse", "better")
    assert said[0].startswith("base has a mean test.nll of 5.000 over 6 runs, sd 0.0")
    for word, name, size in ((up, "up", "0.410"), (down, "down", "0.300")):
        (line,) = [line for line in said if line.startswith(f"{word.capitalize()} than base: ")]
        parts = re.fullmatch(rf".*: {name} by {size} \(95 % (\d\.\d+) to (\d\.\d+), p < 0.001\)\.", line)
        low, high = sorted(abs(each) for each in (against[name].low, against[name].high))
        assert parts and (float(parts[1]), float(parts[2])) == (round(low, 3), round(high, 3))
    (line,) = [line for line in said if line.startswith("No difference from base can be told for same (+0.001, 95 % ")]
    assert f"needs about {against['same'].needed:,} seeds" in line if against["same"].needed else "needs" not in line
    assert f"p {numbers.equals(against['same'].adjusted)}" in line
    assert "No test for once: fewer than two seeds in common with the baseline." in said
    assert "Without any value: none." in said
    assert said[-1].startswith("Paired t-test: Seeds are independent")


def test_sentences_where_there_is_nothing_to_compare():
    def said(values):
        return sentences.paragraph(small(values).tasks[0], True)

    assert said({"base": [None], "a": [None]}) == ["No run is done yet: there is nothing to compare."]
    assert said({"base": [None, None], "a": [1.0, 2.0]}) == [
        "The baseline base has no run that is done: nothing is compared with it."
    ]
    assert said({"base": [1.0, 2.0], "a": [None]}) == [
        "base has a mean test.nll of 1.50 over 2 runs, sd 0.71.",
        "No other variant has a run that is done: there is nothing to compare.",
    ]
    assert said({"base": [1.0], "a": [2.0]}) == [
        "base has a mean test.nll of 1.000 over 1 run.",
        "No test for a: fewer than two seeds in common with the baseline.",
    ]


def test_sentences_of_claims_count_their_pairs():
    study = make_study(
        variants=("a", "b", "c", "d", "e"), seeds=6, higher=True, waiting={("d", n) for n in range(1, 7)}
    )
    rows = list(study.rows)
    for place, row in enumerate(rows):
        shift = {"a": 0.0, "b": 3.0, "c": -3.0, "d": 0.0, "e": -4.0}[row.variant]
        if row.value is not None:
            rows[place] = Row(**{**vars(row), "value": row.value + shift})
    claim = Claim("jsb", "a < b, c, d, e", [["a"], ["b", "c", "d", "e"]])
    task = analyse(Study("s", study.tasks, study.variants, rows, [claim])).tasks[0]
    assert sentences.of_claim(task.claims[0], task) == (
        "a < b, c, d, e: holds in part (1 of 4 pairs hold, 2 reversed, 1 without runs, the difference points the "
        "claimed way in 1)."
    )
    lines = [sentences.of_pair(pair, task) for pair in task.claims[0].pairs]
    of_a_loss = replace(task, task=replace(task.task, higher_is_better=False))
    assert sentences.of_claim(task.claims[0], of_a_loss).endswith("the difference points the claimed way in 2).")
    assert re.fullmatch(r"a < b: holds \(difference \+2\.9\d, p < 0\.001\)", lines[0])
    assert re.fullmatch(r"a < c: reversed \(difference −2\.\d\d, p < 0\.001\)", lines[1])
    assert lines[2] == "a < d: no runs"


def test_what_claims_to_be_no_worse_cannot_be_told_where_nothing_was_tested() -> None:
    study = small({"a": [5.0], "b": [7.5]}).study
    claimed = replace(study, claims=[Claim("", "a <= b", [["a"], ["b"]], strict=False)])
    (task,) = analyse(claimed).tasks
    assert task.claims[0].verdict == "cannot be told"
    assert sentences.of_claim(task.claims[0], task).startswith(
        "a <= b: cannot be told (0 of 1 pair not contradicted, 1 "
    )
    assert sentences.of_pair(task.claims[0].pairs[0], task).startswith("a <= b: cannot be told (difference +2.5")


@pytest.mark.parametrize(
    ("center", "verdict"), [(5.001, "not contradicted"), (3.0, "not contradicted"), (7.0, "does not hold")]
)
def test_what_claims_to_be_no_worse_is_contradicted_only_by_a_worse_one(center, verdict):
    study = small({"a": noisy(5.0), "b": noisy(center)}).study
    claimed = replace(study, claims=[Claim("", "a <= b", [["a"], ["b"]], strict=False)])
    (task,) = analyse(claimed).tasks
    assert task.claims[0].verdict == verdict
    assert sentences.of_claim(task.claims[0], task).startswith(f"a <= b: {verdict} (")
