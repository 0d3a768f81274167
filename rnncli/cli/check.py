"""`rnncli check`."""

from __future__ import annotations

import typer

from rnncli.cli.options import AllowCode, Config, Limit, Overrides, Quiet
from rnncli.runs.process import things_that_last


def check(
    config: Config,
    set_: Overrides = None,
    limit: Limit = None,
    allow_code: AllowCode = False,
    quiet: Quiet = False,
) -> None:
    """Check config, data and model without training.

    Reads the config and the data, builds the model and passes one batch through it.
    """
    from rnncli.runs.reading import read_config

    overrides = [*(set_ or []), *([f"training.limit={limit}"] if limit is not None else [])]
    settings = read_config(config, overrides, allow_code=allow_code)

    with things_that_last():
        from rnncli.runs.check import check_run

        found = check_run(settings)
    if quiet:
        return
    for note in found.notes:
        typer.echo(note)
    typer.echo(f"{found.unit}: " + ", ".join(f"{part} {size:,}" for part, size in found.sizes.items()))
    typer.echo(f"model: {found.parameters:,} parameters; engine {found.engine} ({found.engine_reason})")
    typer.echo(f"loss of the first batch, untrained: {found.loss:.4g}")
    typer.echo(f"{config}: all is well")
