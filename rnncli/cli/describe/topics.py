"""The topics that are lists: all that a config can hold."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from rnncli.errors import UserError, nearest

if TYPE_CHECKING:
    from rich.console import Console

    from rnncli.config.settings import Settings


def overview() -> None:
    """Everything in short."""
    console = plain_console()
    # A line that is cut is easier to read; what a program reads is whole, unless its width is known.
    cut = console.is_terminal or "COLUMNS" in os.environ
    for head, parts in (
        ("cells      model: {cell: {type: NAME}}", _in_short(_cells())),
        ("loaders    data: {loader: NAME}", _in_short(_loaders())),
        ("metrics    training: {metric: NAME}; greater is better where a + stands", _in_short(_metrics())),
        ("options    rnncli describe options KEY", list(_sections())),
    ):
        console.print(head, style="bold", markup=False)
        width = max(len(name) for name, _ in parts)
        for name, text in parts:
            line = f"  {name:{width}}  {text}"
            console.print(line, markup=False, soft_wrap=not cut, no_wrap=True, overflow="ellipsis" if cut else "ignore")
        console.print()
    console.print("In full: rnncli describe cells, loaders, metrics or options.", markup=False)
    console.print("One cell: rnncli describe cell NAME. A model: rnncli describe CONFIG or RUN.", markup=False)
    console.print("What runs them on this machine, tested: rnncli describe engines.", markup=False)


def _in_short(parts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The first clause of each help text."""
    return [(name, re.split(r"(?<! al)\. |[;:] ", text)[0].removesuffix(".")) for name, text in parts]


def _of(parts: Callable[[], Iterable[tuple[str, str]]]) -> Callable[[str], None]:
    """A topic that is a list of names with their whole help."""
    return lambda key: _list(plain_console(), parts())


def _cells() -> Iterator[tuple[str, str]]:
    from rnncli.cells import CELLS

    for name, cell in CELLS.items():
        yield name, cell.about(name)


def _loaders() -> Iterator[tuple[str, str]]:
    from rnncli.inputs.catalogue import LOADER_SETTINGS

    for name, settings in LOADER_SETTINGS.items():
        yield name, first_paragraph(settings.__doc__)


def _metrics() -> Iterator[tuple[str, str]]:
    from rnncli.metrics import METRICS

    for name, metric in METRICS.items():
        sign = "+" if metric.higher_is_better else " "
        yield f"{name} {sign}", f"{first_paragraph(metric.__doc__)} For {', '.join(sorted(metric.kinds))}."


def _sections() -> Iterator[tuple[str, str]]:
    from rnncli.runs.config import RunConfig

    for name, field in RunConfig.model_fields.items():
        yield name, first_paragraph(field.description or getattr(field.annotation, "__doc__", ""))


def _run_config() -> type[Settings]:
    from rnncli.runs.config import RunConfig

    return RunConfig


def _ablation() -> type[Settings]:
    from rnncli.ablation.settings import AblationSettings

    return AblationSettings


def _options(key: str, settings: Callable[[], type[Settings]] = _run_config) -> None:
    from rich.text import Text

    from rnncli.config import options

    every = options(settings())
    chosen = [option for option in every if option.key.startswith(key) or key in option.key.split(".")]
    if not chosen:
        names = {name for option in every for name in (option.key, *option.key.split("."))}
        close = nearest(key, names)
        raise UserError(f"there is no option {key!r}" + (f"; did you mean {close!r}?" if close else ""))
    console = plain_console()
    for option in chosen:
        default = option.default if option.default == "required" else f"default {option.default}"
        first, *more = textwrap.wrap(f"{option.key}  {option.type}; {default}", console.width, subsequent_indent="    ")
        console.print(Text.assemble((first[: len(option.key)], "bold"), first[len(option.key) :]), soft_wrap=True)
        for line in more:
            console.print(line, markup=False, soft_wrap=True)
        when = f" Only with {option.when}." if option.when else ""
        wrapped(console, f"{option.help}{when}".strip(), "    ")


def _schema(settings: Callable[[], type[Settings]]) -> None:
    from rnncli.config import schema

    typer.echo(json.dumps(schema(settings()), indent=1, ensure_ascii=False))


def _engines(key: str) -> None:
    from rnncli.cli.describe.engines import describe_engines

    describe_engines()


TOPICS: dict[str, Callable[[str], None]] = {
    "cells": _of(_cells),
    "loaders": _of(_loaders),
    "metrics": _of(_metrics),
    "options": _options,
    "schema": lambda key: _schema(_run_config),
    "ablation": lambda key: _options(key, _ablation),
    "ablation-schema": lambda key: _schema(_ablation),
    "engines": _engines,
}


def plain_console() -> Console:
    """Where to print; plain where it is no terminal."""
    from rich.console import Console

    return Console(highlight=False)


def _list(console: Console, parts: Iterable[tuple[str, str]]) -> None:
    """Each name with its help below."""
    for name, text in parts:
        console.print(name, style="bold", markup=False)
        wrapped(console, text, "    ")


def wrapped(console: Console, text: str, indent: str) -> None:
    """Prints prose as wide as the screen."""
    for line in textwrap.wrap(text, console.width, initial_indent=indent, subsequent_indent=indent):
        console.print(line, markup=False, soft_wrap=True)


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())
