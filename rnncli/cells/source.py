"""A Python file with a cell of the user's own: read, hashed, and executed once for each content."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.errors import RunError, UserError, nearest

RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    NameError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    SystemExit,
    TypeError,
    ValueError,
    Warning,
)
"""What a user's code may raise: the branches of Python's own tree below Exception, and how code ends the process.

The rest are classes that the file brought itself, which keep their traceback, and an interruption by the keyboard.
"""

_TAKEN = {"file", "own", "source"}
"""Attributes that the settings of a cell from a file have of themselves."""

_LOADED: dict[str, Source] = {}
_KNOWN: ContextVar[frozenset[str] | None] = ContextVar("_KNOWN", default=None)


class SourceError(UserError):
    """A mistake in a user's file; the message is one sentence that begins with file and line."""


@dataclass(frozen=True)
class Source:
    """The content of a file that defines a cell.

    Attributes:
        path: where it was read first.
        sha256: of the content, in hexadecimal digits.
        cell: the class that it defines.
    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str
    cell: type[Cell[Any]]


@contextmanager
def executing_only(known: frozenset[str]) -> Iterator[None]:
    """Within, only files of these SHA-256 are executed."""
    token = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(token)


def load_source(path: Path) -> Source:
    """Executes the file, if its content has not been yet.

    Raises:
        SourceError: it can't be read, raises an error or does not define one cell.
        RunError: its content is not among what may be executed here.
    """
    content = _read(path)
    digest = hashlib.sha256(content).hexdigest()
    known = _KNOWN.get()
    if known is not None and digest not in known:
        raise RunError(f"{path}: not executed: config.yaml names it, but it is not the code that run.json knows of")
    if digest not in _LOADED:
        _LOADED[digest] = Source(path, content, digest, _cell_class(path, content, digest))
    return _LOADED[digest]


def blamed(error: BaseException, source: Source, path: Path) -> SourceError:
    """An error that the code of a cell raised, as file, line and one sentence.

    Args:
        path: where the file is now; the same content may have been read elsewhere first.
    """
    return _blamed(error, source.path, path, line_of(source))


def _blamed(error: BaseException, compiled: Path, path: Path, line: int) -> SourceError:
    """As `blamed`; the line is named where none of the file is to blame."""
    if isinstance(error, SyntaxError) and error.filename == str(compiled):
        return SourceError(f"{path}:{error.lineno or line}: {error.msg}")
    lines = [number for frame, number in walk_tb(error.__traceback__) if frame.f_code.co_filename == str(compiled)]
    text = (str(error).strip() or "no message").splitlines()[0]
    if isinstance(error, TypeError) and text.endswith("has no len()") and not lines:
        text = "the step must return a tuple of the new states, as in return (h,)"
    elif "Node" in text:
        text = (
            f"{type(error).__name__}: {text}; equations are written with + - * / and what rnncli.cells has: sigmoid, "
        )
        text += "tanh, relu, normalize"
    elif type(error) is not ValueError:
        text = f"{type(error).__name__}: {text}"
    return SourceError(f"{path}:{lines[-1] if lines else line}: {text}")


def line_of(source: Source) -> int:
    """The line on which the class of the cell begins."""
    return _lines_of_classes(source.content).get(source.cell.__name__, 1)


def _lines_of_classes(content: bytes) -> dict[str, int]:
    return {node.name: node.lineno for node in ast.walk(ast.parse(content)) if isinstance(node, ast.ClassDef)}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, names)
        hint = f"; did you mean {close!r}?" if close else ""
        raise SourceError(f"{path}: no such file{hint}") from error
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror}") from error


def _cell_class(path: Path, content: bytes, digest: str) -> type[Cell[Any]]:
    # Named by its content, so that no two modules collide. pydantic looks a module up to resolve annotations.
    module = ModuleType(f"rnncli_cell_{digest}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(content, str(path), "exec", dont_inherit=True), vars(module))
    except RAISED as error:
        raise _blamed(error, path, path, 1) from error
    return _only_cell(module, path, content)


def _only_cell(module: ModuleType, path: Path, content: bytes) -> type[Cell[Any]]:
    """The one subclass of Cell that the module defines itself."""
    cells = {
        each.__name__: each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Cell) and each.__module__ == module.__name__
    }
    lines = _lines_of_classes(content)
    if not cells:
        raise SourceError(f"{path}:1: defines no cell; one class must be a subclass of rnncli.cells.Cell")
    name, *others = cells
    if others:
        places = ", ".join(f"{each} on line {lines.get(each, 1)}" for each in cells)
        raise SourceError(f"{path}:{lines.get(others[0], 1)}: defines {len(cells)} cells, {places}; one is allowed")
    cell, place = cells[name], f"{path}:{lines.get(name, 1)}: {name}"
    if any(part is cell for _, part in CELLS.items()):
        raise SourceError(f"{place} registers itself; the config names the file, so leave CELLS.register out")
    if not (isinstance(cell.settings_type, type) and issubclass(cell.settings_type, CellSettings)):
        raise SourceError(f"{place}: settings_type must be a subclass of rnncli.cells.CellSettings")
    taken = sorted(_TAKEN.intersection(cell.settings_type.model_fields))
    if taken:
        raise SourceError(f"{place}: an option can't be named {taken[0]}, which is taken; give it another name")
    names = cell.states
    if not (isinstance(names, tuple) and names and all(isinstance(each, str) for each in names)):
        raise SourceError(f"{place}: states must be a tuple of names, as in states = ('h',), found {names!r}")
    if len(set(names)) < len(names):
        raise SourceError(f"{place}: states names one twice: {', '.join(names)}")
    return cell
