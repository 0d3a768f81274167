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

from rnncli.engines.choice import choose
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
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")}
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
        sentence = re.split(r"(?<=[.;:]) ", " ".join((engine.__doc__ or "").split()))[0]
        assert f"\n{name} {sentence}" in "\n" + re.sub(r"\n {4}| {4}", " ", out).replace("\n ", " ")
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
    assert Path(folder).is_relative_to(os.environ["XDG_CACHE_HOME"])
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
        ("s/v_tanh(/v_sigmoid(/", "lstm, gru, mut1"),
        ("s/^INLINE V v_positive/& __attribute__((unused))/; s/#define REAL float/& \\n#define sizeof(x) sizeof(x)/", ""),
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
