"""What an ablation has found: its runs as rows, and what they are compared by. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["done", "pruned", "failed", "waiting"]
"""done: its summary is written. pruned: a search gave it up early. failed: it ended with an error. waiting: not begun,
or not ended."""


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        trial: number of the draw of a search, from 1; None without a search.
        reason: why it failed or was pruned; where it was done, why it ended (epochs, patience, time).
        value: the metric of the ablation; None where the run is not done, or the metric is not finite.
        chosen_by: the same metric on the validation part, by which the trials of a search are chosen.
        changes: dotted key -> value of all that this run changes in its base config.
        curve: of each evaluation while training the step and the metric on the validation part.
        by_epoch: epoch -> the metric on the validation part at its end.
        seconds: that the training took; flops: of all recurrent layers for one step of one sequence.
        path: of the run directory, relative to that of the ablation.
    """

    task: str
    variant: str
    trial: int | None
    seed: int
    state: State
    reason: str
    value: float | None
    chosen_by: float | None
    changes: Mapping[str, Any]
    curve: Sequence[tuple[int, float]]
    path: str
    by_epoch: Mapping[int, float] = field(default_factory=dict)
    parameters: int | None = None
    flops: int | None = None
    hidden_size: int | None = None
    epochs: int | None = None
    steps: int | None = None
    seconds: float | None = None
    engine: str | None = None
    threads: int | None = None


@dataclass(frozen=True)
class TaskOfStudy:
    """What is measured of one task, and what it is compared with.

    Attributes:
        metric: part and name, as in test.nll.
        baseline: the variant that the others are compared with.
        solved: the limit that a value must pass to count as solved, or None.
        published: variant -> the figure of a paper.
    """

    name: str
    metric: str
    higher_is_better: bool
    baseline: str
    solved: float | None = None
    published: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """An ordering that somebody has claimed.

    Attributes:
        order: groups of variants from worst to best; variants of one group are not compared with each other.
        strict: each group is claimed to be better than the one before; otherwise only no worse.
    """

    task: str
    text: str
    order: Sequence[Sequence[str]]
    strict: bool = True


@dataclass(frozen=True)
class Study:
    """An ablation with all that its runs have found so far.

    Attributes:
        source: what the published figures are from.
        best: of each variant's trials the share (below 1) or number that is compared; None without a search.
        about: what was said of the ablation at its making: matched sizes, threads, versions.
    """

    name: str
    tasks: Sequence[TaskOfStudy]
    variants: Sequence[str]
    rows: Sequence[Row]
    claims: Sequence[Claim] = ()
    source: str = ""
    best: float | None = None
    about: Sequence[str] = ()

    def of(self, task: str, variant: str) -> list[Row]:
        """The runs of one variant of one task."""
        return [row for row in self.rows if row.task == task and row.variant == variant]

    def compared(self, task: TaskOfStudy, variant: str) -> list[Row]:
        """The done runs that stand for a variant: all of them or, after a search, its best trials.

        Trials are chosen by the mean of the validation metric over their seeds.
        """
        done = [row for row in self.of(task.name, variant) if row.value is not None]
        if self.best is None:
            return done
        by_trial: dict[int, list[Row]] = {}
        for row in done:
            if row.trial is not None and row.chosen_by is not None:
                by_trial.setdefault(row.trial, []).append(row)
        seeds = max((len(rows) for rows in by_trial.values()), default=0)
        whole = [trial for trial, rows in by_trial.items() if len(rows) == seeds]
        sign = -1 if task.higher_is_better else 1
        whole.sort(key=lambda trial: (sign * _mean([row.chosen_by for row in by_trial[trial]]), trial))
        trials = {row.trial for row in self.of(task.name, variant)}
        count = self.best if self.best >= 1 else max(1, round(self.best * len(trials)))
        return [row for trial in whole[: int(count)] for row in by_trial[trial]]

    @property
    def paired(self) -> bool:
        """Whether runs of the same seed are pairs: not where several trials of a variant are compared."""
        return self.best is None or self.best == 1


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)
