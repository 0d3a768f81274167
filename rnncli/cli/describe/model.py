"""`rnncli describe CONFIG` and `rnncli describe RUN`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnncli.cli.describe.topics import plain_console

if TYPE_CHECKING:
    from rnncli.runs.shapes import Part, Shapes


def describe_model(path: Path, changes: Sequence[str], allow_code: bool) -> None:
    """Prints the model of a config or a run as a table."""
    from rnncli.runs.reading import read_config

    settings = read_config(path, changes, allow_code=allow_code)

    from rnncli.runs.shapes import shapes_of

    _show(shapes_of(settings, path if path.is_dir() else None))


def _show(shapes: Shapes) -> None:
    from rich.text import Text

    console = plain_console()
    rows = [("part", "kind", "reads", "gives", "parameters")]
    rows += [(name, "input", "", _written(shape), "") for name, shape in shapes.inputs.items()]
    rows += [_row(part) for part in shapes.parts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    details = [None] * (1 + len(shapes.inputs)) + [part.parameters for part in shapes.parts]
    for number, (row, parameters) in enumerate(zip(rows, details, strict=True)):
        *texts, count = (f"{text:{width}}" for text, width in zip(row, widths, strict=True))
        line = "  ".join([*texts, count.strip().rjust(widths[-1])]).rstrip()
        console.print(Text(line, style="" if number else "bold"), soft_wrap=True)
        for name, shape in (parameters or {}).items():
            console.print(Text(f"    {name} {_written(shape)}", style="dim"), soft_wrap=True)
    console.print()
    frozen = f", {shapes.trained:,} of them trained" if shapes.trained < shapes.count else ""
    console.print(f"parameters: {shapes.count:,}{frozen}", markup=False, soft_wrap=True)
    console.print(f"engine: {shapes.engine} ({shapes.engine_reason})", markup=False, soft_wrap=True)
    console.print(
        f"recurrent layers: {shapes.flops:,} floating-point operations, one step of one sequence in each",
        markup=False,
        soft_wrap=True,
    )


def _row(part: Part) -> tuple[str, str, str, str, str]:
    count = f"{part.count:,}" if part.parameters else ""
    return part.name, part.kind, _written(part.reads), _written(part.gives), count


def _written(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else str(shape)
