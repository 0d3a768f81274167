"""The threads of all libraries: torch's own where they can be had, so that nobody's wait for another's."""

from __future__ import annotations

import ctypes
import functools
from contextlib import suppress
from pathlib import Path

from rnncli.engines.native.compiler import RUNTIME, library

_OPENMP = ("GOMP_parallel", "omp_get_num_threads", "omp_get_thread_num", "omp_get_max_threads")


def join(code: ctypes.CDLL) -> None:
    """Gives a cell's library its threads.

    Raises:
        CompilerError: the library of the pool can't be compiled here.
    """
    code.team_join.argtypes, code.team_join.restype = [ctypes.c_void_p], None
    code.team_join(_team())


@functools.cache
def _team() -> int:
    pool = library((RUNTIME / "team.c").read_text(encoding="utf-8"))
    openmp = openmp_of_torch()
    if openmp is not None:
        pool.team_use.argtypes, pool.team_use.restype = [ctypes.c_void_p] * len(_OPENMP), None
        pool.team_use(*(ctypes.cast(openmp[name], ctypes.c_void_p) for name in _OPENMP))
    pool.team_shared.restype = ctypes.c_void_p
    address: int = pool.team_shared()
    return address


def openmp_of_torch() -> ctypes.CDLL | None:
    """GNU's OpenMP, which torch has loaded, or None: its threads go on spinning for a while after each of torch's
    operations, and others would have to wait for them to leave the core."""
    maps = Path("/proc/self/maps")
    with suppress(OSError):
        lines = maps.read_text(encoding="utf-8", errors="replace").splitlines()
        found = {line.split(maxsplit=5)[5] for line in lines if "libgomp" in line}
        if len(found) == 1:
            return ctypes.CDLL(found.pop())
    return None
