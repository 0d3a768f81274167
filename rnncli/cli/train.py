"""`rnncli train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnncli.errors import UserError

Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change an option of the config, as in model.layers=2. Repeatable."
    ),
]
Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file; with --resume a run directory will do.")]


def train(
    config: Config,
    set_: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="The run directory; runs/<name of CONFIG> if not given.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Begin anew where a run exists.")] = False,
    device: Annotated[str | None, typer.Option(help="training.device: auto, cpu, cuda, cuda:1, mps.")] = None,
    threads: Annotated[int | None, typer.Option(help="training.threads: threads of the CPU.")] = None,
    max_time: Annotated[float | None, typer.Option(help="training.max_time: minutes to train at most.")] = None,
    limit: Annotated[int | None, typer.Option(help="training.limit: rows read of each part, for a quick try.")] = None,
    init_from: Annotated[Path | None, typer.Option(help="training.init_from: run whose weights are the start.")] = None,
    refit: Annotated[bool, typer.Option("--refit", help="training.refit: train on the validation part too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON; all else to standard error.")
    ] = False,
) -> None:
    """Train a model; the run directory holds everything."""
    from rnncli.config import read
    from rnncli.runs.config import RunConfig

    if resume and force:
        raise UserError("--resume goes on with a run and --force begins it anew: give one of them")
    if config.is_dir():
        if not resume:
            raise UserError(f"{config}: is a directory; to go on with a run, add --resume")
        config, out = config / "config.yaml", config
    flags = {
        "device": device,
        "threads": threads,
        "max_time": max_time,
        "limit": limit,
        "init_from": init_from,
        "refit": "true" if refit else None,
    }
    overrides = [*(set_ or []), *(f"training.{name}={value}" for name, value in flags.items() if value is not None)]
    settings = read(config, RunConfig, overrides)
    directory = out if out is not None else Path("runs") / config.stem

    from rnncli.cli.screen import screen
    from rnncli.runs.train import train as run

    with screen(directory, quiet=quiet, json=json) as show:
        for event in run(settings, directory, resume=resume, force=force):
            show(event)
