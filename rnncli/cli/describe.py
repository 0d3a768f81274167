"""`rnncli describe`."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Topic(str, Enum):  # noqa: UP042 - typer shows the values of a str Enum
    """What can be described."""

    cells = "cells"
    loaders = "loaders"
    metrics = "metrics"
    options = "options"
    schema = "schema"


def describe(
    topic: Annotated[Topic | None, typer.Argument(help="cells, loaders, metrics, options; all if not given.")] = None,
    prefix: Annotated[str, typer.Argument(help="Only options that begin with this, as in training.schedule.")] = "",
) -> None:
    """Show cells, loaders, metrics, and options with their help; or the JSON Schema for editors."""
    console = Console(highlight=False)
    if topic is Topic.schema:
        _print_schema()
        return
    if topic in (None, Topic.cells):
        from rnncli.cells import CELLS

        _table(console, "cells", ("cell", "what it is"), ((name, _first(part.__doc__)) for name, part in CELLS.items()))
    if topic in (None, Topic.loaders):
        from rnncli.inputs.catalogue import LOADER_SETTINGS

        rows = ((name, _first(part.__doc__)) for name, part in LOADER_SETTINGS.items())
        _table(console, "loaders", ("loader", "what it reads"), rows)
    if topic in (None, Topic.metrics):
        _metrics(console)
    if topic in (None, Topic.options):
        _options(console, prefix)


def _print_schema() -> None:
    import json

    from rnncli.config import schema
    from rnncli.runs.config import RunConfig

    typer.echo(json.dumps(schema(RunConfig), indent=1, ensure_ascii=False))


def _metrics(console: Console) -> None:
    from rnncli.metrics import METRICS

    rows = (
        (name, "higher" if part.higher_is_better else "lower", ", ".join(sorted(part.kinds)), _first(part.__doc__))
        for name, part in METRICS.items()
    )
    _table(console, "metrics", ("metric", "better", "targets", "what it is"), rows)


def _options(console: Console, prefix: str) -> None:
    from rnncli.config import options
    from rnncli.runs.config import RunConfig

    rows = [
        (option.key, option.type, option.default, option.help + (f" ({option.when})" if option.when else ""))
        for option in options(RunConfig)
        if option.key.startswith(prefix)
    ]
    _table(console, "options", ("option", "type", "default", "what it is"), rows)


def _table(console: Console, title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(*heads, title=title, title_justify="left", title_style="bold", box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def _first(text: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())
