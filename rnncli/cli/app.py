"""The commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

import rnncli
from rnncli.cli.ablate import ablate
from rnncli.cli.check import check
from rnncli.cli.describe import describe
from rnncli.cli.eval import evaluate
from rnncli.cli.init import init
from rnncli.cli.predict import predict
from rnncli.cli.train import train

app = typer.Typer(
    name="rnncli",
    help="Train, evaluate, predict with and ablate recurrent neural networks from YAML.",
    epilog="Exit codes: 0 done; 1 it went wrong; 2 a mistake in config, data or options; 130 and 143 stopped by a "
    "signal; 141 whoever read the predictions closed the pipe.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rnncli {rnncli.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


app.command("train")(train)
app.command("eval")(evaluate)
app.command("predict")(predict)
app.command("ablate", short_help="Train variants of a config, several seeds each, and compare.")(ablate)
app.command("check")(check)
app.command("init", short_help="Write a commented config that trains on a file.")(init)
app.command("describe")(describe)
