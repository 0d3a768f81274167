"""`rnncli describe`."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from rnncli.errors import UserError, nearest, unknown

if TYPE_CHECKING:
    from rich.console import Console


def describe(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="cells, loaders, metrics, options or schema.")] = "",
    key: Annotated[
        str,
        typer.Argument(metavar="KEY", help="With options: one of them or a section, as in training.schedule."),
    ] = "",
) -> None:
    """Show what a config can hold: cells, loaders, metrics, options.

    Without a topic: all of it in short. schema prints the JSON Schema of a config, for editors.
    """
    if topic and topic not in _TOPICS:
        raise UserError(unknown("topic", topic, _TOPICS))
    if key and topic != "options":
        raise UserError(f"{topic} takes no key; {key!r} would go with options")
    if topic:
        _TOPICS[topic](key)
    else:
        _overview()


def _overview() -> None:
    console = _console()
    for head, parts in (
        ("cells      model: {cell: {type: NAME}}", _in_short(_cells())),
        ("loaders    data: {loader: NAME}", _in_short(_loaders())),
        ("metrics    training: {metric: NAME}; greater is better where a + stands", _in_short(_metrics())),
        ("options    rnncli describe options KEY", list(_sections())),
    ):
        console.print(head, style="bold", markup=False)
        width = max(len(name) for name, _ in parts)
        for name, text in parts:
            console.print(f"  {name:{width}}  {text}", markup=False, no_wrap=True, overflow="ellipsis")
        console.print()
    console.print("In full: rnncli describe cells, loaders, metrics or options.", markup=False)


def _in_short(parts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first clause of each help text."""
    return [(name, re.split(r"(?<! al)\. |[;:] ", text)[0].removesuffix(".")) for name, text in parts]


def _of(parts: Callable[[], Iterable[tuple[str, str]]]) -> Callable[[str], None]:
    """A topic that is a list of names with their whole help."""
    return lambda key: _list(_console(), parts())


def _cells() -> Iterator[tuple[str, str]]:
    from rnncli.cells import CELLS

    for name, cell in CELLS.items():
        yield name, _first_paragraph(cell.__doc__)


def _loaders() -> Iterator[tuple[str, str]]:
    from rnncli.inputs.catalogue import LOADER_SETTINGS

    for name, settings in LOADER_SETTINGS.items():
        yield name, _first_paragraph(settings.__doc__)


def _metrics() -> Iterator[tuple[str, str]]:
    from rnncli.metrics import METRICS

    for name, metric in METRICS.items():
        sign = "+" if metric.higher_is_better else " "
        yield f"{name} {sign}", f"{_first_paragraph(metric.__doc__)} For {', '.join(sorted(metric.kinds))}."


def _sections() -> Iterator[tuple[str, str]]:
    from rnncli.runs.config import RunConfig

    for name, field in RunConfig.model_fields.items():
        yield name, _first_paragraph(field.description or getattr(field.annotation, "__doc__", ""))


def _options(key: str) -> None:
    from rich.text import Text

    from rnncli.config import options
    from rnncli.runs.config import RunConfig

    every = options(RunConfig)
    chosen = [option for option in every if option.key.startswith(key) or key in option.key.split(".")]
    if not chosen:
        names = {name for option in every for name in (option.key, *option.key.split("."))}
        close = nearest(key, names)
        raise UserError(f"there is no option {key!r}" + (f"; did you mean {close!r}?" if close else ""))
    console = _console()
    for option in chosen:
        default = option.default if option.default == "required" else f"default {option.default}"
        first, *more = textwrap.wrap(f"{option.key}  {option.type}; {default}", console.width, subsequent_indent="    ")
        console.print(Text.assemble((first[: len(option.key)], "bold"), first[len(option.key) :]), soft_wrap=True)
        for line in more:
            console.print(line, markup=False, soft_wrap=True)
        when = f" Only with {option.when}." if option.when else ""
        _wrapped(console, f"{option.help}{when}".strip(), "    ")


def _schema(key: str) -> None:
    from rnncli.config import schema
    from rnncli.runs.config import RunConfig

    typer.echo(json.dumps(schema(RunConfig), indent=1, ensure_ascii=False))


_TOPICS: dict[str, Callable[[str], None]] = {
    "cells": _of(_cells),
    "loaders": _of(_loaders),
    "metrics": _of(_metrics),
    "options": _options,
    "schema": _schema,
}


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _list(console: Console, parts: Iterable[tuple[str, str]]) -> None:
    """Each name with its help below."""
    for name, text in parts:
        console.print(name, style="bold", markup=False)
        _wrapped(console, text, "    ")


def _wrapped(console: Console, text: str, indent: str) -> None:
    for line in textwrap.wrap(text, console.width, initial_indent=indent, subsequent_indent=indent):
        console.print(line, markup=False, soft_wrap=True)


def _first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())
