"""`rnncli train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.options import AllowCode, Limit, Overrides, Quiet
from rnncli.errors import UserError
from rnncli.runs.process import keep_freed_memory, things_that_last


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file; with --resume a run directory.")],
    set_: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="The run directory to make; runs/<name of CONFIG> if not given."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Begin anew where a run exists; the old one is lost.")] = False,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps.")] = None,
    threads: Annotated[
        int | None, typer.Option(metavar="N", help="Threads of the CPU; one a core if not given.")
    ] = None,
    max_time: Annotated[float | None, typer.Option(metavar="MINUTES", help="End training after that time.")] = None,
    limit: Limit = None,
    init_from: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Start from the weights of another run, where they fit.")
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Train on the validation part too, once the settings are chosen.")
    ] = False,
    allow_code: AllowCode = False,
    quiet: Quiet = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON; all else to standard error.")
    ] = False,
) -> None:
    """Train a model.

    The run directory then holds everything: the complete config, the weights, the metrics. The options from --device
    to --refit are those of the config's training section; here they change them for once.
    """
    with things_that_last():
        from rnncli.runs.reading import read_config

    if resume and force:
        raise UserError("--resume goes on with a run and --force begins it anew: give one of them")
    if config.is_dir():
        if not resume:
            raise UserError(f"{config}: is a directory; to go on with a run, add --resume")
        if out is not None:
            raise UserError(f"--out {out}: a run goes on where it is, in {config}")
        out = config
    flags = {
        "device": device,
        "threads": threads,
        "max_time": max_time,
        "limit": limit,
        "init_from": None if init_from is None else _quoted(init_from),
        "refit": "true" if refit else None,
    }
    overrides = [*(set_ or []), *(f"training.{name}={value}" for name, value in flags.items() if value is not None)]
    settings = read_config(config, overrides, allow_code=allow_code)
    directory = out if out is not None else Path("runs") / config.stem

    from rnncli.cli.screen import screen

    keep_freed_memory()
    with screen(directory, quiet=quiet, json=json) as show:
        with things_that_last():
            from rnncli.runs.train import train as run

            events = run(settings, directory, resume=resume, force=force, allow_code=allow_code)
            show(next(events))  # that it has begun: the data are read and the model is built
        for event in events:
            show(event)


def _quoted(path: Path) -> str:
    """A path as YAML, whatever stands in it."""
    return "'" + str(path).replace("'", "''") + "'"
