"""`rnncli describe cell NAME`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rnncli.cli.describe.chosen import cell_from, input_size_of
from rnncli.cli.describe.topics import plain_console, wrapped

if TYPE_CHECKING:
    from rich.console import Console

    from rnncli.cells import Cell
    from rnncli.cells.initializers import InitializerSettings

_LEGEND = {
    "σ(": "σ the logistic function",
    "⊙": "⊙ the product of each element",
    "LN(": "LN layer normalization without gain and shift",
    "p_": "p a vector parameter",
}


def describe_cell(
    name: str,
    hidden_size: int | None,
    input_size: int | None,
    latex_only: bool,
    changes: Sequence[str],
    allow_code: bool,
) -> None:
    """Prints all that follows from a cell's equations."""
    from rnncli.runs.reading import code_beside

    with code_beside(Path(name), allow_code):
        cell = cell_from(name, hidden_size, changes)
    if latex_only:
        from rnncli.cells.notation import latex

        typer.echo(latex(cell))
        return
    size = input_size_of(cell, input_size)
    console = plain_console()
    console.print(cell.settings.type, style="bold", markup=False)
    for paragraph in _about(cell, name):
        wrapped(console, paragraph, "    ")
    for head, lines in (
        ("equations", _equations(cell)),
        ("states", _states(cell)),
        (_counted(cell, size), _parameters(cell, size)),
        ("matrix products", _stages(cell)),
        ("floating-point operations of a step of one sequence", _flops(cell, size)),
        ("engines", _engines(cell)),
    ):
        _section(console, head, lines)


def _about(cell: Cell[Any], name: str) -> Iterator[str]:
    """The sentence about the cell, then what its docstring says more."""
    about = type(cell).about(name)
    yield about
    for paragraph in inspect.cleandoc(type(cell).__doc__ or "").split("\n\n"):
        text = " ".join(paragraph.split())
        if text and text != about:
            yield text


def _section(console: Console, head: str, lines: Iterator[str]) -> None:
    console.print()
    console.print(head, style="bold", markup=False, soft_wrap=True)
    for line in lines:
        console.print(f"    {line}".rstrip(), markup=False, soft_wrap=True)


def _equations(cell: Cell[Any]) -> Iterator[str]:
    from rich.cells import cell_len

    from rnncli.cells.notation import unicode

    lines = unicode(cell)
    texts = [f"{line.left} = {line.right}" for line in lines]
    left = max(cell_len(line.left) for line in lines)
    width = min(max(map(cell_len, texts)), 60)
    for line, text in zip(lines, texts, strict=True):
        text = " " * (left - cell_len(line.left)) + text
        role = line.equation.role
        yield text + " " * max(0, width + left - cell_len(text)) + (f"  {role} gate" if role else "")
    whole = " ".join(texts)
    meanings = [meaning for sign, meaning in _LEGEND.items() if sign in whole]
    if meanings:
        yield ""
        yield "; ".join(meanings)


def _states(cell: Cell[Any]) -> Iterator[str]:
    output, *others = cell.states
    yield f"{output}, the output" + (f"; {', '.join(others)}" if others else "") + f"; each ({cell.hidden_size},)"


def _counted(cell: Cell[Any], input_size: int) -> str:
    from rnncli.cells.costs import count_as_formula
    from rnncli.cells.parameters import parameters

    count = sum(each.count for each in parameters(cell, input_size))
    sizes = f"h = {cell.hidden_size} units, i = {input_size} inputs"
    return f"parameters: {count_as_formula(cell, input_size)} = {count:,} with {sizes}"


def _parameters(cell: Cell[Any], input_size: int) -> Iterator[str]:
    from rnncli.cells.initialization import by_block
    from rnncli.cells.parameters import parameters

    tensors = parameters(cell, input_size)
    given = cell.settings.initialization
    ways = by_block(cell.starts(), cell.blocks) | by_block(given, cell.blocks)
    hidden = cell.hidden_size
    width = max(map(len, cell.blocks))
    digits = len(str(max(each.shape[0] for each in tensors)))
    for each in tensors:
        yield f"{each.name} {each.shape}"
        for place, block in enumerate(each.blocks):
            first = place * hidden
            rows = f"rows {first:{digits}}:{first + hidden:<{digits}}  " if len(each.blocks) > 1 else ""
            shift = cell.bias_shifts().get(block[2:]) if block.startswith("b_") and block not in given else None
            shifted = f", plus {shift:g}" if shift else ""
            read = "; x_t is P times the input" if block == "P" else ""
            yield f"    {block:{width}}  {rows}{_start(ways.get(block))}{shifted}{read}"


def _start(way: InitializerSettings | None) -> str:
    """How a block is drawn, in words."""
    from rnncli.cells.initializers import UniformSettings

    if way is None:
        way = UniformSettings()
    if isinstance(way, UniformSettings):
        return f"uniform ±{way.scale:g}/√h" if way.low is None else f"uniform {way.low:g} to {way.high:g}"
    names = [name for name in type(way).model_fields if name != "type" and way.changed(name)]
    values = {name: getattr(way, name) for name in names}
    said = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}
    return " ".join([way.type, *(text if name == "value" else f"{name} {text}" for name, text in said.items())])


def _stages(cell: Cell[Any]) -> Iterator[str]:
    from rnncli.cells.notation import products

    inputs = ", ".join(f"W_{block}" for block in cell.graph.inputs)
    if inputs:
        yield f"before the first step, for all steps at once: [{inputs}] x"
    stages = products(cell)
    for number, stage in enumerate(stages, 1):
        yield f"stage {number} of each step: " + "; ".join(stage)
    if not stages:
        yield "none within a step"


def _flops(cell: Cell[Any], input_size: int) -> Iterator[str]:
    from rnncli.cells.costs import flops

    cost = flops(cell, input_size)
    yield f"matrix products {cost.inputs + cost.recurrent:,} (input {cost.inputs:,}, recurrent {cost.recurrent:,})"
    yield f"elementwise {cost.elementwise:,}; together {cost.total:,}"
    yield "a multiplication with its addition counts as two, a function of a number as one"


def _engines(cell: Cell[Any]) -> Iterator[str]:
    from rnncli.engines.choice import choose, refusal_here
    from rnncli.engines.engine import ENGINES, NOTHING_MORE

    chosen = choose("auto", cell)
    yield f"auto takes {chosen.name}: {chosen.reason}"
    width = max(map(len, ENGINES))
    for name, engine in ENGINES.items():
        refusal = refusal_here(engine(), cell, NOTHING_MORE)
        yield f"{name:{width}}  " + ("runs it" if refusal is None else f"does not: {refusal}")
