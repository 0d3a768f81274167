"""Training on a terminal: a table that grows by a row an evaluation, and a bar below it."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from rnncli.cli.tables import figure
from rnncli.runs.events import Begun, Finished, RunEvent, lines
from rnncli.training.events import Evaluation, Step

SMOOTHING = 0.1
"""Share of the newest loss in the one that is shown."""

PAUSE = 0.1
"""Seconds between two changes of the bar; training has better things to do."""


class Live:
    """The screen of one run, while it lasts."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            refresh_per_second=5,
            speed_estimate_period=120,
        )
        self.task = self.bar.add_task("reading data", total=None, figures="", left="")
        self.begun: Begun | None = None
        self.heads: list[str] = []
        self.loss: float | None = None
        self.metric = ""
        self.changed = 0.0
        self.since, self.rows = time.perf_counter(), 0.0
        self.bar.start()

    def show(self, event: RunEvent) -> None:
        match event:
            case Begun():
                self.begun = event
                self._say(event)
                self.since, self.rows = time.perf_counter(), 0.0
            case Step():
                self._step(event)
            case Evaluation():
                self._evaluation(event)
            case Finished():
                self.end()
                self._say(event)

    def end(self) -> None:
        self.bar.stop()

    def _say(self, event: RunEvent) -> None:
        for line in lines(event):
            self.console.print(line, markup=False)

    def _step(self, event: Step) -> None:
        begun = self._run()
        self.loss = event.loss if self.loss is None else self.loss + SMOOTHING * (event.loss - self.loss)
        self.rows += begun.sizes["train"] / event.batches
        now = time.perf_counter()
        if now - self.changed < PAUSE:
            return
        done, total = event.batches * (event.epoch - 1) + event.batch, event.batches * begun.epochs
        if self.changed == 0:  # what an earlier sitting has done says nothing about the speed of this one
            self.bar.reset(self.task, total=total, completed=done, figures="", left="left")
        self.changed = now
        self.bar.update(
            self.task,
            description=f"epoch {event.epoch}/{begun.epochs}",
            completed=done,
            figures=f"loss {figure(self.loss)}{self.metric} {self._speed()} {begun.unit}/s",
        )

    def _evaluation(self, event: Evaluation) -> None:
        begun = self._run()
        if begun.metric in event.values:
            self.metric = f" {begun.metric} {figure(event.values[begun.metric])}"
        fixed = {
            "epoch": str(event.epoch),
            "step": f"{event.step:,}",
            "train loss": figure(event.train_loss),
            f"{begun.unit}/s": self._speed(),
            "time": _clock(event.seconds),
        }
        if not self.heads:
            self.heads = self._fitting(fixed, event.values)
            self.console.print(Text(_row({head: head for head in self.heads}), style="bold"))
        cells = fixed | {name: figure(value) for name, value in event.values.items()}
        best = "  best" if event.best and event.values else ""
        self.console.print(Text.assemble(_row({head: cells[head] for head in self.heads}), (best, "green")))
        self.since, self.rows = time.perf_counter(), 0.0

    def _fitting(self, fixed: Mapping[str, str], values: Mapping[str, float]) -> list[str]:
        """The columns that the terminal has room for: the metric that chooses first, then the others."""
        names = sorted(values, key=lambda name: name != self._run().metric)
        while names and len(_row(dict.fromkeys([*fixed, *names], ""))) + len("  best") > self.console.width:
            names.pop()
        epoch, step, loss, speed, seconds = fixed
        return [epoch, step, loss, *names, speed, seconds]

    def _speed(self) -> str:
        """Rows, windows or tokens of training a second since the last evaluation."""
        elapsed = time.perf_counter() - self.since
        return f"{self.rows / elapsed:,.0f}" if elapsed else ""

    def _run(self) -> Begun:
        if self.begun is None:
            raise ValueError("a run tells first that it has begun")
        return self.begun


def _row(cells: Mapping[str, str]) -> str:
    """Figures under their heads, each column wide enough for both."""
    return "  ".join(f"{text:>{max(len(head), 6)}}" for head, text in cells.items())


def _clock(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
