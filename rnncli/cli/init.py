"""`rnncli init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    input: Annotated[
        Path, typer.Option(metavar="FILE", help="The training data, or all data there are: file or folder.")
    ],
    task: Annotated[
        str | None, typer.Option(help="one-to-one, many-to-one, many-to-many; guessed from the file if not given.")
    ] = None,
    loader: Annotated[
        str | None, typer.Option(help="text, time-series, tagging; guessed from the file if not given.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The config to write; else <name of FILE>.yaml here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a config that is there.")] = False,
) -> None:
    """Look at a file and write a commented config that trains on it; asks nothing."""
    from rnncli.runs.starter import config_name, write_starter

    out = out if out is not None else Path(config_name(input))
    config = write_starter(input, out, task, loader, force)
    typer.echo(f"{out}: task {config.task}, loader {config.data.loader}")
    typer.echo(f"next: rnncli check {out}, then rnncli train {out}")
