"""Words in, words out: the only place for typer and rich. torch is imported inside commands only."""

from __future__ import annotations

import os

from rnncli.cli.endings import ending_well


def main() -> None:
    """The command `rnncli`."""
    # Threads that spin long while they wait take the cores from whoever else computes (7 times slower on 2 shared
    # cores); threads that sleep at once wake too slowly (3 times slower alone). Read when torch is loaded.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    from rnncli.cli.app import app

    with ending_well():
        app()
