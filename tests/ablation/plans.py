"""Ablations written to files, planned, and carried out without any training."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from rnncli.ablation.ablate import Ready, ablate
from rnncli.ablation.agenda import Agenda, Lane
from rnncli.ablation.collect import row
from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.launcher import Job, Over, Source, Went
from rnncli.ablation.plan import Plan, Planned, read_ablation
from rnncli.ablation.search import Search
from rnncli.ablation.space import Distribution, distribution, whole
from rnncli.runs.directory import RunDirectory

BASE: dict[str, Any] = {
    "task": "many-to-one",
    "data": {"loader": "synthetic", "name": "adding", "length": 6, "sizes": {"train": 20, "valid": 10, "test": 10}},
    "model": {"cell": {"type": "lstm", "hidden_size": 8}},
    "training": {"epochs": 7, "batch_size": 5, "metric": "mse"},
}
TOKENS: dict[str, Any] = {
    "task": "many-to-many",
    "data": {"loader": "synthetic", "name": "arithmetic", "digits": 2, "sizes": {"train": 20, "valid": 10, "test": 10}},
    "model": {"cell": {"type": "lstm", "hidden_size": 8}, "embedding_size": 8},
    "training": {"epochs": 3, "batch_size": 5},
}
COMMON: dict[str, Any] = {"base": "base.yaml", "metric": "test.mse", "seeds": 2}


def written(folder: Path, text: str = "", **keys: Any) -> Path:
    """The file of an ablation of `base.yaml`: text, or keys on top of what all have; None leaves one out."""
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE))
    (folder / "tokens.yaml").write_text(yaml.safe_dump(TOKENS))
    path = folder / "cells.yaml"
    found = {key: value for key, value in {**COMMON, **keys}.items() if value is not None}
    path.write_text(text or yaml.safe_dump(found, sort_keys=False))
    return path


def planned(folder: Path, *overrides: str, setting: str | None = None, **keys: Any) -> Plan:
    """The plan of an ablation."""
    path = written(folder, **keys)
    return Plan(read_ablation(path, setting, overrides), path)


def made_of(
    plan: Plan,
    directory: AblationDirectory,
    *,
    retry: bool = False,
    sizes: Callable[[str, str, dict[str, Any]], dict[str, Any]] = lambda task, variant, drawn: {},
) -> Agenda:
    """The agenda of a plan."""
    settings = plan.settings.search
    lanes = []
    for task in plan.tasks:
        for variant in plan.variants:
            search = None
            if settings is not None:
                search = Search(settings, space_of(settings.space), f"{task} {variant}", higher_is_better=False)
            metric = plan.tasks[task].metric or ""
            rows = lambda run, metric=metric: row(directory, run, metric)  # noqa: E731
            lanes.append(Lane(plan, task, variant, search, sizes, rows))
    return Agenda(plan, directory, lanes, retry, lambda: None)


def space_of(written: Mapping[str, Any]) -> dict[str, Distribution]:
    """Distributions as they are written; sizes are whole numbers."""
    found = {key: distribution(text) for key, text in written.items()}
    return {key: whole(each) if key.endswith("size") else each for key, each in found.items()}


class Driver:
    """Does jobs as a launcher does, in a random order, with figures out of a formula.

    Attributes:
        taken: the runs, in the order in which they were taken.
        given_up: run -> epoch after which it was given up.
    """

    def __init__(
        self,
        directory: AblationDirectory,
        value: Callable[[Planned, int], float],
        *,
        slots: int = 1,
        order: int = 0,
        one_at_a_time: bool = False,
        epochs: int = 3,
        fails: Callable[[Planned], bool] = lambda run: False,
    ) -> None:
        self.directory, self.value, self.slots, self.epochs, self.fails = directory, value, slots, epochs, fails
        self.one_at_a_time, self.draw = one_at_a_time, random.Random(order)
        self.taken: list[Planned] = []
        self.given_up: dict[str, int] = {}

    def drive(self, source: Source, events: float = float("inf")) -> Driver:
        """Until there is nothing left, or a number of epochs has gone by; runs that are under way keep their files."""
        running: list[tuple[Job, int]] = []
        while events > 0:
            while len(running) < self.slots and (job := source.take()) is not None:
                self._begin(job, running)
            if not running:
                break
            events -= 1
            job, epoch = running.pop(self.draw.randrange(len(running)))
            if self._epoch(source, job, epoch + 1):
                running.append((job, epoch + 1))
        return self

    def _begin(self, job: Job, running: list[tuple[Job, int]]) -> None:
        lane = (job.planned.task, job.planned.variant)
        beside = [other.planned for other, _ in running if (other.planned.task, other.planned.variant) == lane]
        if self.one_at_a_time:
            assert all(other.trial == job.planned.trial for other in beside), "two trials of one variant at once"
            assert not (beside and job.watched)
        assert job.config.is_file()
        RunDirectory(job.run).forget_failure()
        self.taken.append(job.planned)
        running.append((job, sum(line["ends_epoch"] for line in RunDirectory(job.run).read_all_metrics())))

    def _epoch(self, source: Source, job: Job, epoch: int) -> bool:
        run, directory = job.planned, RunDirectory(job.run)
        job.run.mkdir(parents=True, exist_ok=True)
        values = {"mse": self.value(run, epoch)}
        lines = directory.read_all_metrics()
        line = {"epoch": epoch, "step": 10 * epoch, "values": values, "ends_epoch": True}
        within = {**line, "step": 10 * epoch - 5, "values": {"mse": 1e-9}, "ends_epoch": False}  # not asked about
        directory.write_metrics([*lines, within, line])
        if self.fails(run):
            directory.write_failure("failed", "the loss is not finite")
            source.ended(Over(job, "failed", "the loss is not finite", 1.0))
            return False
        if job.watched and not source.goes_on(Went(job, epoch, 10 * epoch, values)):
            self.given_up[run.name] = epoch
            directory.write_failure("pruned", "given up")
            source.ended(Over(job, "pruned", "given up", 1.0))
            return False
        if epoch < self.epochs:
            return True
        directory.write_summary(
            {
                "valid": values,
                "test": values,
                "ended": "epochs",
                "seconds": {"total": 1.0},
                **dict.fromkeys(("parameters", "flops", "hidden_size", "epochs", "steps", "threads"), 1),
                "engine": "native",
            }
        )
        source.ended(Over(job, "done", "", 1.0))
        return False


def draws(runs: list[Planned], keys: Mapping[str, Any]) -> dict[tuple[str, str], list[tuple[int, Any]]]:
    """Task and variant -> number of each trial and what was drawn for it, in the order in which they were taken."""
    found: dict[tuple[str, str], list[tuple[int, Any]]] = {}
    for run in runs:
        drawn = (run.trial or 0, {key: run.changes.get(key) for key in keys})
        lane = found.setdefault((run.task, run.variant), [])
        if drawn not in lane:
            lane.append(drawn)
    return found


def ready(plan: Plan, folder: Path) -> Ready:
    """The plan worked out on its data, before anything runs."""
    events = ablate(plan, folder / "out", lambda directory: lambda source, asked: iter(()))
    event = next(events)
    assert isinstance(event, Ready)
    events.close()
    return event
