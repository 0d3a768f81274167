"""Compiled once, kept for all processes, never loaded damaged, refused with one readable line."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rnncli
from rnncli.engines.native import compiler
from rnncli.engines.native.compiler import describe, library, why_not
from rnncli.errors import CompilerError

FOUND = [path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]
COMPILERS = list({Path(path).resolve(): path for path in FOUND}.values())
pytestmark = pytest.mark.skipif(not COMPILERS, reason="no C compiler: none of cc, gcc, clang is on PATH")

SOURCE = "int answer(void) { return 42; }"
COLD = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from rnncli.engines.native.compiler import library
print(library(sys.argv[1]).answer())
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of the libraries; not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.delenv("CC", raising=False)
    library.cache_clear()
    return tmp_path / "caches" / "rnncli" / "native"


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Puts a shell script in the place of the compiler; it finds the real one in $REAL, its own folder in $HERE."""

    def put(text: str) -> Path:
        path = tmp_path / "compiler"
        real, here = shlex.quote(COMPILERS[0]), shlex.quote(str(tmp_path))
        version = 'case "$*" in *--version) echo 1; exit;; esac'
        path.write_text(f"#!/bin/sh\nREAL={real} HERE={here}\n{version}\n{text}\n")
        path.chmod(0o700)
        monkeypatch.setenv("CC", shlex.quote(str(path)))
        return path

    return put


def start(source: str = SOURCE, package: Path = Path(rnncli.__file__).parent) -> subprocess.Popen[str]:
    """A fresh process that prints the answer of a source."""
    return subprocess.Popen(
        [sys.executable, "-c", COLD, source],
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=package.parent,
    )


def cold(source: str = SOURCE, **more: Path) -> int:
    process = start(source, **more)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return int(output)


def wait_for(path: Path, lines: int = 1) -> list[str]:
    end = time.monotonic() + 60
    while not path.exists() or len(path.read_text().splitlines()) < lines:
        assert time.monotonic() < end, f"{path.name} did not come"
        time.sleep(0.01)
    return path.read_text().splitlines()


def gone(process: int) -> bool:
    """Whether a process ended, or is about to be forgotten by the system."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False


def wait_gone(process: int) -> None:
    end = time.monotonic() + 30
    while not gone(process):
        assert time.monotonic() < end, "the compiler lives on"
        time.sleep(0.01)


def one_readable_line(error: BaseException) -> str:
    message = str(error)
    assert message.isprintable() and len(message) < 900
    return message


@pytest.mark.parametrize("name", COMPILERS)
def test_the_compiler_that_cc_names_compiles(name, folder, monkeypatch):
    monkeypatch.setenv("CC", f"{name} -DANSWER=7 '-DTWO=(1 + 1)'")
    assert library("int answer(void) { return 10 * ANSWER + TWO; }").answer() == 72
    assert why_not() is None
    about = describe()
    assert about.command.split()[0] == name and "-DANSWER=7" in about.command
    assert about.version and "\n" not in about.version
    (kept,) = folder.glob("*.so")
    assert (about.folder, about.libraries, about.kept_bytes) == (folder, 1, kept.stat().st_size)
    assert {path.name for path in folder.iterdir()} == {kept.name, "lock"}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", COMPILERS)
def test_nan_is_no_number_and_the_libraries_of_mathematics_and_threads_are_there(name, monkeypatch):
    monkeypatch.setenv("CC", name)
    code = """
    #include <math.h>
    #include <pthread.h>
    static void *work(void *value) { *(double *)value = lgamma(*(double *)value); return 0; }
    int answer(void) {
        volatile double nan = NAN, infinite = INFINITY, four = 4;
        double value = four;
        pthread_t thread;
        pthread_create(&thread, 0, work, &value);
        pthread_join(thread, 0);
        return (nan != nan) + 2 * (infinite - infinite != 0) + 4 * (fabs(value - log(6)) < 1e-12);
    }"""
    assert library(code).answer() == 7


def test_compiled_once_for_all_processes_and_anew_for_other_arguments(script, folder, monkeypatch):
    script('echo "$*" >> $HERE/log; exec $REAL "$@"')
    log = folder.parents[2] / "log"
    assert cold() == cold() == library(SOURCE).answer() == 42
    assert len(log.read_text().splitlines()) == 1
    assert "-march=native" in log.read_text() and "fast-math" not in log.read_text()
    monkeypatch.setenv("CC", os.environ["CC"] + " -DOTHER")
    assert cold() == 42 and cold("int answer(void) { return 43; }") == 43
    assert len(log.read_text().splitlines()) == len(list(folder.glob("*.so"))) == 3


def test_another_content_of_a_header_is_another_library(tmp_path, folder):
    package = Path(shutil.copytree(Path(rnncli.__file__).parent, tmp_path / "copy" / "rnncli"))
    header = package / "engines" / "native" / "runtime" / "answer_of_a_test.h"
    header.parent.mkdir(exist_ok=True)
    source = '#include "answer_of_a_test.h"\nint answer(void) { return ANSWER; }'
    for answer in (5, 6, 5):
        header.write_text(f"#define ANSWER {answer}\n")
        assert cold(source, package=package) == answer
    assert len(list(folder.glob("*.so"))) == 2


@pytest.mark.parametrize(("refused", "used"), [("-march", "-mcpu=native"), ("-m", "-O2")])
def test_a_compiler_that_does_not_know_march_native(refused, used, script, folder):
    script(f"""
    case $1 in {refused}*) echo "error: unsupported argument 'native' to option '$1'"; exit 1;; esac
    echo "$1" > $HERE/used; shift; exec $REAL "$@" """)
    assert library(SOURCE).answer() == 42
    assert (folder.parents[2] / "used").read_text().strip() == used


def test_an_error_in_the_source_is_named_and_reported_whole(folder):
    with pytest.raises(CompilerError, match=r"error.*absent_name") as caught:
        library("int answer(void) { return absent_name; }\n")
    report = folder / "last-error.txt"
    assert str(report) in one_readable_line(caught.value)
    assert "return absent_name; }" in report.read_text() and "-O2" in report.read_text()
    assert {path.name for path in folder.iterdir()} == {"last-error.txt", "lock"}


@pytest.mark.parametrize(
    "text",
    [
        "exit 1",
        r"printf 'a\033[1m\377\n\000error: \033[31mb'; head -c 5000 /dev/zero | tr '\0' x; exit 1",
        "head -c 5000 /dev/urandom; exit 1",
        "exit 0",
        'while [ "$1" != -o ]; do shift; done; : > $2',
        'while [ "$1" != -o ]; do shift; done; head -c 9000 /dev/urandom > $2',
        'while [ "$1" != -o ]; do shift; done; echo half > $2; exit 1',
        "kill -9 $$",
    ],
)
def test_compilers_that_make_nothing_of_use(text, script, folder):
    path = script(text)
    with pytest.raises(CompilerError, match="the C compiler") as caught:
        library(SOURCE)
    assert str(path) in one_readable_line(caught.value)
    assert {path.name for path in folder.iterdir()} <= {"last-error.txt", "lock"}
    assert caught.value.exit_code == 2


def test_no_compiler(tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    no_program = empty / "no_program"
    no_program.write_text("text")
    no_program.chmod(0o700)
    for name in ("absent-compiler -O1", str(empty / "absent"), "'cc"):
        monkeypatch.setenv("CC", name)
        with pytest.raises(CompilerError, match="CC=") as caught:
            library(SOURCE)
        assert why_not() == one_readable_line(caught.value)
    monkeypatch.setenv("CC", str(no_program))
    with pytest.raises(CompilerError, match="can't be started"):
        library(SOURCE)
    monkeypatch.setenv("CC", "")
    monkeypatch.setenv("PATH", str(empty))
    with pytest.raises(CompilerError, match="no C compiler") as caught:
        library(SOURCE)
    assert why_not() == one_readable_line(caught.value)
    with pytest.raises(CompilerError, match="no C compiler"):
        describe()


def test_a_compiler_that_hangs_is_ended_with_its_children(script, folder, monkeypatch):
    script("sleep 600 & echo $! > $HERE/child; wait")
    monkeypatch.setattr(compiler, "TIMEOUT", 1.0)
    with pytest.raises(CompilerError, match="did not end within"):
        library(SOURCE)
    wait_gone(int(wait_for(folder.parents[2] / "child")[0]))
    assert {path.name for path in folder.iterdir()} == {"lock"}


@pytest.mark.parametrize("length", [0, 1, 64, 4096, 10_000, -1, None])
def test_a_damaged_library_is_made_anew(length, folder, script):
    script('echo x >> $HERE/log; exec $REAL "$@"')
    assert cold() == 42
    (kept,) = folder.glob("*.so")
    whole = kept.read_bytes()
    damaged = whole[:length] if length is not None else os.urandom(len(whole))
    assert damaged != whole
    kept.write_bytes(damaged)
    kept.with_name(kept.name.partition("-")[0] + f"-{'0' * 64}.so").write_bytes(damaged)
    assert cold() == cold() == 42
    assert [path.stat().st_size for path in folder.glob("*.so")] == [len(whole)]
    assert len((folder.parents[2] / "log").read_text().splitlines()) == 2


def test_processes_at_once_compile_once(script, folder):
    script("""
    echo x >> $HERE/compiling
    while [ ! -e $HERE/go ]; do sleep 0.02; done
    exec $REAL "$@" """)
    here = folder.parents[2]
    processes = [start() for _ in range(3)]
    wait_for(here / "compiling")
    (here / "go").touch()
    assert [process.communicate(timeout=60) for process in processes] == [("42\n", "")] * 3
    assert (here / "compiling").read_text() == "x\n"
    assert len(list(folder.glob("*.so"))) == 1
    assert {path.name for path in folder.iterdir() if path.suffix != ".so"} == {"lock"}


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_ended_in_the_middle(end, script, folder):
    slow = script("""
    while [ "$1" != -o ]; do shift; done; echo half > $2
    echo $$ >> $HERE/compiling; exec sleep 600""")
    process = start()
    child = int(wait_for(folder.parents[2] / "compiling")[0])
    process.send_signal(end)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert ("KeyboardInterrupt" in errors) == (end == signal.SIGINT)
    if end == signal.SIGKILL:  # nobody is left to end it
        (left,) = folder.glob("compiling-*")
        os.kill(child, signal.SIGKILL)
        two_hours_ago = time.time() - 7200
        os.utime(left, (two_hours_ago, two_hours_ago))
    wait_gone(child)
    slow.write_text(f'#!/bin/sh\nexec {shlex.quote(COMPILERS[0])} "$@"\n')
    if end == signal.SIGINT:
        assert {path.name for path in folder.iterdir()} == {"lock"}
    assert cold() == 42
    (kept,) = folder.glob("*.so")
    assert {path.name for path in folder.iterdir()} == {kept.name, "lock"}
