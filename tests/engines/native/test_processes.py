"""The engine native and its surroundings: memory, forks, callers at once, compilers that fail."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from engines.native.test_native import drawn, everything
from engines.test_engines import CELLS, NEEDS
from rnncli.cells import make_cell
from rnncli.engines.choice import choose
from rnncli.engines.engine import Wanted
from rnncli.engines.native import library as loaded
from rnncli.engines.native.compiler import library
from rnncli.errors import UserError

pytestmark = NEEDS["native"]

START = """
import os, resource, sys
import torch
from rnncli.cells import make_cell
from rnncli.cells.families.lstm import LSTM
from rnncli.cells.weights import CellWeights
from rnncli.engines.choice import choose
from rnncli.sequences import Padded

torch.set_num_threads(2)
torch.manual_seed(0)
weights = CellWeights(make_cell(LSTM.settings_type(type="lstm", hidden_size=64)), 32)
engine = choose("native", weights.cell).engine

def run(batch=16, time=60):
    values = torch.ones(batch, time, 32, requires_grad=True)
    outputs, _ = engine.run(weights, Padded(values, torch.full((batch,), time)))
    outputs.values.square().mean().backward()
    return values.grad.sum().item()
"""


def in_a_process(code):
    process = subprocess.run(
        [sys.executable, "-c", START + code], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.split()


def test_nothing_leaks():
    """2 MB are kept for each backward pass; that of half the runs never comes."""
    (grown,) = in_a_process("""
def runs(count):
    for _ in range(count):
        run()
        engine.run(weights, Padded(torch.ones(16, 60, 32), torch.full((16,), 60)))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

print(-runs(20) + runs(200))
""")
    assert int(grown) // (1024 if sys.platform == "darwin" else 1) < 24 * 1024


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("batch", [2, 16])
def test_a_forked_child_runs_as_its_parent_did(batch):
    """In groups and with shared panels, after both torch and native have started threads in the parent.

    All tensors are too small for torch's own operations to use threads, which wait for ever in a forked child.
    """
    parent, child = in_a_process(f"""
torch.ones(2_000_000).exp().sum()
expected = run({batch}, time=20)
sys.stdout.flush()
print(expected, flush=True)
child = os.fork()
if child == 0:
    print(run({batch}, time=20), flush=True)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert run({batch}, time=20) == expected
""")
    assert parent == child


@pytest.mark.parametrize("count", [1, 2, 3])
def test_callers_at_once_get_what_they_get_alone(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        cases = [drawn("lstm", 70, lengths=lengths) for lengths in ([3, 2], [4] * 20, [1, 5, 3], [6])] * 3
        alone = [everything(each) for each in cases]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(everything, cases))
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(together, alone)


def test_what_is_kept_is_freed_by_the_backward_pass_while_outputs_live():
    gc.disable()  # by references alone
    try:
        ours = drawn("lstm", 7)
        outputs, final = ours.run("native")
        node = final[0].grad_fn
        (kept,) = [weakref.ref(each) for each in node.saved_tensors if each is not None and each.dim() == 1][:1]
        assert kept() is not None
        (outputs.sum() + final[0].sum()).backward()
        assert kept() is None
    finally:
        gc.enable()


def test_nothing_is_kept_where_no_backward_pass_comes():
    ours = drawn("lstm", 7)
    with torch.no_grad():
        outputs, _ = ours.run("native")
    assert outputs.grad_fn is None and not outputs.requires_grad
    for each in (ours.inputs.values, *ours.state, *ours.weights.parameters()):
        each.requires_grad_(False)
    assert not ours.run("native")[0].requires_grad


@pytest.fixture
def anew(monkeypatch, tmp_path):
    """Nothing is compiled yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(loaded, "_LOADED", {})
    library.cache_clear()
    yield
    library.cache_clear()


@pytest.mark.parametrize(("cell", "next_best"), [("lstm", "torch"), ("gru-after", "fused"), ("mut1", "fused")])
@pytest.mark.parametrize("compiler", ["fails", "makes no library"])
@pytest.mark.usefixtures("anew")
def test_a_compiler_that_fails_is_named_and_another_engine_taken(cell, next_best, compiler, monkeypatch, tmp_path):
    if compiler == "fails":
        monkeypatch.setenv("CC", "false")
        said = "the C compiler .*false failed: exit status 1 and no library"
    else:
        script = tmp_path / "compiler"
        script.write_text('#!/bin/sh\nwhile [ $# -gt 1 ]; do [ "$1" = -o ] && echo junk > "$2"; shift; done\n')
        script.chmod(0o700)
        monkeypatch.setenv("CC", str(script))
        said = "what the C compiler .* made can't be loaded: "
    choice = choose("auto", make_cell(CELLS[cell]))
    assert choice.name == next_best
    assert choice.reason.startswith("native can't: ")
    assert choice.reason.isprintable()
    with pytest.raises(UserError, match=f"engine native can't run this model: {said}"):
        choose("native", make_cell(CELLS[cell]))
    assert choose("auto", make_cell(CELLS["lstm"]), Wanted(zoneout=True)).name == "fused"
