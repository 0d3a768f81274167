"""The promise of the house: a cell is one file. Here it is written anew, and everything else finds it."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rnncli
from rnncli.cells import CELLS

FAMILY = '''\
"""The minimal gated unit, written anew."""

from typing import Literal

from rnncli.cells.cell import CELLS, Cell, CellSettings
from rnncli.cells.expressions import sigmoid, tanh


class MGUAnewSettings(CellSettings):
    """Options of this cell."""

    type: Literal["mgu_anew"]
    """The minimal gated unit, written anew."""

    widening: float = 1.0
    """What its new value is multiplied by."""


@CELLS.register("mgu_anew")
class MGUAnew(Cell[MGUAnewSettings]):
    """One gate that both resets and updates."""

    settings_type = MGUAnewSettings

    def step(self, x, state, U, p, gate):
        (h,) = state
        f = gate.f(sigmoid(x.f + U.f(h)), "write")
        n = self.settings.widening * tanh(x.n + U.n(f * h))
        return ((1 - f) * h + f * n,)
'''
OWN = re.sub(r'    type: .*\n    """.*\n\n|@CELLS.*\n', "", FAMILY)
"""The same for a config: it has no name to be chosen and registered by."""

CONFIG = """\
task: many-to-one
data:
  loader: text
  train: texts.csv
  target: {column: label, kind: class}
model:
  embedding_size: 4
  cell: CELL
training: {epochs: 2, batch_size: 16, learning_rate: 0.02, threads: 1, device: cpu}
"""

ENGINES = """
import torch
from pydantic import TypeAdapter
from rnncli.cells import AnyCell, make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.choice import choose
from rnncli.engines.engine import ENGINES, Wanted
from rnncli.sequences import Padded

MGU = {"type": "mgu", "hidden_size": 4}
ANEW = {"type": "mgu_anew", "hidden_size": 4}
FILE = {"file": "own.py", "hidden_size": 4}
WIDER = [cell | {"widening": 1.5} for cell in (ANEW, FILE)]


def results(cell):
    torch.manual_seed(3)
    weights = CellWeights(make_cell(TypeAdapter(AnyCell).validate_python(cell)), 3).double()
    inputs = Padded(torch.randn(3, 5, 3, dtype=torch.float64), torch.tensor([5, 1, 3]))
    for name, engine in ENGINES.items():
        if engine().refusal(weights.cell, Wanted()) is None:
            outputs, (last,) = engine().run(weights, inputs, final_state=True)
            loss = outputs.values.square().sum() + last.sum()
            yield name, (outputs.values, last, *torch.autograd.grad(loss, list(weights.parameters())))


for cell, reference in ((ANEW, MGU), (FILE, MGU), WIDER):
    expected = dict(results(reference))["loop"]
    ran = dict(results(cell))
    assert "loop" in ran
    for name, found in ran.items():
        torch.testing.assert_close(found, expected, msg=lambda text: f"{cell} by {name}: {text}")
assert not torch.equal(dict(results(MGU))["loop"][0], expected[0])
assert choose("auto", make_cell(TypeAdapter(AnyCell).validate_python(ANEW))).name in ran
"""

COMMANDS = """
import sys
from rnncli.cli import main

for name in ("registered", "own"):
    for words in (f"train {name}.yaml --out {name}", f"predict {name} texts.csv --out {name}.csv"):
        sys.argv = ["rnncli", *words.split(), "--quiet"]
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
"""
"""The commands that train and predict, in one process."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of rnncli with one more file; beside it the file for configs, a small table and a config for each."""
    folder = tmp_path_factory.mktemp("anew")
    shutil.copytree(Path(rnncli.__file__).parent, folder / "rnncli")
    (folder / "rnncli" / "cells" / "families" / "mgu_anew.py").write_text(FAMILY)
    (folder / "own.py").write_text(OWN)
    draw, rows = random.Random(4), ["text,label"]
    for _ in range(60):
        label = draw.choice(["good", "bad"])
        words = [*draw.choices(["sun", "rain", "wind"], k=draw.randint(1, 5)), label]
        draw.shuffle(words)
        rows.append(f"{' '.join(words)},{label}")
    (folder / "texts.csv").write_text("\n".join(rows) + "\n")
    for name, cell in (("registered", "type: mgu_anew"), ("own", "file: own.py")):
        (folder / f"{name}.yaml").write_text(CONFIG.replace("CELL", f"{{{cell}, hidden_size: 5, widening: 0.9}}"))
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Python in the folder, which imports the copy."""
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, check=False)


def test_it_is_described(folder: Path) -> None:
    listed = run(folder, "-m", "rnncli", "describe", "cells")
    assert "mgu_anew" in listed.stdout and "One gate that both resets and updates." in listed.stdout, listed.stderr
    options = run(folder, "-m", "rnncli", "describe", "options", "model.cell")
    assert "model.cell.widening" in options.stdout
    assert "mgu_anew" not in CELLS


def test_every_engine_takes_it(folder: Path) -> None:
    done = run(folder, "-c", ENGINES)
    assert done.returncode == 0, done.stderr


def test_mistakes_in_its_options_are_explained(folder: Path) -> None:
    done = run(folder, "-m", "rnncli", "check", "registered.yaml", "--set", "model.cell.widning=2")
    assert done.returncode == 2
    assert "model.cell.widning=2: unknown key 'widning'; did you mean 'widening'?" in done.stderr


def test_it_trains_the_same_by_name_and_by_file(folder: Path) -> None:
    done = run(folder, "-c", COMMANDS)
    assert done.returncode == 0, done.stderr
    predicted = [(folder / f"{name}.csv").read_text() for name in ("registered", "own")]
    assert predicted[0] == predicted[1] and predicted[0].count("\n") == 61
    weights = [(folder / name / "weights.safetensors").read_bytes() for name in ("registered", "own")]
    assert weights[0] == weights[1]
