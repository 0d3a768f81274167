"""`rnncli check`."""

from __future__ import annotations

from typing import Annotated

import typer

from rnncli.cli.train import Config, Overrides


def check(
    config: Config,
    set_: Overrides = None,
    limit: Annotated[int | None, typer.Option(help="Rows read of each part.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Check config and data, and pass one batch through the model, before any training."""
    from rnncli.config import read
    from rnncli.runs.config import RunConfig

    overrides = [*(set_ or []), *([f"training.limit={limit}"] if limit is not None else [])]
    settings = read(config, RunConfig, overrides)

    from rnncli.runs.check import check_run

    found = check_run(settings)
    if quiet:
        return
    for note in found.notes:
        typer.echo(note)
    for part, size in found.sizes.items():
        typer.echo(f"{part}: {size:,} {found.unit}")
    typer.echo(f"model: {found.parameters:,} parameters, engine {found.engine} ({found.engine_reason})")
    typer.echo(f"loss of the first batch: {found.loss:.4g}")
    typer.echo(f"{config}: all is well")
