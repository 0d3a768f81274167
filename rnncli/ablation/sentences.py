"""What an analysis says, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnncli.ablation import numbers
from rnncli.ablation.analysis import Analysis, OfClaim, OfTask, OfVariant, Pair
from rnncli.ablation.numbers import Written
from rnncli.ablation.statistics import ALPHA, ASSUMPTIONS, NO_TEST, Comparison
from rnncli.ablation.study import Row

CLAIM_RULE = (
    "A claim is split into pairs: each variant of a group against each of the next. A pair holds where the one that is "
    f"claimed to be better is better with p < {ALPHA:g} (two-sided, not corrected), is reversed where it is worse with "
    f"p < {ALPHA:g}, and cannot be told otherwise. The claim holds where every pair does, holds in part where some do, "
    "and does not hold where none does and at least one is reversed; where none holds and none is reversed, it cannot "
    "be told. Where a <= b claims only that b is no worse, it is not contradicted as long as b is not worse with "
    f"p < {ALPHA:g}: that is no proof of it."
)
SOLVED_RULE = "A run that failed counts as one that did not solve its task; one that waits does not count."


def writer_of(task: OfTask) -> Written:
    """How the figures of a task are written, everywhere."""
    spreads = [each.spread for each in task.variants if each.spread is not None]
    return numbers.writer([spread.mean for spread in spreads], [spread.sd for spread in spreads])


def rule(analysis: Analysis) -> str:
    """What of the runs is compared, and how the values of a variant belong to those of the baseline."""
    best = analysis.study.best
    if best is None:
        compared = "All runs that are done are compared"
    else:
        number = f"{best:.0f} trials" if best >= 1 else f"{100 * best:.3g} % of the trials"
        which, are = ("trial", "is") if best == 1 else (number, "are")
        compared = f"Of each variant the best {which} by the metric on the validation part {are} compared"
    pairs = "runs of the same seed are pairs"
    if not analysis.study.paired:
        pairs = (
            "trials of different variants are no pairs, each counts once, with the mean over its seeds, and since they "
            "were selected, spread and interval speak of the best trials alone"
        )
    if best is not None and any(task.task.metric.startswith("valid.") for task in analysis.tasks):
        pairs += (
            ", and values of the validation part, by which trials were selected, are better than new data would give"
        )
    return (
        f"{compared}; {pairs}. p is two-sided, and corrected by Holm's method over the variants of a task; a variant "
        f"is said to be better or worse where it is below {ALPHA:g}."
    )


def paragraph(task: OfTask, paired: bool) -> list[str]:
    """Which differences from the baseline hold, and which do not."""
    name, base = task.task.baseline, task.baseline
    if not task.known:
        return ["No run is done yet: there is nothing to compare."]
    if base is None or base.spread is None:
        return [f"The baseline {name} has no run that is done: nothing is compared with it."]
    write = writer_of(task)
    found = [_baseline(task, base, write)]
    compared = [(each, each.against) for each in task.variants if each.against is not None]
    if not compared:
        return [*found, "No other variant has a run that is done: there is nothing to compare."]
    for verdict in ("worse", "better"):
        told = [_told(each, against, write) for each, against in compared if against.verdict == verdict]
        if told:
            found.append(f"{verdict.capitalize()} than {name}: {'; '.join(told)}.")
    tested = [(each, against) for each, against in compared if against.test != NO_TEST]
    open_ = [_open(each, against, write, paired) for each, against in tested if against.verdict == "undecided"]
    if open_:
        found.append(f"No difference from {name} can be told for {'; '.join(open_)}.")
    single = [each.name for each, against in compared if against.test == NO_TEST]
    if single:
        few = "fewer than two seeds in common with the baseline" if paired else "fewer than two trials on a side"
        found.append(f"No test for {_listed(single)}: {few}.")
    absent = [each.name for each in task.variants if each.spread is None]
    if absent:
        found.append(f"Without any value: {_listed(absent)}.")
    tests = dict.fromkeys(against.test for _, against in tested)
    return [*found, *(f"{test[0].upper()}{test[1:]}: {ASSUMPTIONS[test]}" for test in tests)]


def of_claim(claim: OfClaim, task: OfTask) -> str:
    """A verdict with its counts."""
    verdicts = [pair.verdict for pair in claim.pairs]
    sign = 1 if task.task.higher_is_better else -1
    known = [pair.found for pair in claim.pairs if pair.found is not None]
    ahead = sum(sign * found.difference > 0 for found in known)
    if claim.claim.strict:
        parts = [f"{verdicts.count('holds')} of {_pairs(len(verdicts))} {'holds' if len(verdicts) == 1 else 'hold'}"]
    else:
        parts = [f"{verdicts.count('not contradicted')} of {_pairs(len(verdicts))} not contradicted"]
    for verdict, words in (("reversed", "reversed"), ("undecided", "cannot be told"), ("no runs", "without runs")):
        if verdict in verdicts:
            parts.append(f"{verdicts.count(verdict)} {words}")
    if known:
        parts.append(f"the difference points the claimed way in {ahead}")
    return f"{claim.claim.text}: {claim.verdict} ({', '.join(parts)})."


def of_pair(pair: Pair, task: OfTask) -> str:
    """One line."""
    named = f"{pair.worse} {'<' if pair.strict else '<='} {pair.better}"
    if pair.found is None:
        return f"{named}: {pair.verdict}"
    gap = numbers.signed(writer_of(task), pair.found.difference)
    words = "cannot be told" if pair.verdict == "undecided" else pair.verdict
    return f"{named}: {words} (difference {gap}, p {numbers.equals(pair.found.p)})"


def of_failure(row: Row) -> str:
    """Which run it was, and why it has no value."""
    names = [row.task, row.variant, f"trial {row.trial}" if row.trial is not None else "", f"seed {row.seed}"]
    why = row.reason if row.state == "failed" else f"the metric is not a finite number ({row.reason})"
    return f"{', '.join(name for name in names if name)}: {why}"


def _baseline(task: OfTask, base: OfVariant, write: Written) -> str:
    spread = base.spread
    if spread is None:
        return ""
    deviation = f", sd {write(spread.sd)}" if spread.n > 1 else ""
    runs = "run" if spread.n == 1 else "runs"
    return f"{base.name} has a mean {task.task.metric} of {write(spread.mean)} over {spread.n} {runs}{deviation}."


def _told(each: OfVariant, against: Comparison, write: Written) -> str:
    return f"{each.name} by {write(abs(against.difference))} ({_interval(against, write)}{_p(against)})"


def _open(each: OfVariant, against: Comparison, write: Written, paired: bool) -> str:
    unit = "seeds" if paired else "trials"
    needs = f"; a gap of this size needs about {against.needed:,} {unit}" if against.needed is not None else ""
    gap = numbers.signed(write, against.difference)
    return f"{each.name} ({gap}, {_interval(against, write)}{_p(against)}{needs})"


def _interval(against: Comparison, write: Written) -> str:
    """Of a size, so that its ends are turned where the difference is below zero."""
    if not (math.isfinite(against.low) and math.isfinite(against.high)):
        return ""
    low, high = against.low, against.high
    if against.verdict != "undecided" and against.difference < 0:
        low, high = -high, -low
    return f"95 % {write(low)} to {write(high)}, "


def _p(against: Comparison) -> str:
    return f"p {numbers.equals(against.adjusted)}"


def _pairs(count: int) -> str:
    return "1 pair" if count == 1 else f"{count} pairs"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
