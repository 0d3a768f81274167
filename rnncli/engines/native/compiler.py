"""C source to a loaded library, by the compiler of this machine; compiled once, kept in the user's cache."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from rnncli.engines.native import cache
from rnncli.errors import CompilerError

RUNTIME = Path(__file__).parent / "runtime"
FLAGS = ("-O2", "-fno-math-errno", "-fno-trapping-math", "-std=gnu11", "-shared", "-fPIC", "-pthread")
"""Never -ffast-math: NaN and infinity must come through as they are."""
ARCHITECTURES = (("-march=native",), ("-mcpu=native",), ())
"""Tried in this order: not every compiler knows the first on every processor."""
TIMEOUT = 120.0
"""Seconds that a compiler may take."""


@dataclass(frozen=True)
class Compilation:
    """What C code is compiled with here, and where the result is kept.

    `flags` are those tried first; `kept_bytes` is the size of the kept `libraries` together.
    """

    command: str
    version: str
    flags: str
    folder: Path
    libraries: int
    kept_bytes: int


@functools.cache
def library(source: str) -> ctypes.CDLL:
    """The library of a C source, which may include the headers of `runtime/`; compiled where it is not kept yet.

    Raises:
        CompilerError: no compiler, one that fails, or no safe place for what it makes.
    """
    command = _command()
    folder = cache.ready_folder()
    with cache.readable(folder):
        key = _key(source, command, folder)
        loaded = _kept(folder, key)
        if loaded is None:
            with cache.in_turn(folder, TIMEOUT):
                loaded = _kept(folder, key)  # another process may have made it meanwhile
                if loaded is None:
                    loaded = _compiled(source, command, folder, key)
    return loaded


def why_not() -> str | None:
    """Why nothing can be compiled on this machine, as far as can be said without trying; else None."""
    if sys.platform == "win32":
        return "native runs on Linux and macOS"
    try:
        _command()
        cache.checked_place()
    except CompilerError as error:
        return str(error)
    return None


def describe() -> Compilation:
    """What `library` uses.

    Raises:
        CompilerError: no compiler, or no safe place for what it makes.
    """
    command = _command()
    folder = cache.ready_folder()
    sizes = cache.sizes(folder)
    version = _version(command, folder).partition("\n")[0]
    flags = " ".join((*ARCHITECTURES[0], *FLAGS))
    return Compilation(shlex.join(command), version, flags, folder, len(sizes), sum(sizes))


def _command() -> tuple[str, ...]:
    """The compiler, by its whole path, and the arguments that CC gives it.

    Raises:
        CompilerError: there is none.
    """
    named = os.environ.get("CC", "")
    try:
        words = shlex.split(named)
    except ValueError as error:
        raise CompilerError(f"CC={named}: can't be split into words ({error})") from error
    for name in words[:1] or ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return (str(Path(path).absolute()), *words[1:])
    if words:
        raise CompilerError(f"CC={named}: there is no program {words[0]!r}; CC names the C compiler")
    raise CompilerError("no C compiler: none of cc, gcc, clang is on PATH, and CC names none")


def _key(source: str, command: tuple[str, ...], folder: Path) -> str:
    """A hash of all that the compiled code depends on."""
    headers = {path.name: path.read_text(encoding="utf-8") for path in sorted(RUNTIME.glob("*.h"))}
    machine = (platform.machine(), platform.libc_ver(), _processor())
    parts = (source, headers, command, _version(command, folder), ARCHITECTURES, FLAGS, machine)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@functools.cache
def _version(command: tuple[str, ...], folder: Path) -> str:
    return _run((*command, "--version"), "", folder, folder)[1]


@functools.cache
def _processor() -> str:
    """The model of the processor and what it can do."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        if sys.platform != "darwin":
            return platform.processor()
        asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    # The other lines are of one core or change from hour to hour: its number, its frequency, the microcode.
    lasting = re.compile(r"vendor_id|cpu family|model|flags|Features|CPU |cpu\s*:|isa|uarch", re.IGNORECASE)
    return "\n".join(line for line in first.splitlines() if lasting.match(line) and "MHz" not in line)


def _kept(folder: Path, key: str) -> ctypes.CDLL | None:
    path = cache.find(folder, key)
    if path is None:
        return None
    try:
        return ctypes.CDLL(str(path))
    except OSError:  # just removed by another process, or the system changed below it: made anew
        return None


def _compiled(source: str, command: tuple[str, ...], folder: Path, key: str) -> ctypes.CDLL:
    with cache.unfinished(folder) as place:
        result = place / "library.so"
        for architecture in ARCHITECTURES:
            flags = (*architecture, *FLAGS, f"-I{RUNTIME}")
            run = (*command, *flags, "-o", str(result), "-x", "c", "-", "-lm")
            status, output = _run(run, source, folder, place)
            if status == 0 or "native" not in output:
                break
        if status != 0 or not result.is_file() or not result.stat().st_size:
            report = folder / "last-error.txt"
            unfinished = place / report.name
            unfinished.write_text(f"{shlex.join(run)}\n\n{output}\n\n{source}", encoding="utf-8")
            unfinished.replace(report)
            raise CompilerError(f"the C compiler {command[0]} failed: {_reason(status, output)} (all of it: {report})")
        path = cache.keep(folder, key, result)
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        path.unlink(missing_ok=True)
        raise CompilerError(f"what the C compiler {command[0]} made can't be loaded: {error}") from error


def _run(command: tuple[str, ...], source: str, folder: Path, temporary: Path) -> tuple[int, str]:
    """The exit status and output of a compiler that reads `source`; it and its children end with this call.

    Raises:
        CompilerError: it can't be started, or takes too long.
    """
    environment = {**os.environ, "LC_ALL": "C", "TMPDIR": str(temporary)}
    # Files, not pipes: a child that outlives the compiler could keep a pipe open for ever.
    with TemporaryFile(dir=folder) as given, TemporaryFile(dir=folder) as output:
        given.write(source.encode())
        given.seek(0)
        # Ctrl-C waits until there is a process to end.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process = subprocess.Popen(
                command, stdin=given, stdout=output, stderr=output, env=environment, start_new_session=True
            )
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            raise CompilerError(f"the C compiler {command[0]} can't be started: {error.strerror}") from error
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            status = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired as error:
            raise CompilerError(f"the C compiler {command[0]} did not end within {TIMEOUT:.0f} seconds") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):  # it ended in this moment
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        return status, output.read().decode(errors="replace")


def _reason(status: int, output: str) -> str:
    """The line of the output that says most."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if not lines:
        return f"exit status {status} and no library"
    line = next((line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)), lines[0])
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:300]
