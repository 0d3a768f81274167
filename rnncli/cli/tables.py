"""Tables of figures for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def figure(value: Any) -> str:
    """A metric as people read it."""
    if value is None:
        return "–"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.4g}"


def metrics_table(columns: Mapping[str, Mapping[str, Any]], console: Console | None = None) -> None:
    """One row a metric, one column a part."""
    table = Table(box=None, header_style="bold")
    table.add_column("metric")
    for name in columns:
        table.add_column(Text(name), justify="right")
    for metric in dict.fromkeys(metric for values in columns.values() for metric in values):
        table.add_row(metric, *(figure(values[metric]) if metric in values else "" for values in columns.values()))
    (console or Console()).print(table)


def confusion_table(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> None:
    """Rows are the truth, columns what was predicted."""
    table = Table(box=None, header_style="bold", title="rows: truth; columns: predicted", title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(Text(name), justify="right")
    for name, row in zip(names, confusion, strict=True):
        table.add_row(Text(name), *(str(count) if count else "·" for count in row))
    Console().print(table)
