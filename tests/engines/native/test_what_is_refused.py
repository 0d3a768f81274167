"""What the engine native refuses: memory that is not there, machines it does not run on."""

import pytest
import torch

from engines.test_engines import CELLS, NEEDS, case
from rnncli.cells import make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.choice import choose
from rnncli.engines.engine import ENGINES, Masks
from rnncli.engines.native import library
from rnncli.layers.recurrent import Stack
from rnncli.sequences import Padded

pytestmark = NEEDS["native"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": (torch.zeros(3, 5, 4), [5, 2, 1])}, "inputs"),
        ({"inputs": (torch.zeros(3, 5, 3), [5, 2])}, "lengths"),
        ({"inputs": (torch.zeros(3, 5, 3), [6, 2, 1])}, "lengths: not from 1 to 5"),
        ({"inputs": (torch.zeros(3, 5, 3), [5, 0, 1])}, "lengths: not from 1 to 5"),
        ({"inputs": (torch.zeros(0, 5, 3), [])}, "no sequence at all"),
        ({"inputs": (torch.zeros(3, 5, 3, device="meta"), [5, 2, 1])}, "not on the CPU"),
        ({"state": (torch.zeros(1, 4), torch.zeros(3, 4))}, "state h"),
        ({"masks": Masks(hidden=torch.ones(3, 5))}, "mask"),
        ({"masks": Masks(zoneout={"c": torch.ones(3, 4, 4)})}, "c: "),
    ],
)
def test_memory_that_is_not_there_is_not_read(changed, message):
    """Whatever has another shape than the C code would believe."""
    weights = CellWeights(make_cell(CELLS["lstm"]), 3)
    values, lengths = changed.get("inputs", (torch.zeros(3, 5, 3), [5, 2, 1]))
    inputs = Padded(values, torch.tensor(lengths, dtype=torch.int64))
    with pytest.raises(ValueError, match=message):
        ENGINES["native"]().run(weights, inputs, changed.get("state"), masks=changed.get("masks", Masks()))


def test_lengths_of_any_integer_type():
    ours = case("lstm", [5, 2, 4])
    short = ours._replace(inputs=Padded(ours.inputs.values, ours.inputs.lengths.to(torch.int32)))
    torch.testing.assert_close(short.run("native"), ours.run("native"))


def test_windows_is_told_that_it_does_not_run_there(monkeypatch):
    monkeypatch.setattr(library, "_LOADED", {})
    monkeypatch.setattr("sys.platform", "win32")
    choice = choose("auto", make_cell(CELLS["mut1"]))
    assert choice.name == "fused"
    assert "Linux and macOS" in choice.reason


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_precisions_that_it_has_no_code_for(dtype):
    weights = CellWeights(make_cell(CELLS["mut1"]), 3).to(dtype)
    with pytest.raises(ValueError, match="it has code for float32 and float64 alone"):
        ENGINES["native"]().run(weights, Padded(torch.zeros(1, 2, 3, dtype=dtype), torch.tensor([2])))
    stack = Stack(CELLS["mut1"], 3)
    assert stack.choice.name == "native"
    assert stack.to(dtype).choice.name == "fused"


@pytest.mark.parametrize("cell", ["lstm", "mut1", "layer_norm_lstm"])
def test_a_single_step_without_gradients(cell):
    ours = case(cell, [1, 1, 1])
    with torch.no_grad():
        torch.testing.assert_close(ours.run("native"), ours.run("loop"))
