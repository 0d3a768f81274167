"""Peak memory of `rnncli predict` on a small and on a large CSV, made in a temporary folder.

python benchmarks/predict_memory.py                  10 MB and 2 GB
python benchmarks/predict_memory.py --large 200
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

CONFIG = """
task: many-to-one
data: {loader: text, train: train.csv, target: {column: label, kind: class}}
model: {cell: {type: lstm, hidden_size: 16}, embedding_size: 16}
training: {epochs: 1, threads: 1}
"""


def rows() -> Iterator[str]:
    """Rows of 10 to 60 words without end."""
    draw = random.Random(1)
    words = [f"word{number}" for number in range(2000)]
    for number in itertools.count():
        yield f"{number},{' '.join(draw.choices(words, k=draw.randrange(10, 60)))},{draw.choice(('yes', 'no'))}\n"


def write(path: Path, size: int) -> int:
    """A CSV of so many bytes, the same 20,000 rows over and over; how many rows."""
    some = list(itertools.islice(rows(), 20_000))
    written, count = 0, 0
    with path.open("w", encoding="utf-8") as file:
        file.write("id,text,label\n")
        for row in itertools.cycle(some):
            if written >= size:
                return count
            written += file.write(row)
            count += 1
    return count


def peak(command: list[str]) -> tuple[float, float]:
    """Megabytes and seconds of a process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_maxrss / 1024, time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=10, help="megabytes of the small file")
    parser.add_argument("--large", type=int, default=2000, help="megabytes of the large file")
    given = parser.parse_args()
    rnncli = [sys.executable, "-m", "rnncli"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        write(folder / "train.csv", 10**6)
        subprocess.run([*rnncli, "train", str(folder / "config.yaml"), "--out", str(folder / "run"), "-q"], check=True)
        print("| MB | rows | seconds | peak MB |\n|---|---|---|---|")
        peaks = []
        for size in (given.small, given.large):
            count = write(folder / "input.csv", size * 10**6)
            megabytes, seconds = peak([*rnncli, "predict", str(folder / "run"), str(folder / "input.csv"), "-q"])
            peaks.append(megabytes)
            print(f"| {size} | {count:,} | {seconds:.0f} | {megabytes:.0f} |", flush=True)
    print(f"\ndifference: {peaks[1] - peaks[0]:.0f} MB")


if __name__ == "__main__":
    main()
