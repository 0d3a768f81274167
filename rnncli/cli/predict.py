"""`rnncli predict`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from rnncli.cli.eval import Device, Run, Threads
from rnncli.errors import DataError


def predict(
    run: Run,
    input: Annotated[Path, typer.Argument(metavar="[INPUT|-]", help="A file, or - for standard input.")] = Path("-"),
    out: Annotated[Path | None, typer.Option(help="A .csv, .tsv or .jsonl file; else CSV to standard output.")] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add each class's probability.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that can't be read.")] = False,
    device: Device = None,
    threads: Threads = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Predictions beside the input's own columns; nothing else goes to standard output."""
    from rnncli.runs.load import LoadedRun
    from rnncli.runs.writers import form_of, whole_stream, write_rows

    form = "csv" if out is None else form_of(out)
    loaded = LoadedRun(run, device, threads)
    left_out = 0

    def bad_row(error: DataError) -> None:
        nonlocal left_out
        if strict:
            raise error
        left_out += 1
        typer.echo(f"rnncli: left out: {error}", err=True)

    source: Any = sys.stdin.buffer if str(input) == "-" else input
    rows = loaded.rows(source, bad_row, probabilities)
    if out is None:
        count = write_rows(rows, sys.stdout, form)
        sys.stdout.flush()
    else:
        with whole_stream(out) as stream:
            count = write_rows(rows, stream, form)
    if quiet:
        return
    for note in loaded.loader.notes:
        typer.echo(note, err=True)
    places = "" if out is None else f" in {out}"
    typer.echo(f"{count:,} rows{places}" + (f"; {left_out:,} left out" if left_out else ""), err=True)
