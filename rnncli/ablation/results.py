"""`results.csv` and `summary.json`: the figures of an ablation for other programs. Their keys do not change.

results.csv has a row a run:

task, variant, trial, seed   which run it is; trial only after a search
state, reason                done, pruned, failed or waiting; why it failed, or why its training ended
metric, value                what is compared; value is empty where there is none, or it is not finite
chosen_by                    the same metric on the validation part
compared                     true where its value counts: all runs that are done or, after a search, the best trials
parameters ... threads       size, training and machine, as in `Row` of `rnncli/ablation/study.py`
path                         of the run directory
config.KEY                   what the run changes in its base; empty where it does not; lists and the like as JSON

summary.json:

format                       1
name, source, about, best    as in `Study`
paired                       whether runs of the same seed are pairs
rule                         what is compared, in a sentence
variants                     their names, in order
tasks                        a list: name, metric, higher_is_better, baseline, solved (the limit), sentences (what
                             holds), variants
  variants                   name -> planned, done, failed, pruned, waiting (runs); n, mean, sd, median, best (of those
                             that are compared); published; solved and ended (runs; null without a limit); parameters,
                             hidden_size, flops (low and high); seconds (mean); against (the baseline) or null
    against                  n, difference, low, high, test, p, adjusted, effect, needed, verdict, as in `Comparison` of
                             `rnncli/ablation/statistics.py`
assumptions                  test -> what it takes for granted, of all tests that were used
claims                       a list: task, text, order, verdict, sentence, pairs (worse, better, difference, p, verdict)
lengths                      task without its length -> lengths, longest (variant -> longest that at least half of the
                             runs solved; 0: none)
failures                     a list: task, variant, trial, seed, state, reason, path

What is not finite is null.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from rnncli.ablation import sentences
from rnncli.ablation.analysis import Analysis, OfTask, OfVariant
from rnncli.ablation.statistics import ASSUMPTIONS

FORMAT = 1
_OF_ROW = ("parameters", "flops", "hidden_size", "epochs", "steps", "seconds", "engine", "threads")


def results_csv(analysis: Analysis) -> str:
    """A row a run."""
    study = analysis.study
    metrics = {task.task.name: task.task.metric for task in analysis.tasks}
    compared = {id(row) for task in analysis.tasks for each in task.variants for row in each.compared}
    keys = list(dict.fromkeys(key for row in study.rows for key in row.changes))
    head = ["task", "variant", "trial", "seed", "state", "reason", "metric", "value", "chosen_by", "compared"]
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([*head, *_OF_ROW, "path", *(f"config.{key}" for key in keys)])
    for row in study.rows:
        lines.writerow(
            [
                *(row.task, row.variant, _field(row.trial), row.seed, row.state, row.reason, metrics.get(row.task, "")),
                *(_field(row.value), _field(row.chosen_by), _field(id(row) in compared)),
                *(_field(getattr(row, name)) for name in _OF_ROW),
                row.path,
                *(_changed(row.changes, key) for key in keys),
            ]
        )
    return text.getvalue()


def summary(analysis: Analysis) -> dict[str, Any]:
    """All figures of a report, ready for JSON."""
    study = analysis.study
    of = {task.task.name: task for task in analysis.tasks}
    used = {each.against.test for task in analysis.tasks for each in task.variants if each.against}
    found = {
        "format": FORMAT,
        "name": study.name,
        "source": study.source,
        "about": list(study.about),
        "best": study.best,
        "paired": study.paired,
        "rule": sentences.rule(analysis),
        "variants": list(study.variants),
        "tasks": [_task(task, study.paired) for task in analysis.tasks],
        "assumptions": {test: text for test, text in ASSUMPTIONS.items() if test in used},
        "claims": [
            {
                "task": claim.claim.task,
                "text": claim.claim.text,
                "order": [list(group) for group in claim.claim.order],
                "verdict": claim.verdict,
                "sentence": sentences.of_claim(claim, of[claim.claim.task]),
                "pairs": [
                    {
                        "worse": pair.worse,
                        "better": pair.better,
                        "difference": pair.found and pair.found.difference,
                        "p": pair.found and pair.found.p,
                        "verdict": pair.verdict,
                    }
                    for pair in claim.pairs
                ],
            }
            for task in analysis.tasks
            for claim in task.claims
        ],
        "lengths": {
            ladder.name: {"lengths": list(ladder.lengths), "longest": dict(ladder.longest)}
            for ladder in analysis.ladders
        },
        "failures": [
            {name: getattr(row, name) for name in ("task", "variant", "trial", "seed", "state", "reason", "path")}
            for row in analysis.failures
        ],
    }
    return {key: _finite(value) for key, value in found.items()}


def _task(task: OfTask, paired: bool) -> dict[str, Any]:
    about = task.task
    return {
        "name": about.name,
        "metric": about.metric,
        "higher_is_better": about.higher_is_better,
        "baseline": about.baseline,
        "solved": about.solved,
        "sentences": sentences.paragraph(task, paired),
        "variants": {each.name: _variant(each) for each in task.variants},
    }


def _variant(each: OfVariant) -> dict[str, Any]:
    spread = asdict(each.spread) if each.spread else {"n": 0, "mean": None, "sd": None, "median": None, "best": None}
    solved, ended = each.solved or (None, None)
    return {
        "planned": len(each.rows),
        **{state: each.count(state) for state in ("done", "failed", "pruned", "waiting")},
        **spread,
        "published": each.published,
        "solved": solved,
        "ended": ended,
        **{name: _extent(getattr(each, name)) for name in ("parameters", "hidden_size", "flops")},
        "seconds": each.seconds.mean if each.seconds else None,
        "against": asdict(each.against) if each.against else None,
    }


def _extent(extent: Any) -> dict[str, float] | None:
    return {field.name: getattr(extent, field.name) for field in fields(extent)} if extent else None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or (isinstance(value, float) and not math.isfinite(value)) else value


def _changed(changes: Mapping[str, Any], key: str) -> str:
    if key not in changes:
        return ""
    value = changes[key]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
