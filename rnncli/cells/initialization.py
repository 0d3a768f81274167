"""Which parameters start in which way: by the letter of the equations (U), or by letter and block (U_f)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import InitErrorDetails, ValidationError

from rnncli.cells.initializers import INITIALIZERS, InitializerSettings
from rnncli.errors import unknown

if TYPE_CHECKING:
    from rnncli.cells.cell import Cell, CellSettings

VECTORS = ("b", "p")
"""The letters of parameters that are no matrices."""


def by_block(ways: Mapping[str, InitializerSettings], blocks: Iterable[str]) -> dict[str, InitializerSettings]:
    """The way of each block that one is given for; a block's own goes before that of its letter.

    Raises:
        ValueError: a key that is neither a block nor a letter, or a way that does not suit it.
    """
    blocks = tuple(blocks)
    for key, way in ways.items():
        if misfit := _misfit(key, way, _keys(blocks)):
            raise ValueError(misfit)
    chosen = {block: block if block in ways else _letter(block) for block in blocks}
    return {block: ways[key] for block, key in chosen.items() if key in ways}


def refuse_misfits(ways: Mapping[str, InitializerSettings], cell: Cell[Any]) -> None:
    """Compares the settings of a cell's `initialization` with its equations.

    Raises:
        ValueError: all mistakes, each with its place: no such parameter, a way that does not suit it, or another option
            that says how it starts.
    """
    mistakes: list[InitErrorDetails] = []
    keys = _keys(cell.blocks)
    for key, way in ways.items():
        text = _misfit(key, way, keys)
        if text is None and (rival := _rival(cell, key)):
            text = f"{rival} also says how {key} starts; leave one of them out"
        if text:
            place = ("initialization", key) if key in keys else ("initialization", key, "[key]")
            mistakes.append({"type": "value_error", "loc": place, "input": way, "ctx": {"error": ValueError(text)}})
    if mistakes:
        raise ValidationError.from_exception_data("initialization", mistakes)


def _misfit(key: str, way: InitializerSettings, keys: Iterable[str]) -> str | None:
    """Why the parameters under a key can't start in this way."""
    if key not in keys:
        return unknown("parameter", key, keys)
    if way.matrices_only and _letter(key) in VECTORS:
        fitting = [name for name, settings in INITIALIZERS.items() if not settings.matrices_only]
        return f"{way.type} is for matrices, and {key} is none; allowed: {', '.join(fitting)}"
    return None


def _letter(block: str) -> str:
    return block.partition("_")[0]


def _keys(blocks: Iterable[str]) -> set[str]:
    return {key for block in blocks for key in (block, _letter(block))}


def _rival(cell: Cell[Any], key: str) -> str | None:
    """An option with another value than its default that does nothing but say how parameters under the key start."""
    settings: CellSettings = cell.settings
    for name, field in type(settings).model_fields.items():
        if not field.is_required() and settings.changed(name):
            default = field.get_default(call_default_factory=True)
            other = type(cell)(settings.model_copy(update={name: default}))
            same_equations = (other.graph, other.blocks) == (cell.graph, cell.blocks)
            if same_equations and _start(other, key) != _start(cell, key):
                return name
    return None


def _start(cell: Cell[Any], key: str) -> tuple[object, ...]:
    """How the cell itself starts the parameters under a key, as far as the key takes its place."""
    starts = by_block(cell.starts(), cell.blocks)
    shift = cell.bias_shifts().get(key[2:]) if key.startswith("b_") else None
    return shift, *(starts.get(block) for block in cell.blocks if key in (block, _letter(block)))
