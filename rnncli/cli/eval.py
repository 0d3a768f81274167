"""`rnncli eval`."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Split(str, Enum):  # noqa: UP042 - typer shows the values of a str Enum
    """The parts of a run's own data."""

    train = "train"
    valid = "valid"
    test = "test"


Run = Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps; the run's own if not given.")]
Threads = Annotated[int | None, typer.Option(help="Threads of the CPU.")]


def evaluate(
    run: Run,
    data: Annotated[Path | None, typer.Argument(metavar="[DATA]", help="A labelled file; else a part.")] = None,
    split: Annotated[Split, typer.Option(help="Part of the run's own data.")] = Split.test,
    device: Device = None,
    threads: Threads = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the figures, name and value a line.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print figures and confusion matrix as JSON.")] = False,
) -> None:
    """Metrics of a run on its test part, another part, or a file."""
    import json as json_text

    from rnncli.cli.tables import confusion_table, metrics_table
    from rnncli.runs.evaluate import evaluate_run
    from rnncli.runs.load import LoadedRun

    found = evaluate_run(LoadedRun(run, device, threads), data, split.value)
    if json:
        typer.echo(json_text.dumps(asdict(found), ensure_ascii=False))
        return
    if quiet:
        for name, value in found.values.items():
            typer.echo(f"{name}\t{value}")
        return
    for note in found.notes:
        typer.echo(note, err=True)
    typer.echo(f"{found.of}: {found.size:,} {found.unit}")
    metrics_table({found.of: found.values})
    if found.confusion is not None and 2 <= len(found.names) <= 20:
        confusion_table(found.names, found.confusion)
