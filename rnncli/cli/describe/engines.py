"""`rnncli describe engines`: which there are, and whether native does on this machine what it should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rnncli.cli.describe.topics import first_paragraph, plain_console, wrapped
from rnncli.errors import CompilerError, RnncliError

if TYPE_CHECKING:
    from rich.console import Console

_TESTED = ("lstm", "gru", "mut1")
"""Two that torch.nn has too, and one that it has not."""
_TIMED = ("lstm", "gru")


def describe_engines() -> None:
    """Prints what runs cells here, after tests of a few seconds; more where code has to be compiled for them.

    Raises:
        RnncliError: compiled code does not compute what the equations say.
    """
    import rnncli.engines.choice  # noqa: F401  (registers them)
    from rnncli.engines.engine import ENGINES

    console = plain_console()
    for name, engine in ENGINES.items():
        console.print(name, style="bold", markup=False)
        wrapped(console, first_paragraph(engine.__doc__), "    ")
    console.print()
    try:
        _native(console)
    except CompilerError as error:
        _line(console, f"native can't be used here: {error}; auto takes {_instead()}")
    console.print()
    _times(console)


def _native(console: Console) -> None:
    """What compiles, and whether what it makes is right.

    Raises:
        CompilerError: native can't be used here.
        RnncliError: it gives wrong results.
    """
    from rnncli.engines.native.compiler import describe
    from rnncli.engines.native.selftest import LIMITS, difference

    machine = list(_machine())
    console.print("native on this machine", style="bold")
    for head, text in machine:
        _line(console, f"    {head:10}  {text}")
    console.print()
    console.print("native against loop in double: greatest difference, by the greatest value", style="bold")
    _line(console, f"    {'':12}{'outputs':>10}{'gradients':>11}")
    wrong = []
    for name in _TESTED:
        found = {real: difference(name, real) for real in LIMITS}
        for real, each in found.items():
            _line(console, f"    {name:5} {real:6}{each.outputs:>10.1e}{each.gradients:>11.1e}")
        if any(max(each.outputs, each.gradients) > LIMITS[real] for real, each in found.items()):
            wrong.append(name)
    compiler = describe()
    _line(
        console, f"    {compiler.libraries} libraries of {compiler.kept_bytes / 1e6:.1f} MB kept in {compiler.folder}"
    )
    if wrong:
        raise RnncliError(
            f"engine native gives wrong results here, for {', '.join(wrong)}: set model.engine: fused, or let CC name "
            f"another compiler than {compiler.command}"
        )


def _machine() -> Iterator[tuple[str, str]]:
    """What native makes use of.

    Raises:
        CompilerError: native can't be used here.
    """
    import torch

    from rnncli.engines.native.compiler import describe, why_not
    from rnncli.engines.native.selftest import vectors
    from rnncli.engines.native.team import openmp_of_torch

    if reason := why_not():
        raise CompilerError(reason)
    compiler, found = describe(), vectors()
    yield "compiler", f"{compiler.command}: {compiler.version}"
    yield "flags", compiler.flags
    yield "processor", f"{found.instructions}: {found.bytes // 4} floats or {found.bytes // 8} doubles at once"
    team = "a pool of its own" if openmp_of_torch() is None else "those of torch (OpenMP)"
    yield "threads", f"{torch.get_num_threads()}, {team}"


def _instead() -> str:
    """What auto takes here, cell by cell."""
    from rnncli.cells import CELLS, make_cell
    from rnncli.engines.choice import choose

    cells: dict[str, list[str]] = {}
    for name in _TESTED:
        cell = make_cell(CELLS[name].settings_type(type=name, hidden_size=1))
        cells.setdefault(choose("auto", cell).name, []).append(name)
    return ", ".join(f"{engine} for {' and '.join(names)}" for engine, names in cells.items())


def _times(console: Console) -> None:
    from rnncli.engines.native.selftest import BATCH, HIDDEN, TIME, milliseconds

    console.print("milliseconds of a forward and a backward pass; torch is what torch.nn runs", style="bold")
    times = {name: milliseconds(name) for name in _TIMED}
    _line(console, " " * 12 + "".join(f"{name:>8}" for name in _TIMED))
    for engine in times[_TIMED[0]]:
        _line(console, f"    {engine:8}" + "".join(f"{times[name][engine]:8.2f}" for name in _TIMED))
    _line(console, f"    {BATCH} sequences of {TIME} steps, {HIDDEN} inputs and units, float")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
