"""The command: which of its topics is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.describe.topics import TOPICS, overview
from rnncli.cli.options import AllowCode, Limit
from rnncli.errors import UserError, unknown

_GOES_WITH = {
    "--hidden-size": ("cell",),
    "--input-size": ("cell",),
    "--latex": ("cell",),
    "--set": ("cell", "CONFIG"),
    "--limit": ("CONFIG",),
    "--allow-code": ("cell", "CONFIG", "RUN"),
}


def describe(
    topic: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC",
            help="cells, cell, loaders, metrics, options, ablation, schema, ablation-schema or engines; or the path of "
            "a CONFIG or a RUN.",
        ),
    ] = "",
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="With cell: its name, or the Python file of your own; with options and ablation: one of them or a "
            "section, as in training.schedule.",
        ),
    ] = "",
    hidden_size: Annotated[int | None, typer.Option(metavar="N", help="With cell: its units; 128 if not given.")] = (
        None
    ),
    input_size: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With cell: the numbers of a step that it reads.")
    ] = None,
    latex: Annotated[
        bool, typer.Option("--latex", help="With cell: print the equations alone, in LaTeX with amsmath.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="With cell: change an option of it, as in reset=before; with CONFIG: as in train.",
        ),
    ] = None,
    limit: Limit = None,
    allow_code: AllowCode = False,
) -> None:
    """Show cells, loaders, metrics, options, engines, or a model.

    Without a topic: all that a config can hold, in short. cell: equations, parameters, costs and engines of one cell. A
    config or a run: its model, with every shape. ablation: the options of an ablation. schema, ablation-schema: the
    JSON Schema of either file, for editors. engines: what runs cells on this machine, tested and timed.
    """
    kind = _kind(topic, name)
    given = {
        "--hidden-size": hidden_size,
        "--input-size": input_size,
        "--latex": latex or None,
        "--set": set_,
        "--limit": limit,
        "--allow-code": allow_code or None,
    }
    for option, value in given.items():
        if value is not None and kind not in _GOES_WITH[option]:
            raise UserError(f"{option} goes with {' or '.join(_GOES_WITH[option])}, not with {kind or 'all topics'}")
    if kind == "cell":
        from rnncli.cli.describe.cell import describe_cell

        describe_cell(name, hidden_size, input_size, latex, set_ or [], allow_code)
    elif kind in ("CONFIG", "RUN"):
        from rnncli.cli.describe.model import describe_model

        changes = [*(set_ or []), *([f"training.limit={limit}"] if limit is not None else [])]
        describe_model(Path(topic), changes, allow_code)
    elif topic:
        TOPICS[topic](name)
    else:
        overview()


def _kind(topic: str, name: str) -> str:
    """A topic, CONFIG or RUN.

    Raises:
        UserError: it is none of them, or its name is missing or one too much.
    """
    if topic == "cell":
        if not name:
            raise UserError("cell goes with a name, as in rnncli describe cell lstm; did you mean 'cells'?")
        return topic
    path = Path(topic)
    is_path = path.exists() or path.suffix in (".yaml", ".yml") or path.name != topic
    if topic and topic not in TOPICS and not is_path:
        text = unknown("topic", topic, [*TOPICS, "cell"])
        raise UserError(f"{text}, or the path of a config or a run; there is no file {topic!r}")
    if name and topic not in ("options", "ablation"):
        raise UserError(f"{topic} takes no key; {name!r} would go with options or cell")
    if topic in ("", *TOPICS):
        return topic
    return "RUN" if path.is_dir() else "CONFIG"
