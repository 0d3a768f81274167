"""What training shows: a live bar on a terminal, plain lines elsewhere, JSON at the end if asked."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rnncli.cli.tables import figure, metrics_table
from rnncli.runs.events import Begun, Finished, RunEvent, lines
from rnncli.training.events import Evaluation, Step

SMOOTHING = 0.05
"""Share of the newest loss in the one that is shown."""


@contextmanager
def screen(directory: Path, *, quiet: bool, json: bool) -> Iterator[Callable[[RunEvent], None]]:
    """Yields what is to be called with each event of a run."""
    console = Console(stderr=json, quiet=quiet, highlight=False)
    live = _Live(console) if console.is_terminal and not quiet else None

    def show(event: RunEvent) -> None:
        if live is not None:
            live.show(event)
        if not (live is not None and isinstance(event, Step)):
            for line in lines(event):
                console.print(line, markup=False, soft_wrap=True)
        if isinstance(event, Finished):
            if live is not None:
                live.end()
            _table(event, console)
            console.print(f"run: {directory}", markup=False, soft_wrap=True)
            if json:
                sys.stdout.write(json_text.dumps(event.summary, ensure_ascii=False) + "\n")

    try:
        yield show
    finally:
        if live is not None:
            live.end()


def _table(event: Finished, console: Console) -> None:
    summary = event.summary
    columns = {part: summary[part] for part in ("valid", "test") if summary[part]}
    if summary["baseline"]:
        columns[summary["baseline_name"]] = {
            name: value for name, value in summary["baseline"].items() if any(name in part for part in columns.values())
        }
    if columns:
        metrics_table(columns, console)


class _Live:
    """The bar of the epoch under way."""

    def __init__(self, console: Console) -> None:
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self.task = self.bar.add_task("reading data", total=None, figures="")
        self.epochs, self.unit = 0, "items"
        self.loss: float | None = None
        self.metric = ""
        self.best = ""
        self.items = 0
        self.bar.start()

    def show(self, event: RunEvent) -> None:
        match event:
            case Begun():
                self.epochs, self.unit, self.metric = event.epochs, event.unit, event.metric
            case Step():
                self.loss = event.loss if self.loss is None else self.loss + SMOOTHING * (event.loss - self.loss)
                speed = self.bar.tasks[0].finished_speed or self.bar.tasks[0].speed or 0.0
                self.bar.update(
                    self.task,
                    description=f"epoch {event.epoch}/{self.epochs}",
                    total=event.batches * self.epochs,
                    completed=event.batches * (event.epoch - 1) + event.batch,
                    figures=f"loss {self.loss:.4g}{self.best} {speed * event.items:,.0f} {self.unit}/s",
                )
            case Evaluation():
                if self.metric in event.values:
                    self.best = f" {self.metric} {figure(event.values[self.metric])}"

    def end(self) -> None:
        self.bar.stop()
