"""`rnncli eval`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from rnncli.cli.options import AllowCode, Device, Run, Threads
from rnncli.errors import UserError, unknown
from rnncli.runs.process import things_that_last

Part = Literal["train", "valid", "test"]


def evaluate(
    run: Run,
    data: Annotated[
        Path | None,
        typer.Argument(metavar="DATA", help="A labelled file; a part of the run's own data if not given."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="PART", help="train, valid or test: a part of the run's own data.")
    ] = None,
    device: Device = None,
    threads: Threads = None,
    allow_code: AllowCode = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only name and value of each metric, a line each.")] = (
        False
    ),
    json: Annotated[bool, typer.Option("--json", help="Print metrics and confusion matrix as JSON.")] = False,
) -> None:
    """Show the metrics of a run on its test part or on a file."""
    import json as json_text

    if data is not None and split is not None:
        raise UserError(f"--split {split} is a part of the run's own data and {data} is another file: give one of them")
    part = _part(split or "test")

    with things_that_last():
        from rnncli.runs.evaluate import evaluate_run
        from rnncli.runs.load import LoadedRun

        loaded = LoadedRun(run, device, threads, allow_code=allow_code)
    found = evaluate_run(loaded, data, part)
    if json:
        typer.echo(json_text.dumps(asdict(found), ensure_ascii=False, allow_nan=False))
        return
    if quiet:
        for name, value in found.values.items():
            typer.echo(f"{name}\t{value}")
        return

    from rnncli.cli.tables import confusion_table, metrics_table

    for note in found.notes:
        typer.echo(note, err=True)
    typer.echo(f"{found.of}: {found.size:,} {found.unit}")
    metrics_table({found.of: found.values})
    for name, signature in found.signatures.items():
        typer.echo(f"{name}: {signature}")
    if found.confusion is not None and 2 <= len(found.names) <= 20:
        confusion_table(found.names, found.confusion)


def _part(name: str) -> Part:
    for part in get_args(Part):
        if part == name:
            return part  # type: ignore[no-any-return]
    raise UserError("--split: " + unknown("part", name, get_args(Part)))
