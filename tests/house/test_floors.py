"""The plan of the house: an import goes down only, and starting is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import rnncli

PACKAGE = Path(rnncli.__file__).parent
FLOORS = [
    {"errors", "registry"},
    {"config", "sequences"},
    {"cells", "inputs", "metrics"},
    {"engines"},
    {"layers"},
    {"decoding", "heads", "models"},
    {"tasks"},
    {"training"},
    {"runs"},
    {"ablation"},
    {"cli"},
]
FLOOR = {part: number for number, parts in enumerate(FLOORS) for part in parts}
NEIGHBOURS = {("models", "heads"), ("models", "decoding"), ("heads", "decoding"), ("registry", "errors")}
"""On one floor, who may stand on whom."""


def imported(path: Path) -> set[str]:
    """The parts of rnncli that a module imports, wherever in it the import stands."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("rnncli.") and name.count(".") >= 1} & set(FLOOR)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if part in ("__init__", "__main__"):
        return  # the package's own doors: `rnncli.load`, `python -m rnncli`
    above = {
        other
        for other in imported(path)
        if other != part and FLOOR[other] >= FLOOR[part] and (part, other) not in NEIGHBOURS
    }
    assert not above, f"{path.name} on the floor of {part} imports {above} from its own floor or above"


def test_every_part_has_a_floor():
    parts = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name[0] not in "_."}
    assert parts == set(FLOOR)


@pytest.mark.parametrize("module", ["rnncli", "rnncli.cli.app", "rnncli.runs.config"])
def test_starting_does_not_import_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_in_the_package_is_a_catch_all():
    catch_alls = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not {path for path in PACKAGE.rglob("*") if path.stem in catch_alls}


def test_no_module_is_long():
    long = {str(p.relative_to(PACKAGE)): n for p in PACKAGE.rglob("*.py") if (n := p.read_text().count("\n")) > 300}
    assert not long
