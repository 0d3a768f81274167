"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="The YAML file.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one option, as in model.layers=2; can be repeated."),
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.", show_default=False)]
Device = Annotated[
    str | None, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps; as in training if not given.")
]
Threads = Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads of the CPU; one a core if not given.")]
Limit = Annotated[int | None, typer.Option(metavar="N", help="Read only the first N rows of each part, for a try.")]
AllowCode = Annotated[
    bool,
    typer.Option("--allow-code", help="Execute the cell.py of a run that was trained elsewhere; read the file first."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
