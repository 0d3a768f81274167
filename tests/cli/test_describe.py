"""What `describe` says of a cell, a config and a run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from rnncli.cells import CELLS
from rnncli.engines.choice import choose
from rnncli.engines.engine import ENGINES

RNNCLI = str(Path(sys.executable).with_name("rnncli"))

MY_CELL = '''\
from rnncli.cells import Cell, sigmoid, tanh


class Leaky(Cell):
    """Forgets at a rate that it learns."""

    def step(self, x, state, U, p, gate):
        (h,) = state
        k = gate.k(sigmoid(p.k), "keep")
        return (k * h + (1 - k) * tanh(x.a + U.a(h)),)
'''


@pytest.mark.parametrize("name", list(CELLS))
def test_every_cell_is_described(rnncli, name):
    code, out, err = rnncli("describe", "cell", name, "--hidden-size", 6)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == name
    heads = [line.split(":")[0] for line in lines[1:] if line and not line.startswith(" ")]
    assert heads == [
        "equations",
        "states",
        "parameters",
        "matrix products",
        "floating-point operations of a step of one sequence",
        "engines",
    ]
    cell = CELLS[name](CELLS[name].settings_type(type=name, hidden_size=6))
    assert len(re.findall("(?:keep|write|read) gate$", out, re.M)) == len(cell.graph.gates)
    assert CELLS[name].about(name) in " ".join(out.split())
    chosen = choose("auto", cell)
    assert f"auto takes {chosen.name}: {chosen.reason}" in out
    assert all(re.search(rf"^    {engine} +(?:runs it|does not: \w+)", out, re.M) for engine in ENGINES)


def test_rows_of_the_lstm_and_its_forget_bias(rnncli):
    options = ("--hidden-size", 8, "--input-size", 3, "--set", "forget_bias=1")
    out = rnncli("describe", "cell", "lstm", *options).out
    assert "parameters: 4hi + 4h² + 4h = 384 with h = 8 units, i = 3 inputs" in out
    rows = [line.split()[:3] for line in out.split("weight_ih (32, 3)\n")[1].splitlines()[:4]]
    assert [(block, place) for block, _, place in rows] == [
        ("W_i", "0:8"),
        ("W_f", "8:16"),
        ("W_g", "16:24"),
        ("W_o", "24:32"),
    ]
    assert "b_f  rows  8:16  uniform ±1/√h, plus 1\n" in out
    assert out.count("plus") == 1


def test_options_of_a_cell_change_what_is_said(rnncli):
    before = rnncli("describe", "cell", "gru", "--set", "reset=before").out
    after = rnncli("describe", "cell", "gru", "--set", "model.cell.reset=after").out
    assert "U_n (r_t ⊙ h_{t-1})" in before and "stage 2 of each step: [U_n] (r_t ⊙ h_{t-1})" in before
    assert "r_t ⊙ (U_n h_{t-1} + p_hn)" in after and "stage 2" not in after
    assert re.search("^    torch +does not: it has no kernel for gru with reset: before$", before, re.M)
    started = rnncli("describe", "cell", "gru", "--set", "initialization={U: {type: orthogonal}, b_z: 1}").out
    assert len(re.findall("U_[rzn] .* orthogonal$", started, re.M)) == 3
    assert re.search("b_z .* constant 1$", started, re.M)
    ways = "initialization={W: {type: uniform, low: -0.1, high: 0.1}, U: {type: uniform, scale: 2}, b_z: uniform}"
    started = rnncli("describe", "cell", "gru", "--set", ways).out
    assert len(re.findall("W_[rzn] .* uniform -0.1 to 0.1$", started, re.M)) == 3
    assert len(re.findall("U_[rzn] .* uniform ±2/√h$", started, re.M)) == 3
    assert len(re.findall("b_[rzn] .* uniform ±1/√h$", started, re.M)) == 3


def test_what_is_given_goes_before_what_a_cell_asks_for(rnncli):
    out = rnncli("describe", "cell", "irnn", "--set", "initialization.U=orthogonal").out
    assert re.search("U_a +orthogonal$", out, re.M)
    assert re.search("W_a +normal std 0.001$", out, re.M)


def test_latex_alone(rnncli):
    code, out, err = rnncli("describe", "cell", "rnn", "--latex")
    assert (code, err) == (0, "")
    assert out == "\\begin{aligned}\n  h_t &= \\tanh(W_a x_t + U_a h_{t-1} + b_a)\n\\end{aligned}\n"


def test_a_cell_of_the_users_own(rnncli, folder):
    (folder / "my_cell.py").write_text(MY_CELL)
    code, out, err = rnncli("describe", "cell", "my_cell.py", "--hidden-size", 4)
    assert (code, err) == (0, "")
    assert out.startswith("Leaky\n    Forgets at a rate that it learns.\n")
    assert "k_t = σ(p_k)" in out and "h_t = k_t ⊙ h_{t-1} + (1 - k_t) ⊙ a_t" in out


def test_a_pipe_gets_whole_plain_lines():
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    for arguments in (["cell", "lstm_fgr"], []):
        done = subprocess.run([RNNCLI, "describe", *arguments], check=True, capture_output=True, env=environment)
        out = done.stdout.decode()
        assert "\x1b" not in out and "…" not in out
        assert max(map(len, out.splitlines())) > 80


def test_describe_a_config(rnncli, folder):
    code, out, err = rnncli("describe", "config.yaml", "--set", "model.bidirectional=true", "--limit", 16)
    assert (code, err) == (0, "")
    [checked] = re.findall(
        r"model: ([\d,]+) parameters",
        rnncli("check", "config.yaml", "--limit", 16, "--set", "model.bidirectional=true").out,
    )
    assert f"\nparameters: {checked}\n" in out
    rows = {
        match[1]: match for match in re.finditer(r"^(\w\S*(?: \S+)*)  .*?(\([\d, ]+\))(?:  +([\d,]+))?$", out, re.M)
    }
    time = int(re.search(r"^\w+ +input +\(16, (\d+)\)$", out, re.M)[1])
    shapes = {name: row[2] for name, row in rows.items()}
    assert shapes["inputs.tokens"] == f"(16, {time}, 8)"
    assert shapes["stack layer 1 forward"] == shapes["stack layer 1 backward"] == f"(16, {time}, 8)"
    assert shapes["stack"] == f"(16, {time}, 16)"
    assert (shapes["pooling"], shapes["head"]) == ("(16, 16)", "(16, 2)")
    counts = [int(row[3].replace(",", "")) for row in rows.values() if row[3]]
    assert sum(counts) == int(checked.replace(",", ""))
    # 2 directions of a GRU: products with the input and the state, and 15 operations a unit
    assert f"recurrent layers: {2 * (2 * 24 * 8 + 2 * 24 * 8 + 15 * 8):,} floating-point" in out


@pytest.mark.parametrize("name", ["residual", "highway"])
def test_what_joins_the_layers_stands_between_them(rnncli, folder, name):
    changes = ("model.layers=3", f"model.connections={name}", "model.bidirectional=true")
    out = rnncli("describe", "config.yaml", "--limit", 16, *(word for each in changes for word in ("--set", each))).out
    rows = re.findall(r"^stack (layer \d \w+).*?(?:  +([\d,]+))?$", out, re.M)
    # the input of the first layer is as wide as one direction, so there is nothing to join
    assert [row for row, _ in rows] == [
        *("layer 1 forward", "layer 1 backward"),
        *("layer 2 forward", "layer 2 backward", "layer 2 joined"),
        *("layer 3 forward", "layer 3 backward", "layer 3 joined"),
    ]
    count = {"residual": "", "highway": "272"}[name]
    assert {found for row, found in rows if row.endswith("joined")} == {count}


def test_the_matrix_before_a_cell_that_reads_its_input_is_counted(rnncli, folder):
    out = rnncli(
        "describe", "config.yaml", "--limit", 16, "--set", "model.cell={type: mut1, hidden_size: 4, project: true}"
    ).out
    assert "projection (4, 8)" in out
    # 2 matrices after the projection, 2 of the state, and 14 operations a unit
    assert f"recurrent layers: {2 * (4 * 8 + 2 * 4 * 4 + 2 * 4 * 4) + 14 * 4:,} floating-point" in out


def test_describe_a_run(rnncli, folder, trained):
    code, out, err = rnncli("describe", trained)
    assert (code, err) == (0, "")
    weights = load_file(trained / "weights.safetensors")
    assert f"\nparameters: {sum(weight.numel() for weight in weights.values()):,}\n" in out
    for weight in weights.values():
        assert f" {tuple(weight.shape)}\n" in out
    assert out == rnncli("describe", trained / "config.yaml").out


def test_describe_a_run_whose_data_have_changed(rnncli, folder):
    assert rnncli("train", "config.yaml", "--out", "r", "--quiet", "--set", "training.epochs=1").code == 0
    with (folder / "train.csv").open("a") as file:
        file.write("new,a few new words,good\n")
    code, out, err = rnncli("describe", "r")
    assert (code, out) == (2, "") and "r: the data have changed since the run was trained" in err
    assert rnncli("describe", "r/config.yaml").code == 0


MISTAKES = {
    "cels": "did you mean 'cells'?",
    "cell lstn": "did you mean 'lstm'?",
    "cell nowhere.py": "nowhere.py: no such file",
    "cell gru --set rest=before": "--set rest=before: unknown key 'rest'; did you mean 'reset'?",
    "cell gru --set reset": "--set reset: expected key=value",
    "cell gru --set reset=later --hidden-size 0": "--hidden-size: must be greater than 0",
    "cell mut1 --input-size 3": "--set project=true",
    "cell lstm --input-size 0": "--input-size",
    "cell lstm --limit 3": "--limit goes with CONFIG, not with cell",
    "cells --latex": "--latex goes with cell, not with cells",
    "--latex": "--latex goes with cell",
    "cells lstm": "cells takes no key",
    "confg.yaml": "did you mean 'config.yaml'?",
    "config.yaml lstm": "config.yaml takes no key",
    "config.yaml --set model.layer=2": "did you mean 'layers'?",
    ".": "not a run directory",
    "{run} --set model.layers=2": "--set goes with cell or CONFIG, not with RUN",
}


@pytest.mark.parametrize("arguments", MISTAKES)
def test_mistakes(rnncli, folder, trained, arguments):
    code, out, err = rnncli("describe", *(word.format(run=trained) for word in arguments.split()))
    assert (code, out) == (2, "")
    assert MISTAKES[arguments] in err
