"""The generated code of every cell in a C program of its own: under sanitizers, and on another processor."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cells.variants import every_cell

import rnncli.engines
from rnncli.cells import make_cell
from rnncli.cells.equations import equations
from rnncli.engines.native.plan import plan
from rnncli.engines.native.source import Real, source

RUNTIME = Path(rnncli.engines.__file__).parent / "native" / "runtime"
PROGRAM = Path(__file__).with_name("sanitized.c")
CELLS = every_cell()
BOUNDS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
RACES = ("-fsanitize=thread",)
NATIVE, PLAIN = ("-march=native",), ()
"""The widest vectors of this processor, and the narrowest, for which fewer rows are taken at once."""

QUICK = ("lstm", "peephole_lstm-diagonal", "layer_norm_lstm", "mut1")
IN_PHASES = ("lstm", "peephole_lstm-full", "layer_norm_lstm")
"""One phase a step; more than one; and statistics of whole rows."""

TAKE = "static REAL *take(Arena *arena, long count) {"
GUARDED_TAKE = """
#include <sanitizer/asan_interface.h>
static REAL *take_place(Arena *arena, long count);
static REAL *take(Arena *arena, long count) {
    REAL *place = take_place(arena, count);
    take_place(arena, 1);
    if (place) ASAN_POISON_MEMORY_REGION(place + count, (arena->memory + arena->taken - place - count) * sizeof(REAL));
    return place;
}
"""
"""All places of a layer are cut from one piece of memory: forbidden ground between them, so that ASan knows them."""


def generated(name: str, real: Real, masked: bool) -> str:
    """The code of a cell; where it is masked, with all masks and recordings, too."""
    cell = make_cell(CELLS[name])
    graph = cell.graph.masked(True, dict.fromkeys(cell.graph.states)) if masked else cell.graph
    return source(plan(graph, cell.bias, recorded=masked), real, [name], equations(cell).names)


def program(folder: Path, code: str, *command: str) -> Path:
    """The cell's code with PROGRAM, compiled by a command."""
    (folder / "cell.c").write_text(code)
    result = folder / "program"
    team = () if "-fsyntax-only" in command else (str(RUNTIME / "team.c"), "-o", str(result), "-lm")
    more = ["-std=gnu11", "-pthread", f"-I{folder}", f"-I{RUNTIME}", '-DCELL="cell.c"', str(PROGRAM)]
    done = subprocess.run([*command, *more, *team], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr[:5000]
    return result


def guard(folder: Path) -> None:
    """Puts a run.h before that of the runtime, with ground between the places of a layer."""
    text = (RUNTIME / "run.h").read_text(encoding="utf-8")
    assert text.count(TAKE) == 1, "run.h has another `take`: this test has to follow it"
    (folder / "run.h").write_text(text.replace(TAKE, GUARDED_TAKE + TAKE.replace("take(", "take_place(")))


def output(*command: str) -> str:
    """What a program prints.

    Raises:
        AssertionError: it failed; with what it reports.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, f"exit status {done.returncode}\n{done.stderr[:5000]}"
    assert len(done.stdout.splitlines()) > 40
    return done.stdout


@cache
def works(*command: str, runner: tuple[str, ...] = ()) -> bool:
    """Whether a program can be made by a command, and runs here."""
    if shutil.which(command[0]) is None or not all(map(shutil.which, runner[:1])):
        return False
    with TemporaryDirectory() as folder:
        path = Path(folder) / "works"
        path.with_suffix(".c").write_text("int main(void) { return 0; }")
        made = [*command, "-pthread", "-o", str(path), f"{path}.c", "-lm"]
        steps = (made, [*runner, str(path)])
        return all(subprocess.run(step, capture_output=True, check=False).returncode == 0 for step in steps)


def needs(*flags: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not works("cc", *flags), reason=f"no compiler `cc` whose programs run with {flags[0]}")


def runs() -> list[object]:
    """Every cell as it is in float, and with masks and recordings in double; a few in more ways; only a few quick."""
    quick = [pytest.param(name, "float", False, NATIVE) for name in QUICK]
    each = [(name, "float", False, PLAIN) for name in CELLS if name not in QUICK]
    each += [(name, "double", True, PLAIN) for name in CELLS]
    each += [(name, "float", True, NATIVE) for name in IN_PHASES]
    each += [(name, "double", False, NATIVE) for name in IN_PHASES]
    return [*quick, *(pytest.param(*one, marks=pytest.mark.slow) for one in each)]


@needs(*BOUNDS)
@pytest.mark.parametrize(("name", "real", "masked", "processor"), runs())
def test_nothing_beyond_its_place_and_nothing_undefined(name, real, masked, processor, tmp_path):
    guard(tmp_path)
    made = program(tmp_path, generated(name, real, masked), "cc", "-O0", "-g", *BOUNDS, *processor)
    output(str(made), "1", "3")


@pytest.mark.slow
@needs(*RACES)
@pytest.mark.parametrize("name", IN_PHASES)
def test_threads_do_not_race(name, tmp_path):
    made = program(tmp_path, generated(name, "float", masked=True), "cc", "-O1", "-g", *RACES)
    output(str(made), "1", "2", "3")


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_PHASES)
def test_another_processor_computes_the_same(name, tmp_path):
    """aarch64, whose vectors have 16 bytes; emulated."""
    compiler, emulator = "aarch64-linux-gnu-gcc", "qemu-aarch64"
    if not works(compiler, "-static", runner=(emulator,)):
        pytest.skip(f"no {compiler} or no {emulator}")
    flags = ("-O2", "-fno-math-errno", "-fno-trapping-math")
    code = generated(name, "double", masked=True)
    here = output(str(program(tmp_path, code, "cc", *flags, *NATIVE)), "1", "2").splitlines()
    there = output(emulator, str(program(tmp_path, code, compiler, "-static", *flags)), "1", "2").splitlines()
    for ours, theirs in zip(here, there, strict=True):
        (*case, found), (*same_case, expected) = ours.split(), theirs.split()
        assert case == same_case and float(found) == pytest.approx(float(expected), rel=1e-12), case


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_no_warnings(compiler, tmp_path):
    if not works(compiler):
        pytest.skip(f"no compiler {compiler!r}")
    for place, name in enumerate(CELLS):
        code = generated(name, "double" if place % 2 else "float", masked=place % 3 == 0)
        program(tmp_path, code, compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Werror")
