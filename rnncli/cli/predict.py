"""`rnncli predict`."""

from __future__ import annotations

import io
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from rnncli.cli.options import AllowCode, Device, Quiet, Run, Threads
from rnncli.errors import DataError, UserError
from rnncli.runs.process import things_that_last

CLOSED_PIPE = 141
"""Exit code of a process whose output nobody reads any more: 128 + SIGPIPE."""


def predict(
    run: Run,
    input: Annotated[
        Path, typer.Argument(metavar="INPUT", help="A file; standard input if not given, or if -.", show_default=False)
    ] = Path("-"),
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A .csv, .tsv or .jsonl file; CSV to standard output if not given."),
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add the probability of each class.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that can't be read.")] = False,
    device: Device = None,
    threads: Threads = None,
    allow_code: AllowCode = False,
    quiet: Quiet = False,
) -> None:
    """Write predictions beside the columns of the input.

    Rows that can't be read are reported with file and line, and left out. Nothing but predictions goes to standard
    output.
    """
    from rnncli.runs.writers import form_of, whole_stream, write_rows

    form = "csv" if out is None else form_of(out)
    if out is not None and out.exists() and input.exists() and out.samefile(input):
        raise UserError(f"--out {out}: is the input itself; name another file")

    with things_that_last():
        from rnncli.runs.load import LoadedRun

        loaded = LoadedRun(run, device, threads, allow_code=allow_code)
    left_out = 0

    def bad_row(error: DataError) -> None:
        nonlocal left_out
        if strict:
            raise error
        left_out += 1
        typer.echo(f"rnncli: left out: {error}", err=True)

    source: Any = input
    if str(input) == "-":
        source = sys.stdin.buffer
        if sys.stdin.isatty() and not quiet:
            typer.echo("reading standard input; Ctrl-D ends it", err=True)
    rows = loaded.rows(source, bad_row, probabilities)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # as in files
    with nullcontext(sys.stdout) if out is None else whole_stream(out) as stream:
        try:
            count = write_rows(rows, stream, form)
            stream.flush()
        except BrokenPipeError as closed:
            # Whoever read has had enough. What is still in the buffer must not be flushed at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(CLOSED_PIPE) from closed
        if left_out and not count:
            raise DataError("none of the rows could be read", "standard input" if source is not input else input)
    if quiet:
        return
    for note in loaded.loader.notes:
        typer.echo(note, err=True)
    places = "" if out is None else f" in {out}"
    typer.echo(f"{count:,} rows{places}" + (f"; {left_out:,} left out" if left_out else ""), err=True)
