"""Words in, words out: the only place for typer and rich. torch is imported inside commands only."""

from __future__ import annotations

from rnncli.cli.endings import ending_well


def main() -> None:
    """The command `rnncli`."""
    from rnncli.cli.app import app

    with ending_well():
        app()
