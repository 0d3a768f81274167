"""What training shows: a live screen on a terminal, plain lines elsewhere, JSON at the end if asked."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from rnncli.cli.tables import metrics_table
from rnncli.runs.events import Finished, RunEvent, lines


@contextmanager
def screen(directory: Path, *, quiet: bool, json: bool) -> Iterator[Callable[[RunEvent], None]]:
    """Yields what is to be called with each event of a run."""
    console = Console(stderr=json, quiet=quiet, highlight=False)
    live = None
    if console.is_interactive and not quiet:
        from rnncli.cli.live import Live

        live = Live(console)

    def show(event: RunEvent) -> None:
        if live is not None:
            live.show(event)
        else:
            _say(event, console)
        if isinstance(event, Finished):
            _scores(event, console)
            console.print(f"run: {directory}", markup=False, soft_wrap=True)
            if json:
                sys.stdout.write(json_text.dumps(event.summary, ensure_ascii=False, allow_nan=False) + "\n")

    try:
        yield show
    finally:
        if live is not None:
            live.end()


def _say(event: RunEvent, console: Console) -> None:
    for line in lines(event):
        console.print(line, markup=False, soft_wrap=True)


def _scores(event: Finished, console: Console) -> None:
    """The final metrics of each part beside those of the naive answer."""
    summary = event.summary
    columns = {part: summary[part] for part in ("valid", "test") if summary[part]}
    measured = {name for values in columns.values() for name in values}
    if summary["baseline"]:
        naive = {name: value for name, value in summary["baseline"].items() if name in measured}
        columns[f"baseline: {summary['baseline_name']}"] = naive
    if columns:
        console.print()
        metrics_table(columns, console)
        console.print()
