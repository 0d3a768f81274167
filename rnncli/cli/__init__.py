"""Words in, words out: the only place for typer and rich. torch is imported inside commands only."""

from __future__ import annotations

import os

from rnncli.cli.endings import ending_well


def main() -> None:
    """The command `rnncli`."""
    # Threads that spin while they wait take the cores from whoever else computes: on 2 shared cores, training took 9
    # times as long. It must be set before torch is loaded; who sets it otherwise is obeyed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from rnncli.cli.app import app

    with ending_well():
        app()
