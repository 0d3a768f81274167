"""`rnncli predict`."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from rnncli.cli.answering import answered_at_once, check_at_once
from rnncli.cli.attention import Attention, attention_beside, check_attention
from rnncli.cli.options import AllowCode, Device, Quiet, Run, Threads
from rnncli.cli.writing import (
    BeamSize,
    Length,
    LengthPenalty,
    NBest,
    Prompt,
    Seed,
    Stop,
    Temperature,
    TopK,
    TopP,
    check_prompt,
    given,
    leave,
    write_on,
)
from rnncli.errors import DataError, UserError
from rnncli.runs.process import things_that_last


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
    at_once: Annotated[
        bool,
        typer.Option(
            "--stream", help="Answer each row of standard input before the next is read, the state carried along."
        ),
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --stream: go on from what it carries, if it is there; written at the end."
        ),
    ] = None,
    attention: Attention = None,
    prompt: Prompt = None,
    length: Length = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    seed: Seed = None,
    beam_size: BeamSize = None,
    length_penalty: LengthPenalty = None,
    n_best: NBest = None,
    stop: Stop = None,
    device: Device = None,
    threads: Threads = None,
    allow_code: AllowCode = False,
    quiet: Quiet = False,
) -> None:
    """Write predictions beside the columns of the input.

    Rows that can't be read are reported with file and line, and left out. Nothing but predictions goes to standard
    output. What is written token by token is decoded as the config says; options given here come first.
    """
    from rnncli.runs.writers import form_of, whole_stream, write_rows

    form = "csv" if out is None else form_of(out)
    if out is not None and out.exists() and input.exists() and out.samefile(input):
        raise UserError(f"--out {out}: is the input itself; name another file")

    check_at_once(at_once, state, input, out)
    check_attention(attention, input, at_once)
    asked = {
        "INPUT": str(input) != "-",
        "--out": out is not None,
        "--stream": at_once,
        "--probabilities": probabilities,
        "--attention": attention is not None,
    }
    check_prompt(prompt, stop, asked)
    options = given(
        {
            "max_length": length,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "seed": seed,
            "beam_size": beam_size,
            "length_penalty": length_penalty,
            "n_best": n_best,
        }
    )
    with things_that_last():
        from rnncli.runs.load import LoadedRun

        loaded = LoadedRun(run, device, threads, allow_code=allow_code)
    if prompt is not None:
        write_on(loaded, prompt, options, stop or [], quiet)
        return
    if options:
        loaded.decode_as(options)
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
    answered: AbstractContextManager[Iterator[Mapping[str, Any]]]
    if at_once:
        answered = answered_at_once(loaded, bad_row, probabilities, state)
    else:
        answered = attention_beside(attention, loaded, source, bad_row, probabilities, quiet)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # as in files
    with answered as rows, nullcontext(sys.stdout) if out is None else whole_stream(out) as stream:
        try:
            count = write_rows(rows, stream, form, at_once)
            stream.flush()
        except BrokenPipeError as closed:
            leave(closed)
        if left_out and not count and not at_once:
            raise DataError("none of the rows could be read", "standard input" if source is not input else input)
    if quiet:
        return
    for note in loaded.loader.notes:
        typer.echo(note, err=True)
    places = "" if out is None else f" in {out}"
    typer.echo(f"{count:,} rows{places}" + (f"; {left_out:,} left out" if left_out else ""), err=True)
