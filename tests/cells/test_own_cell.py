"""A cell in a user's file: what the config makes of it, and what is said of its mistakes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from rnncli.cells import CELLS, AnyCell, Cell, make_cell
from rnncli.cells.families.mgu import MGUSettings
from rnncli.cells.source import executing_only, load_source
from rnncli.cells.weights import CellWeights
from rnncli.config import Settings, options, read, schema, write
from rnncli.engines.engine import ENGINES, Wanted
from rnncli.engines.loop import LoopEngine
from rnncli.errors import ConfigError, RunError
from rnncli.sequences import Padded

MGU = '''\
from rnncli.cells import Cell, sigmoid, tanh


class Mine(Cell):
    """The minimal gated unit."""

    def step(self, x, state, U, p, gate):
        (h,) = state
        f = gate.f(sigmoid(x.f + U.f(h)), "write")
        n = tanh(x.n + U.n(f * h))
        return ((1 - f) * h + f * n,)
'''
EXAMPLE = Path(__file__).parents[2] / "configs" / "cells" / "my_cell.py"


class Config(Settings):
    cell: AnyCell
    """What is computed at each step."""


@pytest.fixture(autouse=True)
def _registry_as_it_was(monkeypatch):
    """Whatever a file registers is gone after the test."""
    monkeypatch.setattr(CELLS, "_parts", dict(CELLS.items()))


def written(folder: Path, code: str, options: str = "hidden_size: 3") -> Path:
    """A config beside the file that it names."""
    (folder / "my_cell.py").write_text(code, encoding="utf-8")
    (folder / "config.yaml").write_text(f"cell: {{file: my_cell.py, {options}}}\n", encoding="utf-8")
    return folder / "config.yaml"


def settings_of(folder: Path, code: str, options: str = "hidden_size: 3", *overrides: str) -> Any:
    return read(written(folder, code, options), Config, overrides).cell


def mistakes(folder: Path, code: str, options: str = "hidden_size: 3", *overrides: str) -> list[str]:
    """The first line of each, without the names of folders."""
    with pytest.raises(ConfigError) as caught:
        settings_of(folder, code, options, *overrides)
    return [block.splitlines()[0].replace(f"{folder}/", "") for block in caught.value.mistakes]


def test_the_same_equations_are_the_same_cell(tmp_path: Path) -> None:
    """Parameters, their start and every engine's outputs and gradients are those of the registered twin."""
    ran: list[dict[str, Any]] = []
    for settings in (settings_of(tmp_path, MGU, "hidden_size: 4"), MGUSettings(type="mgu", hidden_size=4)):
        torch.manual_seed(5)
        weights = CellWeights(make_cell(settings), 3).double()
        inputs = Padded(torch.randn(3, 6, 3, dtype=torch.float64), torch.tensor([6, 1, 4]))
        ran.append({})
        for name, engine in ENGINES.items():
            if engine().refusal(weights.cell, Wanted()) is None:
                outputs, _ = engine().run(weights, inputs)
                ran[-1][name] = outputs.values, *torch.autograd.grad(outputs.values.sum(), list(weights.parameters()))
    assert ran[0].keys() == ran[1].keys() and "loop" in ran[0]
    torch.testing.assert_close(ran[0], ran[1], rtol=0, atol=0)


def test_the_example_by_hand() -> None:
    settings = TypeAdapter(AnyCell).validate_python({"file": EXAMPLE, "hidden_size": 4, "leak": 0.3})
    draw = np.random.default_rng(3)
    x, h, slow = draw.normal(size=(2, 3)), draw.normal(size=(2, 4)), draw.normal(size=(2, 4))
    torch.manual_seed(2)
    weights = CellWeights(make_cell(settings), 3).double()
    with torch.no_grad():
        new = LoopEngine().step(weights, torch.from_numpy(x), (torch.from_numpy(h), torch.from_numpy(slow)))
    parts = (weights.weight_ih, weights.weight_hh, weights.bias)
    (Wf, Wn), (Uf, Un), (bf, bn) = (np.split(each.detach().numpy(), 2) for each in parts)
    f = 1 / (1 + np.exp(-(x @ Wf.T + bf + h @ Uf.T + weights.vectors["f"].detach().numpy() * slow)))
    expected = f * h + (1 - f) * np.tanh(x @ Wn.T + bn + h @ Un.T)
    np.testing.assert_allclose(new[0].numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(new[1].numpy(), 0.3 * slow + 0.7 * expected, rtol=1e-12)
    assert bf.mean() - bn.mean() > 0.5, "the shift of the bias"


def test_it_is_a_part_of_the_config(tmp_path: Path) -> None:
    config = read(written(tmp_path, EXAMPLE.read_text(), "hidden_size: 3, leak: 0.5, initialization: {U: 0.5}"), Config)
    assert (config.cell.file, config.cell.leak, config.cell.type) == (tmp_path / "my_cell.py", 0.5, "LeakyGate")
    assert CellWeights(make_cell(config.cell), 2).weight_hh.unique().tolist() == [0.5]
    (tmp_path / "again.yaml").write_text(write(config))
    assert read(tmp_path / "again.yaml", Config) == config
    assert "type" not in config.model_dump()["cell"]


def test_the_path_is_relative_to_the_config_or_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "other.py").write_text(MGU)
    monkeypatch.chdir(tmp_path / "here")
    assert settings_of(tmp_path, MGU).file == tmp_path / "my_cell.py"
    assert settings_of(tmp_path, MGU, "hidden_size: 3", "cell.file=other.py").file == tmp_path / "here" / "other.py"


def test_help_and_schema_show_it() -> None:
    file = next(option for option in options(Config) if option.key == "cell.file")
    assert file.type == "path" and "instead of a type" in file.help
    *named, own = schema(Config)["properties"]["cell"]["oneOf"]
    assert len(named) == len({cell.settings_type for _, cell in CELLS.items()})
    assert set(own["required"]) == {"file", "hidden_size"}
    assert "type" not in own["properties"] and own["additionalProperties"] is True


def test_the_class_of_a_file() -> None:
    assert issubclass(load_source(EXAMPLE).cell, Cell)
    assert load_source(EXAMPLE).cell.about("").startswith("A gated unit beside a slow average")


def test_a_file_is_executed_once_for_each_content(tmp_path: Path) -> None:
    counted = f"from pathlib import Path\nwith Path({str(tmp_path / 'count')!r}).open('a') as f: f.write('x')\n"
    first, copy = tmp_path / "a.py", tmp_path / "b.py"
    for path in (first, copy, first):
        path.write_text(counted + MGU)
        assert load_source(path).cell is load_source(first).cell
    assert (tmp_path / "count").read_text() == "x"
    names = set(CELLS)
    copy.write_text(counted + MGU.replace("1 - f", "2 - f"))
    assert load_source(copy).cell is not load_source(first).cell
    assert set(CELLS) == names


def test_only_known_code_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_text("raise SystemExit(9)\n")
    with executing_only(frozenset({"0" * 64})), pytest.raises(RunError, match=r"new\.py: not executed"):
        load_source(path)


OPTIONS = {
    # what stands beside the file -> what is said
    "hiden_size: 3": "1:26: cell.hiden_size: unknown key 'hiden_size'; did you mean 'hidden_size'? allowed: file, "
    "hidden_size, initialization, leak, project",
    "leek: 1, hidden_size: 3": "1:26: cell.leek: unknown key 'leek'; did you mean 'leak'? allowed: file, hidden_size, "
    "initialization, leak, project",
    "leak: x, hidden_size: 3": "1:32: cell.leak: expected a number, found 'x'",
    "leak: 0.5": "1:1: cell: missing key 'hidden_size' (Number of units in the cell's state and output)",
    "type: lstm, hidden_size: 3": "1:1: cell: has type, the name of a cell, and file, a cell of your own; give one of "
    "them",
    "hidden_size: 3, initialization: {U_q: 1}": "1:59: cell.initialization.U_q: unknown parameter 'U_q'; did you mean "
    "'U_n'? allowed: U, U_f, U_n, W, W_f, W_n, b, b_f, b_n, p, p_f",
}


@pytest.mark.parametrize("given", OPTIONS)
def test_mistakes_of_options(given: str, tmp_path: Path) -> None:
    expected = OPTIONS[given].replace("1:1:", "1:7:")  # a mapping in braces begins at the brace
    assert mistakes(tmp_path, EXAMPLE.read_text(), given) == [f"config.yaml:{expected}"]


def test_neither_type_nor_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing key 'type': one of .*, or 'file'; did you mean it by 'fiel'"):
        settings_of(tmp_path, MGU, "hidden_size: 3", "cell={fiel: my_cell.py}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert mistakes(tmp_path, MGU, "hidden_size: 3", f"cell.file={tmp_path}/my_cel.py") == [
        "--set cell.file=my_cel.py: my_cel.py: no such file; did you mean 'my_cell.py'?"
    ]


HEAD = (
    "from rnncli.cells import CELLS, Cell, CellSettings, sigmoid, tanh\nfrom rnncli.cells.families.lstm import LSTM\n"
)


def cell(*lines: str, head: str = "") -> str:
    """A file whose step begins on line 5 with these lines; the head stands on line 3."""
    body = "".join(f"        {line}\n" for line in lines)
    return f"{HEAD}{head}\nclass Mine(Cell):\n    def step(self, x, state, U, p, gate):\n{body}"


NODES = "; equations are written with + - * / and what rnncli.cells has: sigmoid, tanh, relu, normalize"
FILES = {
    "syntax": ("class Mine(Cell:\n    pass\n", "1: "),
    "not text": ("x = 1\n\0", ""),
    "raised at the top": (HEAD + "1 / 0\n", "3: ZeroDivisionError: division by zero"),
    "unknown import": ("import rnncli\nimport no_such_thing\n", "2: ModuleNotFoundError: No module named 'no_such_thi"),
    "ends the process": ("import sys\nsys.exit('over')\n", "2: SystemExit: over"),
    "no cell": (HEAD, "1: defines no cell; one class must be a subclass of rnncli.cells.Cell"),
    "two cells": (
        cell("return state") + "class Other(Mine):\n    pass\n",
        "7: defines 2 cells, Mine on line 4, Other on line 7; one is allowed",
    ),
    "no step": (HEAD + "class Mine(Cell):\n    pass\n", "3: TypeError: Can't instantiate abstract class Mine"),
    "registers itself": (
        HEAD + "@CELLS.register('own_of_the_tests')\nclass Mine(Cell):\n    def step(self, *a): return a[1]\n",
        "4: Mine registers itself; the config names the file, so leave CELLS.register out",
    ),
    "other settings": (
        HEAD + "class Mine(Cell):\n    settings_type = dict\n    def step(self, *a): return a[1]\n",
        "3: Mine: settings_type must be a subclass of rnncli.cells.CellSettings",
    ),
    "states that are no tuple": (
        HEAD + "class Mine(Cell):\n    states = ('hc')\n    def step(self, *a): return a[1]\n",
        "3: Mine: states must be a tuple of names, as in states = ('h',), found 'hc'",
    ),
    "a state twice": (
        HEAD + "class Mine(Cell):\n    states = ('h', 'h')\n    def step(self, *a): return a[1]\n",
        "3: Mine: states names one twice: h, h",
    ),
    "torch function": (
        cell("import torch", "(h,) = state", "return (torch.tanh(x.n + h),)"),
        "8: TypeError: tanh(): argument 'input' (position 1) must be Tensor, not Node" + NODES,
    ),
    "method of tensors": (
        cell("(h,) = state", "return (x.n + h.exp(),)"),
        "7: AttributeError: 'Node' object has no attribute 'exp'" + NODES,
    ),
    "power": (
        cell("(h,) = state", "return (x.n + h**2,)"),
        "7: TypeError: unsupported operand type(s) for ** or pow(): 'Node' and 'int'" + NODES,
    ),
    "unknown name": (
        cell("(h,) = state", "return (squash(x.n + h),)"),
        "7: NameError: name 'squash' is not defined",
    ),
    "in a function of the file": (
        cell("(h,) = state", "return (half(x.n),)", head="def half(v): return v.no / 2\n"),
        "3: AttributeError: 'Node' object has no attribute 'no'" + NODES,
    ),
    "too many states": (
        cell("(h,) = state", "return h, x.n"),
        "4: the step returns 2 states, the cell names 1: h",
    ),
    "too few states": (cell("h, c = state", "return h, c"), "6: not enough values to unpack (expected 2, got 1)"),
    "no tuple": (
        cell("(h,) = state", "return tanh(x.n + h)"),
        "4: the step must return a tuple of the new states, as in return (h,)",
    ),
    "a number for a state": (cell("return (0.5,)"), "4: Mine: the new state 'h' must come from the equations, found 0"),
    "a number for a gate": (
        cell("return (x.n * gate.f(0.5, 'keep'),)"),
        "4: Mine: the value of gate.f must come from the equations, found 0.5",
    ),
    "a number in a product": (
        cell("return (x.n + U.n(1.0),)"),
        "4: Mine: what U.n multiplies must come from the equations, found 1.0",
    ),
    "unknown role": (
        cell("return (gate.f(x.n, 'kep'),)"),
        "4: Mine: gate.f: unknown role 'kep'; did you mean 'keep'? allowed: keep, read, write",
    ),
    "no input": (cell("(h,) = state", "return (tanh(U.n(h)),)"), "4: Mine: reads no input: x.f is the block f of its"),
    **{
        f"an option named {name}": (
            cell("return (x.n,)", head=f"class Given(CellSettings):\n    {name}: float = 1.0\n")
            + "    settings_type = Given\n",
            f"6: Mine: an option can't be named {name}, which is taken; give it another name",
        )
        for name in ("file", "source", "own")
    },
    "another signature": (
        HEAD + "\nclass Mine(Cell):\n    def step(self, x, state, U, p): return state\n",
        "4: TypeError: ",
    ),
    "a product twice": (
        cell("(h,) = state", "return (tanh(U.n(h) + U.n(x.n)),)"),
        "7: the recurrent block 'n' multiplies two different operands; give each its name",
    ),
    "a gate twice": (
        cell("(h,) = state", "return (gate.f(x.n, 'keep') * gate.f(h, 'keep'),)"),
        "7: the gate 'f' is marked twice with different values; give each its name",
    ),
    "a shift of nothing": (
        cell("return (x.n,)") + "    def bias_shifts(self): return {'f': 1.0}\n",
        "4: Mine: bias_shifts: unknown input block 'f'; allowed: n",
    ),
    "a validator that fails": (
        HEAD
        + dedent(
            """\
            from pydantic import field_validator
            class Given(CellSettings):
                width: int = 1
                @field_validator('width', mode='before')
                def _wide(cls, value): return {}[value]
            class Mine(Cell):
                settings_type = Given
                def step(self, x, state, U, p, gate): return (x.n,)
            """
        ),
        "7: KeyError: 2",
    ),
}


@pytest.mark.filterwarnings("ignore:Field name .own. in")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("initialization", ["", ", initialization: {U: orthogonal}"])
def test_mistakes_of_the_file(name: str, initialization: str, tmp_path: Path) -> None:
    code, expected = FILES[name]
    if name == "registers itself":
        code = code.replace("own_of", f"own{len(initialization)}_of")  # a registry keeps what it has
    width = ", width: 2" if "width" in code else ""
    [message] = mistakes(tmp_path, code, f"hidden_size: 3{width}{initialization}")
    assert message.startswith(f"config.yaml:1:14: cell.file: my_cell.py:{expected}")


def test_a_file_may_give_a_default_to_what_all_cells_have(tmp_path: Path) -> None:
    given = "class Given(CellSettings):\n    hidden_size: int = 7\n    project: bool = True\n"
    code = cell("return (x.raw,)", head=given) + "    settings_type = Given\n"
    found = settings_of(tmp_path, code, "initialization: {P: 0.5}")
    assert (found.hidden_size, found.project) == (7, True)
    found = settings_of(tmp_path, code, "hidden_size: 3, project: false")
    assert (found.hidden_size, found.project) == (3, False)


def test_an_edited_file_is_another_cell(tmp_path: Path) -> None:
    """What was wrong and has been mended is as if it had never been wrong."""
    assert mistakes(tmp_path, MGU.replace("tanh(x.n", "tanhh(x.n"))
    assert make_cell(settings_of(tmp_path, MGU)).graph.inputs == ("f", "n")


def test_a_cell_is_read_and_traced_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom rnncli.config import read\nfrom rnncli.runs.reading import "
        "read_config\n"
        f"assert read_config(Path({str(EXAMPLE.parents[1] / 'own_cell.yaml')!r})).model.cell.hidden_size\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
