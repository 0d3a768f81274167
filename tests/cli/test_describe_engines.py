"""Which engines there are and what serves where nothing can be compiled, as real processes say it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rnncli.engines.choice  # noqa: F401  (registers the engines)
from rnncli.engines.engine import ENGINES

RNNCLI = str(Path(sys.executable).with_name("rnncli"))
COMPILER = shutil.which("cc")
needs_a_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler `cc` on PATH")

NO_COMPILER = {
    "a compiler that fails": ({"CC": "/bin/false"}, "the C compiler /bin/false failed: exit status 1"),
    "none on PATH": ({"PATH": ""}, "no C compiler: none of cc, gcc, clang is on PATH"),
}
NOT_NATIVE = [name for name in ENGINES if name != "native"]


def rnncli_process(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """`rnncli ARGUMENTS` with its output in pipes."""
    names = ("PATH", "HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return subprocess.run(
        [RNNCLI, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**kept, "OMP_NUM_THREADS": "1", **more},
    )


def timed(out: str) -> dict[str, list[float]]:
    """The milliseconds of each engine."""
    table = out.split("milliseconds")[1]
    return {
        name: [float(word) for word in words.split()]
        for name, words in re.findall(r"^    (\w+) +(\d+\.\d+ +\d+\.\d+)$", table, re.M)
    }


@needs_a_compiler
def test_what_this_machine_has():
    done = rnncli_process("describe", "engines")
    assert (done.returncode, done.stderr) == (0, "")
    out = done.stdout
    assert "\x1b" not in out
    for name, engine in ENGINES.items():
        sentence = (engine.__doc__ or "").split("\n\n")[0]
        assert f"{name} {' '.join(sentence.split())}" in " ".join(out.split())
    version = subprocess.run(["cc", "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    assert f"compiler    {Path(str(COMPILER)).absolute()}: {version}\n" in out
    macros = subprocess.run(
        ["cc", "-march=native", "-dM", "-E", "-"], check=False, capture_output=True, text=True, input=""
    ).stdout
    floats = 16 if "__AVX512F__" in macros else 8 if "__AVX__" in macros else 4
    assert f": {floats} floats or {floats // 2} doubles at once\n" in out
    assert re.search("^    threads +1, ", out, re.M)
    count, folder = re.findall(r"^    (\d+) libraries of [\d.]+ MB kept in (.+)$", out, re.M)[0]
    assert len(list(Path(folder).glob("*.so"))) >= int(count) >= 8
    assert Path(folder).parts[-2:] == ("rnncli", "native")
    compared = re.findall(r"^    (\w+) +(float|double) +(\S+) +(\S+)$", out, re.M)
    assert [name for name, *_ in compared] == ["lstm", "lstm", "gru", "gru", "mut1", "mut1"]
    for _, real, *differences in compared:
        smallest, greatest = {"double": (0, 1e-13), "float": (1e-9, 1e-5)}[real]
        assert all(smallest < float(each) < greatest for each in differences)
    assert list(timed(out)) == list(ENGINES)
    assert all(each > 0 for times in timed(out).values() for each in times)


@needs_a_compiler
@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        pytest.param("s:v_tanh(:v_tanh((REAL)0 / 0 * :", "lstm, gru, mut1", marks=pytest.mark.slow),  # not a number
        ("s/= r_t - r_t . r_t;/= r_t;/", "gru, mut1"),  # gradients alone
        pytest.param(  # single precision alone
            "/REAL float/,$ s/v_sigmoid(/v_sigmoid((REAL)1.01 * /", "lstm, gru, mut1", marks=pytest.mark.slow
        ),
    ],
)
def test_a_compiler_whose_code_is_wrong(tmp_path, change, wrong):
    compiler = tmp_path / "my-cc"
    compiler.write_text(
        "#!/bin/sh\n"
        f"""for each; do [ "$each" = -x ] && exec sh -c 'sed "{change}" | cc "$@" -O0' sh "$@"; done\n"""
        'exec cc "$@"\n'
    )
    compiler.chmod(0o755)
    done = rnncli_process("describe", "engines", CC=str(compiler), XDG_CACHE_HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"rnncli: engine native gives wrong results here, for {wrong}: set model.engine: fused, or let CC name another "
        f"compiler than {compiler}\n"
    )


@pytest.mark.parametrize("case", NO_COMPILER)
def test_nothing_can_be_compiled(tmp_path, case):
    more, reason = NO_COMPILER[case]
    done = rnncli_process("describe", "engines", XDG_CACHE_HOME=str(tmp_path), **more)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = [each for each in done.stdout.splitlines() if "can't" in each]
    assert line.startswith(f"native can't be used here: {reason}")
    assert line.endswith("; auto takes torch for lstm, fused for gru and mut1")
    assert list(timed(done.stdout)) == NOT_NATIVE


@pytest.mark.parametrize("case", ["a compiler that fails", pytest.param("none on PATH", marks=pytest.mark.slow)])
def test_a_run_says_once_why_it_is_not_native(folder, tmp_path, case):
    more, reason = NO_COMPILER[case]
    more = more | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = rnncli_process("train", "config.yaml", "--out", "r", "--set", "model.layers=2", **more)
    assert (done.returncode, done.stderr) == (0, "")
    first, *_ = done.stdout.split("epoch 1")
    assert f"; engine fused (native can't: {reason}" in first
    assert done.stdout.count("native can't") == done.stdout.count(reason) == 1
    assert f"engine fused (native can't: {reason}" in Path("r/log.txt").read_text()
    summary = json.loads(Path("r/summary.json").read_text())
    assert summary["engine"] == "fused" and summary["engine_reason"].startswith(f"native can't: {reason}")
    for command in ("check", "describe"):
        done = rnncli_process(command, "config.yaml", **more)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(re.findall(f"engine:? fused \\(native can't: {reason}", done.stdout)) == 1


@pytest.mark.slow
@needs_a_compiler
def test_a_run_that_goes_on_without_a_compiler_says_that_bits_may_differ(folder):
    done = rnncli_process("train", "config.yaml", "--out", "r")
    assert (done.returncode, done.stderr) == (0, "")
    assert "; engine native (the fastest that runs this cell on cpu); " in done.stdout and "can't" not in done.stdout
    assert json.loads(Path("r/summary.json").read_text())["engine"] == "native"
    again = ("train", "r", "--resume", "--set")
    same = rnncli_process(*again, "training.epochs=3")
    other = rnncli_process(*again, "training.epochs=4", CC="/bin/false")
    assert (same.returncode, other.returncode) == (0, 0)
    assert "bits may differ" not in same.stdout
    assert "the run was begun with engine native, now fused: bits may differ\n" in other.stdout


@pytest.mark.parametrize("case", NO_COMPILER)
def test_native_asked_for_without_a_compiler_is_a_mistake(folder, tmp_path, case):
    more, reason = NO_COMPILER[case]
    more = more | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = rnncli_process("train", "config.yaml", "--out", "r", "--set", "model.engine=native", **more)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith(f"rnncli: engine native can't run this model: {reason}") and "engine: auto" in line
