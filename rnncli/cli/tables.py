"""Tables of figures for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def figure(value: float | None) -> str:
    """A metric as people read it."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:#.4g}"


def metrics_table(columns: Mapping[str, Mapping[str, float | None]], console: Console | None = None) -> None:
    """One row a metric, one column a part."""
    table = _table("metric", *columns)
    for metric in dict.fromkeys(metric for values in columns.values() for metric in values):
        table.add_row(metric, *(figure(values[metric]) if metric in values else "" for values in columns.values()))
    (console or Console(highlight=False)).print(table)


def confusion_table(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> None:
    """Rows are the truth, columns what was predicted."""
    table = _table("truth \\ predicted", *names)
    for name, row in zip(names, confusion, strict=True):
        table.add_row(Text(name), *(str(count) if count else "·" for count in row))
    Console(highlight=False).print()
    Console(highlight=False).print(table)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in others:
        table.add_column(Text(name), justify="right")
    return table
