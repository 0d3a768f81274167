"""Options of what is written token by token, and text that goes on from a prompt."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from rnncli.errors import UserError

if TYPE_CHECKING:
    from rnncli.runs.load import LoadedRun

CLOSED_PIPE = 141
"""Exit code of a process whose output nobody reads any more: 128 + SIGPIPE."""

Prompt = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Of a language model: write on from this text."),
]
Length = Annotated[int | None, typer.Option(metavar="N", min=1, help="Tokens at most that are written.")]
Temperature = Annotated[
    float | None,
    typer.Option(metavar="T", min=0.001, help="Draw; below 1 likely tokens become likelier."),
]
TopK = Annotated[
    int | None,
    typer.Option("--top-k", metavar="K", min=1, help="Draw from the K likeliest tokens."),
]
TopP = Annotated[
    float | None,
    typer.Option(
        "--top-p",
        metavar="P",
        min=0.0,
        max=1.0,
        help="Draw from the likeliest tokens that together reach the probability P.",
    ),
]
Seed = Annotated[int | None, typer.Option(metavar="N", min=0, help="Draw, beginning from this seed.")]
BeamSize = Annotated[
    int | None,
    typer.Option("--beam-size", metavar="N", min=1, help="The best of N sequences at once."),
]
LengthPenalty = Annotated[
    float | None,
    typer.Option("--length-penalty", metavar="A", min=0.0, help="How much a beam favours long texts."),
]
NBest = Annotated[
    int | None,
    typer.Option("--n-best", metavar="N", min=1, help="Answers for each input, a row each."),
]
Stop = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="End after this text; can be repeated."),
]


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def check_prompt(prompt: str | None, stop: Sequence[str] | None, others: Mapping[str, bool]) -> None:
    """Raises a UserError where --prompt or --stop do not go with what else was asked for.

    Args:
        others: option -> whether it was asked for.
    """
    if prompt is None:
        if stop:
            raise UserError("--stop: ends what --prompt begins; give --prompt too")
        return
    for name, asked in others.items():
        if asked:
            raise UserError(
                f"{name}: with --prompt nothing is read but the prompt, and the text goes to standard output"
            )
    if stop and "" in stop:
        raise UserError("--stop: an empty text stands everywhere")


def write_on(run: LoadedRun, prompt: str, options: Mapping[str, Any], stops: Sequence[str], quiet: bool) -> None:
    """The prompt and what follows it to standard output, as it is written."""
    from rnncli.runs.generate import written_on

    pieces = written_on(run, prompt, options, stops)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        for piece in chain([prompt], pieces, ["\n"]):
            sys.stdout.write(piece)
            sys.stdout.flush()
    except BrokenPipeError as closed:
        leave(closed)
    for note in [] if quiet else run.loader.notes:
        typer.echo(note, err=True)


def leave(closed: BrokenPipeError) -> NoReturn:
    """Ends where whoever read has had enough. What is still in the buffer must not be flushed at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(CLOSED_PIPE) from closed
