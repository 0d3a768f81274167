"""The tables of a report, as rows of text; `markup.py` writes them as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rnncli.ablation import numbers
from rnncli.ablation.analysis import Analysis, OfTask, OfVariant
from rnncli.ablation.numbers import NOTHING, Written
from rnncli.ablation.sentences import SOLVED_RULE, writer_of


@dataclass(frozen=True)
class Cell:
    """What stands at one place; the best of a column is marked."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """The first column names what a row is about; the others are figures."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def overview(analysis: Analysis) -> Table:
    """The shortest table of an ablation: of one task its variants, of several variants x tasks."""
    return _of_all(analysis) if len(analysis.tasks) > 1 else _of_one(analysis.tasks[0])


def of_study(analysis: Analysis) -> list[Table]:
    """The tables over all tasks: their figures, and of those with a limit what was solved."""
    found = [_of_all(analysis)] if len(analysis.tasks) > 1 else []
    if any(task.task.solved is not None for task in analysis.tasks):
        found.append(_solved(analysis))
    if analysis.ladders:
        found.append(_longest(analysis))
    return found


def of_task(task: OfTask, paired: bool) -> list[Table]:
    """The figures of one task, their differences from the baseline, and what they cost."""
    return [_figures(task), _differences(task, paired), _costs(task)]


def _figures(task: OfTask) -> Table:
    write = writer_of(task)
    better = "higher" if task.task.higher_is_better else "lower"
    means, medians, bests = (_best(task, name) for name in ("mean", "median", "best"))
    published = task.task.published
    marked = _extreme(published.values(), task)
    rows = []
    for each in task.variants:
        spread = each.spread
        row = [
            Cell(each.name),
            Cell(str(spread.n) if spread else "0"),
            Cell(f"{each.count('done')}/{len(each.rows)}"),
            _cell(write, spread.mean if spread else None, means),
            Cell(write(spread.sd if spread else None)),
            _cell(write, spread.median if spread else None, medians),
            _cell(write, spread.best if spread else None, bests),
        ]
        rows.append(row + ([_cell(numbers.given, each.published, marked)] if published else []))
    head = ["variant", "n", "done", "mean", "sd", "median", "best", *(["published"] if published else [])]
    note = f"{task.task.metric}, {better} is better; n: runs that are compared; done: of those that were planned."
    return Table(f"{task.title}: values", head, rows, note)


def _differences(task: OfTask, paired: bool) -> Table:
    write = writer_of(task)
    over, unit = ("the seeds that both have", "seeds") if paired else ("the trials of each", "trials")
    rows = []
    for each in task.variants:
        against = each.against
        if each.name == task.task.baseline:
            rows.append([Cell(each.name), Cell("baseline"), *[Cell("")] * 8])
        elif against is None:
            rows.append([Cell(each.name), *[Cell(NOTHING)] * 9])
        else:
            low, high = numbers.signed(write, against.low), numbers.signed(write, against.high)
            texts = [
                each.name,
                numbers.signed(write, against.difference),
                NOTHING if NOTHING in (low, high) else f"{low} to {high}",
                str(against.n),
                against.test,
                numbers.probability(against.p),
                numbers.probability(against.adjusted),
                numbers.effect(against.effect),
                numbers.count(against.needed),
                against.verdict,
            ]
            rows.append([Cell(text) for text in texts])
    head = ["variant", "difference", "95 % interval", "n", "test", "p", "p (Holm)", "effect", "needed", "verdict"]
    note = (
        f"Difference: {task.task.metric} less that of {task.task.baseline}, the mean over {over}, with a bootstrap "
        "interval that is narrow of few values: of normal ones it holds the truth in about 69 % with three pairs, 84 % "
        "with five, 91 % with ten, so that where it and p disagree, p is to be believed. Effect: in standard "
        f"deviations{' of the differences' if paired else ''}. Needed: {unit} of each variant that would find a gap "
        "of this size in 80 % of ablations."
    )
    return Table(f"{task.title}: differences from {task.task.baseline}", head, rows, note)


def _costs(task: OfTask) -> Table:
    rows = [
        [
            Cell(each.name),
            Cell(numbers.extent(each.parameters)),
            Cell(numbers.extent(each.hidden_size)),
            Cell(numbers.extent(each.flops)),
            Cell(numbers.duration(each.seconds.mean if each.seconds else None)),
        ]
        for each in task.variants
    ]
    head = ["variant", "parameters", "hidden size", "FLOPs a step", "seconds"]
    note = "FLOPs: of all recurrent layers for one step of one sequence; seconds: mean time of training of a run."
    return Table(f"{task.title}: sizes and costs", head, rows, note)


def _of_one(task: OfTask) -> Table:
    write, published = writer_of(task), task.task.published
    means = _best(task, "mean")
    rows = []
    for each in task.variants:
        against = each.against
        row = [
            Cell(each.name),
            Cell(f"{each.count('done')}/{len(each.rows)}"),
            _mean(each, write, means),
            Cell(numbers.signed(write, against.difference if against else None)),
            Cell(numbers.probability(against.adjusted if against else None)),
            Cell(against.verdict if against else "baseline" if each.name == task.task.baseline else NOTHING),
        ]
        rows.append(row + ([Cell(numbers.given(each.published))] if published else []))
    head = [
        "variant",
        "done",
        "mean ± sd",
        "difference",
        "p (Holm)",
        "verdict",
        *(["published"] if published else []),
    ]
    return Table(f"{task.title}: values", head, rows)


def _of_all(analysis: Analysis) -> Table:
    columns = []
    for task in analysis.tasks:
        write, means = writer_of(task), _best(task, "mean")
        columns.append([_mean(each, write, means, with_published=True) for each in task.variants])
    rows = [[Cell(name), *cells] for name, *cells in zip(analysis.study.variants, *columns, strict=True)]
    source = f" In brackets what was published ({analysis.study.source})." if analysis.study.source else ""
    if not source and any(task.task.published for task in analysis.tasks):
        source = " In brackets what was published."
    metrics = "; ".join(
        f"{task.title}: {task.task.metric}, {'higher' if task.task.higher_is_better else 'lower'} is better"
        for task in analysis.tasks
    )
    head = ["variant", *(task.title for task in analysis.tasks)]
    return Table(f"{analysis.study.name}: all tasks", head, rows, f"Mean ± sd. {metrics}.{source}")


def _solved(analysis: Analysis) -> Table:
    tasks = [task for task in analysis.tasks if task.task.solved is not None]
    rows = []
    for index, name in enumerate(analysis.study.variants):
        shares = (task.variants[index].solved for task in tasks)
        rows.append([Cell(name), *(Cell(NOTHING if share is None else f"{share[0]}/{share[1]}") for share in shares)])
    limits = "; ".join(
        f"{task.title}: {task.task.metric} {'at least' if task.task.higher_is_better else 'at most'} "
        f"{numbers.given(task.task.solved)}"
        for task in tasks
    )
    head = ["variant", *(task.title for task in tasks)]
    return Table(f"{analysis.study.name}: runs that solved their task", head, rows, f"{limits}. {SOLVED_RULE}")


def _longest(analysis: Analysis) -> Table:
    rows = []
    for name in analysis.study.variants:
        found = (ladder.longest[name] for ladder in analysis.ladders)
        rows.append([Cell(name), *(Cell(NOTHING if length is None else str(length or "none")) for length in found)])
    tried = "; ".join(f"{ladder.name}: {', '.join(map(str, ladder.lengths))}" for ladder in analysis.ladders)
    title = f"{analysis.study.name}: longest length that at least half of the runs solved"
    return Table(title, ["variant", *(ladder.name for ladder in analysis.ladders)], rows, f"Tried: {tried}.")


def _mean(each: OfVariant, write: Written, best: float | None, with_published: bool = False) -> Cell:
    spread = each.spread
    text = NOTHING if spread is None else write(spread.mean)
    if spread is not None and spread.n > 1:
        text += f" ± {write(spread.sd)}"
    if with_published and each.published is not None:
        text += f" ({numbers.given(each.published)})"
    return Cell(text, spread is not None and spread.mean == best)


def _cell(write: Callable[[float | None], str], value: float | None, best: float | None) -> Cell:
    return Cell(write(value), value is not None and value == best)


def _best(task: OfTask, name: str) -> float | None:
    return _extreme((getattr(each.spread, name) for each in task.known), task)


def _extreme(values: Iterable[float], task: OfTask) -> float | None:
    known = list(values)
    return (max(known) if task.task.higher_is_better else min(known)) if known else None
