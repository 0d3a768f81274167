"""`model.cell: {file: my_cell.py, ...}`: a cell of the user's own, in a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo

from rnncli.cells.cell import CellSettings
from rnncli.cells.expressions import Node
from rnncli.cells.graph import Graph, Role
from rnncli.cells.source import RAISED, Source, SourceError, blamed, line_of, load_source
from rnncli.config.document import Mistake
from rnncli.config.explaining import explain, explained
from rnncli.config.paths import InputPath
from rnncli.errors import unknown
from rnncli.registry import Brought


class OwnCellSettings(CellSettings):
    """Options of a cell of your own; those that its file declares stand beside these."""

    model_config = ConfigDict(extra="allow")  # for the schema alone: the file's own class knows its options

    type: ClassVar[str]  # type: ignore[misc]  # the class's name, for messages; no option
    source: ClassVar[Source]

    file: InputPath
    """Python file that defines a cell of your own, one subclass of rnncli.cells.Cell; given instead of a type. A run
    keeps a copy of it."""


class _File(BaseModel):
    """The key by which the class of the others is found."""

    file: InputPath


@cache
def settings_of(source: Source) -> type[OwnCellSettings]:
    """The options of a user's cell, as a class of its own."""
    declared = source.cell.settings_type
    # The file's come first: they may give a default to what all cells have.
    bases = (OwnCellSettings,) if declared is CellSettings else (declared, OwnCellSettings)

    class Given(*bases):  # type: ignore[misc]
        model_config = ConfigDict(extra="forbid")
        type: ClassVar[str] = source.cell.__name__  # also where the file declares one

    Given.source, Given.own = source, source.cell
    Given.__name__, Given.__doc__ = f"{source.cell.__name__}Settings", declared.__doc__
    return Given


def check_equations(settings: OwnCellSettings) -> None:
    """Traces the cell's equations, so that their mistakes come before any data are read.

    Raises:
        SourceError: they can't be used; the message begins with file and line.
    """
    source = settings.source
    try:
        cell = source.cell(settings)
        graph, shifts = cell.graph, cell.bias_shifts()
        cell.starts()
        cell.twin()
    except RAISED as error:
        raise blamed(error, source, settings.file) from error
    place = f"{settings.file}:{line_of(source)}: {source.cell.__name__}"
    for what, value in _made(graph):
        if not isinstance(value, Node):
            raise SourceError(f"{place}: {what} must come from the equations, found {value!r}")
    for gate in graph.gates:
        if gate.role not in get_args(Role):
            raise SourceError(f"{place}: gate.{gate.name}: {unknown('role', str(gate.role), get_args(Role))}")
    if not (graph.inputs or graph.raw):
        raise SourceError(f"{place}: reads no input: x.f is the block f of its projection, x.raw the input itself")
    for block in shifts:
        if block not in graph.inputs:
            raise SourceError(f"{place}: bias_shifts: {unknown('input block', block, graph.inputs)}")


def _made(graph: Graph) -> Iterator[tuple[str, object]]:
    """What the equations make and hand over, each with its name in a message."""
    for name, value in zip(graph.states, graph.state, strict=True):
        yield f"the new state {name!r}", value
    for gate in graph.gates:
        yield f"the value of gate.{gate.name}", gate.value
    for product in graph.products:
        yield f"what U.{product.blocks[0]} multiplies", product.operand


def _validate(value: Mapping[str, Any], info: ValidationInfo) -> CellSettings:
    if "type" in value:
        raise ValueError("has type, the name of a cell, and file, a cell of your own; give one of them")
    part: type[BaseModel] = _File
    try:
        file = _File.model_validate(value, context=info.context).file
        source = load_source(file)
        try:
            part = own = settings_of(source)
            return _checked(own, value, info)
        except ValidationError:
            raise
        except RAISED as error:  # by the file's own settings
            raise blamed(error, source, file) from error
    except ValidationError as error:
        raise explained(explain(error, part), part.__name__) from error
    except SourceError as error:
        raise explained([Mistake(("file",), str(error))], part.__name__) from error


def _checked(own: type[OwnCellSettings], value: Mapping[str, Any], info: ValidationInfo) -> OwnCellSettings:
    with suppress(ValidationError):  # whose mistakes come below, all of them
        # What is said of initialization is compared with the equations: they must be right first.
        plain = {key: each for key, each in value.items() if key != "initialization"}
        check_equations(own.model_validate(plain, context=info.context))
    return own.model_validate(value, context=info.context)


OWN = Brought("file", OwnCellSettings, _validate)
"""The cell that a file brings, in the place of a registered one."""
