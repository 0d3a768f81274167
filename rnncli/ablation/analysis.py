"""What the runs of a study say: of each variant of each task its spread and its difference from the baseline."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rnncli.ablation import statistics
from rnncli.ablation.statistics import Comparison, Spread
from rnncli.ablation.study import Claim, Row, Study, TaskOfStudy


@dataclass(frozen=True)
class Extent:
    """From the lowest to the highest; one number where all runs have the same."""

    low: float
    high: float


@dataclass(frozen=True)
class OfVariant:
    """One variant of one task.

    Attributes:
        rows: all its runs, in any state.
        compared: those whose figures count.
        spread: of the figures of these; None where there are none.
        against: its comparison with the baseline; None for the baseline, and where one of both has no figures.
        solved: how many runs solved the task, and of how many that came to an end; None where nothing ended or the task
            has no limit.
        seconds: that the training of a compared run took.
    """

    name: str
    rows: Sequence[Row]
    compared: Sequence[Row]
    spread: Spread | None
    against: Comparison | None
    published: float | None
    solved: tuple[int, int] | None
    parameters: Extent | None
    hidden_size: Extent | None
    flops: Extent | None
    seconds: Spread | None

    def count(self, state: str) -> int:
        """Its runs in this state."""
        return sum(row.state == state for row in self.rows)


@dataclass(frozen=True)
class Pair:
    """Two variants of neighbouring groups of a claim; `found` is None where one of them has no figures.

    Attributes:
        strict: `better` is claimed to be better, not only no worse.
    """

    worse: str
    better: str
    found: statistics.Claim | None
    strict: bool

    @property
    def verdict(self) -> str:
        if self.found is None:
            return "no runs"
        if self.strict or self.found.verdict == "reversed":
            return self.found.verdict
        return "undecided" if math.isnan(self.found.p) else "not contradicted"


@dataclass(frozen=True)
class OfClaim:
    """A claim, and what its pairs say of it."""

    claim: Claim
    pairs: Sequence[Pair]

    @property
    def verdict(self) -> str:
        """holds: every pair does. holds in part: some do. does not hold: none does, and at least one is reversed.

        Else it cannot be told. What claims no more than to be no worse is not contradicted where no pair is reversed.
        """
        verdicts = [pair.verdict for pair in self.pairs]
        if not self.claim.strict and "not contradicted" in verdicts:
            return "does not hold" if "reversed" in verdicts else "not contradicted"
        if verdicts and set(verdicts) == {"holds"}:
            return "holds"
        if "holds" in verdicts:
            return "holds in part"
        return "does not hold" if "reversed" in verdicts else "cannot be told"


@dataclass(frozen=True)
class OfTask:
    """One task.

    Attributes:
        title: its name, or its metric where it is the only one and has none.
    """

    task: TaskOfStudy
    title: str
    variants: Sequence[OfVariant]
    claims: Sequence[OfClaim]

    @property
    def baseline(self) -> OfVariant | None:
        return next((each for each in self.variants if each.name == self.task.baseline), None)

    @property
    def known(self) -> list[OfVariant]:
        """The variants that have figures."""
        return [each for each in self.variants if each.spread is not None]


@dataclass(frozen=True)
class Ladder:
    """Tasks that differ in a length alone, as their names say: copy-20, copy-50.

    Attributes:
        lengths: in rising order.
        longest: variant -> the longest length that at least half of its runs solved; 0 where none is, None where it has
            no runs.
    """

    name: str
    lengths: Sequence[int]
    longest: Mapping[str, int | None]


@dataclass(frozen=True)
class Analysis:
    """All that the report of a study says, as numbers."""

    study: Study
    tasks: Sequence[OfTask]
    ladders: Sequence[Ladder]

    @property
    def failures(self) -> list[Row]:
        """The runs that ended without a value."""
        return [row for row in self.study.rows if row.state == "failed" or (row.state == "done" and not _known(row))]


def analyse(study: Study) -> Analysis:
    """The numbers behind a report; only runs with a finite figure count."""
    tasks = [_of_task(study, task) for task in study.tasks]
    return Analysis(study, tasks, _ladders(study, tasks))


def _of_task(study: Study, task: TaskOfStudy) -> OfTask:
    compared = {name: [row for row in study.compared(task, name) if _known(row)] for name in study.variants}
    figures = {name: _figures(study, rows) for name, rows in compared.items()}
    others = {name: values for name, values in figures.items() if name != task.baseline and values}
    against: Mapping[str, Comparison] = {}
    if figures.get(task.baseline) and others:
        baseline = figures[task.baseline]
        against = statistics.compare(baseline, others, paired=study.paired, higher_is_better=task.higher_is_better)
    variants = [
        _of_variant(task, name, study.of(task.name, name), compared[name], against.get(name)) for name in study.variants
    ]
    claims = [_of_claim(study, task, claim, figures) for claim in study.claims if claim.task == task.name]
    return OfTask(task, task.name or task.metric, variants, claims)


def _of_variant(
    task: TaskOfStudy, name: str, rows: Sequence[Row], compared: Sequence[Row], against: Comparison | None
) -> OfVariant:
    figures = _values(row.value for row in compared)
    seconds = _values(row.seconds for row in compared)
    described = compared or rows
    return OfVariant(
        name,
        rows,
        compared,
        statistics.spread(figures, task.higher_is_better) if figures else None,
        against,
        task.published.get(name),
        _solved(task, rows, compared),
        _extent(row.parameters for row in described),
        _extent(row.hidden_size for row in described),
        _extent(row.flops for row in described),
        statistics.spread(seconds, higher_is_better=False) if seconds else None,
    )


def _figures(study: Study, rows: Sequence[Row]) -> dict[int, float]:
    """Seed -> figure; where runs of the same seed are no pairs, trial -> mean over its seeds: they are one draw."""
    by_key: dict[int, list[float]] = {}
    for row in rows:
        key = row.seed if study.paired or row.trial is None else row.trial
        by_key.setdefault(key, []).extend(_values([row.value]))
    return {key: fmean(values) for key, values in by_key.items() if values}


def _solved(task: TaskOfStudy, rows: Sequence[Row], compared: Sequence[Row]) -> tuple[int, int] | None:
    """A run that failed has not solved its task; after a search only the trials that are compared count."""
    if task.solved is None:
        return None
    limit, sign = task.solved, 1 if task.higher_is_better else -1
    solved = sum(sign * (value - limit) >= 0 for value in _values(row.value for row in compared))
    trials = any(row.trial is not None for row in rows)
    ended = len(compared) if trials else sum(row.state in ("done", "failed") for row in rows)
    return (solved, ended) if ended else None


def _of_claim(study: Study, task: TaskOfStudy, claim: Claim, figures: Mapping[str, Mapping[int, float]]) -> OfClaim:
    pairs = []
    for worse_group, better_group in zip(claim.order[:-1], claim.order[1:], strict=True):
        for worse in worse_group:
            for better in better_group:
                low, high = figures.get(worse), figures.get(better)
                found = None
                if low and high:
                    found = statistics.claim(high, low, paired=study.paired, higher_is_better=task.higher_is_better)
                pairs.append(Pair(worse, better, found, claim.strict))
    return OfClaim(claim, pairs)


def _ladders(study: Study, tasks: Sequence[OfTask]) -> list[Ladder]:
    """Of tasks with a limit whose names differ only in the number at their end."""
    rungs: dict[str, dict[int, OfTask]] = {}
    for task in tasks:
        parts = re.fullmatch(r"(.*?)[-_ ]*(\d+)", task.task.name)
        if parts and task.task.solved is not None:
            rungs.setdefault(parts[1], {})[int(parts[2])] = task
    return [
        Ladder(name, sorted(rung), {variant: _longest(rung, variant) for variant in study.variants})
        for name, rung in rungs.items()
        if len(rung) > 1
    ]


def _longest(rung: Mapping[int, OfTask], variant: str) -> int | None:
    shares = {length: each.solved for length, task in rung.items() for each in task.variants if each.name == variant}
    ended = {length: share for length, share in shares.items() if share is not None}
    if not ended:
        return None
    return max((length for length, (solved, of) in ended.items() if 2 * solved >= of), default=0)


def _known(row: Row) -> bool:
    return bool(_values([row.value]))


def _values(numbers: Iterable[float | None]) -> list[float]:
    return [float(number) for number in numbers if number is not None and math.isfinite(number)]


def _extent(numbers: Iterable[float | None]) -> Extent | None:
    known = _values(numbers)
    return Extent(min(known), max(known)) if known else None
