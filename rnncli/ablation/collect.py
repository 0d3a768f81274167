"""From the directory of an ablation to what its runs have found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.plan import Planned, higher_is_better
from rnncli.ablation.study import Claim, Row, Study, TaskOfStudy
from rnncli.errors import RunError
from rnncli.runs.directory import RunDirectory


def row(directory: AblationDirectory, run: Planned, metric: str) -> Row:
    """What has become of a planned run; one with a damaged file has failed.

    Args:
        metric: with its part.
    """
    path, (part, _, name) = directory.run(run.name), metric.partition(".")
    found = RunDirectory(path)
    waiting = Row(
        run.task,
        run.variant,
        run.trial,
        run.seed,
        state="waiting",
        reason="",
        value=None,
        chosen_by=None,
        changes=run.changes,
        curve=(),
        path=directory.relative(path),
    )
    try:
        begun = _with_curve(waiting, found, name)
        failure = found.read_failure()
        if failure is not None:
            return replace(begun, state=failure["state"], reason=failure["reason"])
        return _done(begun, found.read_summary(), part, name) if found.summary_file.exists() else begun
    except RunError as error:
        return replace(waiting, state="failed", reason=str(error))
    except (AttributeError, KeyError, TypeError) as error:
        return replace(waiting, state="failed", reason=f"{path}: one of its files is damaged ({error!r})")


def _with_curve(waiting: Row, run: RunDirectory, metric: str) -> Row:
    lines = [(line, value) for line in run.read_all_metrics() if (value := line["values"].get(metric)) is not None]
    by_epoch = {line["epoch"]: value for line, value in lines if line["ends_epoch"]}
    return replace(waiting, curve=[(line["step"], value) for line, value in lines], by_epoch=by_epoch)


def _done(begun: Row, summary: Mapping[str, Any], part: str, name: str) -> Row:
    """The row of a run that has its summary."""
    if name not in summary[part]:
        return replace(begun, state="failed", reason=f"its summary has no {part}.{name}")
    return replace(
        begun,
        state="done",
        reason=f"ended: {summary['ended']}",
        value=summary[part][name],
        chosen_by=summary["valid"].get(name),
        parameters=summary["parameters"],
        flops=summary["flops"],
        hidden_size=summary["hidden_size"],
        epochs=summary["epochs"],
        steps=summary["steps"],
        seconds=summary["seconds"]["total"],
        engine=summary["engine"],
        threads=summary["threads"],
    )


def study(path: Path) -> Study:
    """All that an ablation has found so far, from its plan and its runs alone.

    Raises:
        RunError: there is no ablation, or its plan is damaged.
    """
    directory = AblationDirectory(path)
    plan = directory.read_plan()
    try:
        return _study(directory, plan)
    except (AttributeError, KeyError, TypeError) as error:
        raise RunError(f"{path}: its plan is damaged ({error!r}); the command that began it writes it anew") from error


def _study(directory: AblationDirectory, plan: Mapping[str, Any]) -> Study:
    tasks = [
        TaskOfStudy(
            each["name"],
            each["metric"],
            higher_is_better(each["metric"]),
            plan["baseline"],
            each["solved"],
            each["published"],
        )
        for each in plan["tasks"]
    ]
    metrics = {task.name: task.metric for task in tasks}
    rows = [row(directory, Planned(**each), metrics[each["task"]]) for each in plan["runs"]]
    return Study(
        plan["name"],
        tasks,
        plan["variants"],
        rows,
        [Claim(**each) for each in plan["claims"]],
        plan["source"],
        plan["best"],
        [*(line for lines in plan["about"].values() for line in lines), *_of_the_machine(directory, rows)],
    )


def _of_the_machine(directory: AblationDirectory, rows: Iterable[Row]) -> list[str]:
    """What all runs have in common, and what they should have and have not."""
    done = [each for each in rows if each.state == "done"]
    summaries = [RunDirectory(directory.path / each.path).read_summary() for each in done]
    said = []
    kinds: Mapping[str, Any] = {
        "threads": lambda summary: summary["threads"],
        "device": lambda summary: summary["device"],
        "engine": lambda summary: summary["engine"],
        "versions": lambda summary: ", ".join(f"{name} {number}" for name, number in summary["versions"].items()),
    }
    for name, of in kinds.items():
        found = sorted({str(of(summary)) for summary in summaries})
        if len(found) == 1:
            said.append(f"{name}: {found[0]}")
        elif found:
            said.append(f"{name} differ between runs, so that their bits may too: {'; '.join(found)}")
    data: dict[str, set[str]] = {}
    for each, summary in zip(done, summaries, strict=True):
        data.setdefault(each.task, set()).add(json.dumps(sorted(summary["data"].values())))
    changed = [task or "the runs" for task, seen in data.items() if len(seen) > 1]
    return said + [f"the data of {task} have changed between runs" for task in changed]
