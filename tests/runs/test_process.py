"""What a command does to the memory of its process."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys

import pytest

from rnncli.runs.process import things_that_last

FAULTS_OF_A_SECOND_ROUND = """
import resource, sys
import numpy as np
from rnncli.runs.process import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(2):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.ones(3_000_000) for _ in range(10)]  # 24 MB each
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.parametrize("ends_well", [True, False])
def test_what_lasts_is_never_collected_and_what_follows_is(ends_well):
    class Knot:
        def __init__(self) -> None:
            self.itself = self

    def knots() -> int:
        return sum(isinstance(each, Knot) for each in gc.get_objects())

    frozen = gc.get_freeze_count()
    kept = []
    try:
        with things_that_last():
            assert not gc.isenabled()
            kept.append(Knot())
            if not ends_well:
                raise ValueError
    except ValueError:
        pass
    try:
        assert gc.isenabled() and gc.get_freeze_count() > frozen
        assert knots() == 0, "the collector still looks at it"
        Knot()
        assert knots() == 1
        gc.collect()
        assert knots() == 0
    finally:
        gc.unfreeze()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_freed_memory_is_kept_for_the_next_step():
    def faults(mode: str) -> int:
        command = [sys.executable, "-c", FAULTS_OF_A_SECOND_ROUND, mode]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    pages = 10 * 24_000_000 // 4096
    assert faults("kept") < pages / 20
    assert faults("returned") > pages / 20
