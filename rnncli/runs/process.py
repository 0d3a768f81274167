"""How the process of a command deals with its memory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# malloc.h of glibc; 32 MiB is the most it takes for the first.
_MMAP_THRESHOLD, _LARGEST_ON_HEAP = -3, 2**25
_TRIM_THRESHOLD, _KEPT = -1, 2**30


@contextmanager
def things_that_last() -> Iterator[None]:
    """Within, all that is made is taken to last to the end of the process, as imported modules and data do.

    Python's collector would look through the hundred thousands of objects of torch again and again while they are
    made, and once more at the end of the process: half as long as `import torch` itself takes.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collected:
            gc.enable()


def keep_freed_memory() -> None:
    """Memory that one step frees stays with the process for the next, up to 1 GiB, where the C library is glibc.

    It would give large blocks back to the system, which then has to clear as many pages again in every step; of more
    than 32 MiB it does so in any case. Settings of the user's own (MALLOC_..._ in the environment) stand.
    """
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    import ctypes  # `rnncli --help` need not wait for it

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        # Either of them alone ends glibc's own adaptation of both, and makes it worse.
        mallopt(_MMAP_THRESHOLD, _LARGEST_ON_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)
