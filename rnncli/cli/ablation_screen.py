"""What an ablation shows: on a terminal a live table of what runs, elsewhere a line a run; at the end its figures."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rnncli.ablation.launcher import Began, Job, Over, RunTold, Went
from rnncli.ablation.launchers import LauncherName, launcher_ready
from rnncli.ablation.plan import Plan
from rnncli.ablation.study import Row, State
from rnncli.cli.tables import figure
from rnncli.errors import MissingExtra
from rnncli.runs.process import things_that_last

if TYPE_CHECKING:
    from rnncli.ablation.agenda import Agenda

OVER: tuple[State, ...] = ("done", "pruned", "failed")
_FIGURES = 42
"""Columns of a terminal for what stands beside the name of a run."""
_ENDLESS = 10_000
"""Columns of what is no terminal: nothing is wrapped or cut."""


def run_ablation(
    plan: Plan, directory: Path, *, tasks: list[str], jobs: int, launcher: LauncherName, retry: bool, quiet: bool
) -> None:
    """Runs what is left of an ablation, and shows how it goes.

    Raises:
        MissingExtra: what its report needs is not installed.
    """
    _refuse_missing()
    console = Console(stderr=True, quiet=quiet, highlight=False)
    # Where nothing stands there is something to run, and that the plan can't be used is rare.
    ahead = 0 if directory.exists() else min(jobs, len(plan.tasks) * len(plan.variants) * len(plan.settings.all_seeds))
    with launcher_ready(launcher, jobs, plan.settings.threads_per_run, ahead) as launch:
        with things_that_last():
            from rnncli.ablation.ablate import Ready, ablate

            events = ablate(plan, directory, launch, tasks=tasks, retry=retry)
            ready = next(events)
        if not isinstance(ready, Ready):
            raise ValueError("an ablation tells first that its plan stands")
        for line in ready.about:
            console.print(line, markup=False, soft_wrap=True)
        agenda = ready.agenda
        _count(agenda, console)
        threading.Thread(target=_load_report, daemon=True).start()  # this process has little to do meanwhile
        with closing(events), _watched(agenda, console) as hear:
            for event in events:
                if not isinstance(event, Ready):
                    hear(event)
    failed = agenda.states().count("failed")
    if failed:
        runs = "1 run has" if failed == 1 else f"{failed} runs have"
        console.print(f"{runs} failed, as table.md says; --retry begins again", markup=False, soft_wrap=True)
    console.print(f"ablation: {directory}", markup=False, soft_wrap=True)


def _refuse_missing() -> None:
    """What the report at the end needs.

    Raises:
        MissingExtra: it is not installed.
    """
    for package in ("scipy", "matplotlib", "jinja2"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtra(package, "ablate", "an ablation's report")


def _load_report() -> None:
    with things_that_last():
        for name in ("rnncli.ablation.report", "scipy.stats", "matplotlib.backends.backend_svg", "matplotlib.figure"):
            importlib.import_module(name)


def show_report(directory: Path, *, quiet: bool) -> Sequence[Row]:
    """Makes the report of an ablation anew, and shows its shortest table and its sentences; the runs that it is of."""
    with things_that_last():
        from rnncli.ablation.collect import study
        from rnncli.ablation.report import write_report
        from rnncli.ablation.sentences import paragraph
        from rnncli.ablation.tables import overview

    analysis = write_report(study(directory), directory)
    rows = analysis.study.rows
    if quiet:
        return rows
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_ENDLESS)
    short = overview(analysis)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, head in enumerate(short.head):
        table.add_column(Text(head), justify="right" if number else "left")
    for row in short.rows:
        table.add_row(*(Text(cell.text, style="bold" if cell.best else "") for cell in row))
    console.print()
    console.print(table)
    for task in analysis.tasks:
        console.print()
        if len(analysis.tasks) > 1:
            console.print(Text(task.title, style="bold"))
        for sentence in paragraph(task, analysis.study.paired):
            console.print(sentence, markup=False)
    console.print()
    console.print(f"report: {directory / 'report.html'}", markup=False, soft_wrap=True)
    return rows


def _count(agenda: Agenda, console: Console) -> None:
    """One line about what is done and what is left."""
    states = Counter(agenda.states())
    over = {state: states[state] for state in OVER if states[state]}
    parts = [f"{count} {state}" for state, count in over.items()]
    left = agenda.planned - sum(over.values())
    console.print(f"runs: {agenda.planned}; {', '.join([*parts, f'{left} left'])}", markup=False)


class Board:
    """What runs, what is done and what is left."""

    def __init__(self, agenda: Agenda, console: Console) -> None:
        self.agenda, self.console = agenda, console
        self.running: dict[str, tuple[Job, int, Went | None, float]] = {}
        self.over: Counter[str] = Counter()
        self.began = time.monotonic()

    def hear(self, event: RunTold) -> str | None:
        """Takes in an event; the line that is to be said of it, if any."""
        name = event.job.planned.name
        match event:
            case Began(job, epochs):
                self.running[name] = job, epochs, None, time.monotonic()
            case Went(job):
                _, epochs, _, since = self.running.get(name, (job, 0, None, time.monotonic()))
                self.running[name] = job, epochs, event, since
            case Over():
                self.running.pop(name, None)
                self.over[event.state] += 1
                return self._line(event)
        return None

    def _line(self, over: Over) -> str:
        name = over.job.planned.name
        seconds = "" if over.seconds is None else f" {over.seconds:.1f} s"
        reason = f": {over.reason.splitlines()[0]}" if over.reason else ""
        return f"[{self._ended()}/{self.agenda.planned}] {name} {over.state}{seconds}{reason}"

    def _ended(self) -> int:
        states = Counter(self.agenda.states())
        return sum(states[state] for state in OVER)

    def now(self) -> RenderableType:
        """The runs that are on their way, and how long the others will take."""
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
        longest = max(self.console.width - _FIGURES, 10)
        table.add_column("running", no_wrap=True, overflow="ellipsis", max_width=longest)
        for head in ("epoch", "validation", "time"):
            table.add_column(head, justify="right", no_wrap=True)
        for job, epochs, went, since in self.running.values():
            planned = job.planned
            metric = (self.agenda.plan.tasks[planned.task].metric or "").partition(".")[2]
            value = None if went is None else went.values.get(metric)
            epoch = 0 if went is None else went.epoch
            seconds = f"{time.monotonic() - since:.0f} s"
            table.add_row(Text(planned.name), f"{epoch}/{epochs}", f"{metric} {figure(value)}", seconds)
        return Group(Text(self._left()), table)  # the table is cut where the terminal is lower

    def _left(self) -> str:
        ended, sitting = self._ended(), sum(self.over.values())
        left = self.agenda.planned - ended
        passed = time.monotonic() - self.began
        rest = f", about {_clock(passed / sitting * left)} to go" if sitting and left else ""
        return f"{ended} of {self.agenda.planned} runs are over, {left} left{rest}"


@contextmanager
def _watched(agenda: Agenda, console: Console) -> Iterator[Callable[[RunTold], None]]:
    """Yields what is to be called with each event."""
    board = Board(agenda, console)

    def say(event: RunTold) -> None:
        line = board.hear(event)
        if line is not None:
            console.print(line, markup=False, soft_wrap=True)

    if not console.is_interactive or console.quiet:
        yield say
        return
    with Live(get_renderable=board.now, console=console, transient=True, refresh_per_second=2):
        yield say


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02} h" if minutes >= 60 else f"{minutes} min" if minutes else "a minute"
