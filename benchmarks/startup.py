"""Time of `rnncli --help` against `python -c "import torch"`: whole processes, in turn.

python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    rnncli = [str(Path(sys.executable).with_name("rnncli")), "--help"]
    torch = [sys.executable, "-c", "import torch"]
    pairs = [(seconds(rnncli), seconds(torch)) for _ in range(11)]
    ratios = [a / b for a, b in pairs]
    print(
        f"rnncli --help {statistics.median(a for a, _ in pairs):.3f} s, import torch "
        f"{statistics.median(b for _, b in pairs):.3f} s, ratio {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f}-{max(ratios):.3f})"
    )


if __name__ == "__main__":
    main()
