"""Which cell is meant: a registered one or one of the user's own, with which options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rnncli.errors import ConfigError, UserError

if TYPE_CHECKING:
    from rnncli.cells import Cell

_HIDDEN, _INPUT = 128, 64


def cell_from(name_or_path: str, hidden_size: int | None = None, changes: Sequence[str] = ()) -> Cell[Any]:
    """A registered cell, or the one that a Python file defines.

    Args:
        changes: options of the cell, `key=value`.

    Raises:
        UserError: no such cell.
        ConfigError: all mistakes in its options.
    """
    from rnncli.cells import CELLS, AnyCell, make_cell
    from rnncli.config import Settings
    from rnncli.config.explaining import explain
    from rnncli.config.overrides import override

    class Chosen(Settings):
        """As in the model section of a config."""

        cell: AnyCell

    own = name_or_path.endswith(".py")
    if not own:
        CELLS[name_or_path]
    size = _HIDDEN if hidden_size is None else hidden_size
    given: Any = {"cell": {"file" if own else "type": name_or_path, "hidden_size": size}}
    mistakes, commands = [], {}
    for change in changes:
        key = change.partition("=")[0].strip().removeprefix("model.cell.")
        commands[key] = change
        try:
            override(given, f"cell.{change.strip().removeprefix('model.cell.')}")
        except ValueError as error:
            mistakes.append(f"--set {change}: {error}")
    try:
        chosen = Chosen.model_validate(given, context=Path())
    except ValidationError as error:
        for mistake in explain(error, Chosen):
            key = ".".join(map(str, mistake.location[1:]))
            source = _source(key, commands)
            mistakes.append(f"{source}: {mistake.text}" if source else mistake.text)
        raise ConfigError(mistakes) from error
    if mistakes:
        raise ConfigError(mistakes)
    return make_cell(chosen.cell)


def _source(key: str, commands: dict[str, str]) -> str:
    """Where the value of a key comes from."""
    if key in commands:
        return f"--set {commands[key]}"
    return {"hidden_size": "--hidden-size", "file": ""}.get(key, key)  # what is said of a file names it


def input_size_of(cell: Cell[Any], given: int | None) -> int:
    """The size of the inputs, chosen where none is given.

    Raises:
        UserError: the cell can't read inputs of that size.
    """
    hidden = cell.hidden_size
    if not cell.graph.raw or cell.settings.project:
        return _INPUT if given is None else given
    if given not in (None, hidden):
        raise UserError(
            f"--input-size {given}: {cell.settings.type} reads the input itself, so its size is that of the state "
            f"({hidden}); --set project=true puts a matrix in between"
        )
    return hidden
