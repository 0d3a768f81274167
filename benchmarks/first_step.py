"""Seconds of a cell's first step, forward and backward, in a process that has nothing but its imports behind it.

Each cell once with an empty cache of compiled libraries, once with what that left behind, each in a process of its own;
and the next step in the same process, which compiles and loads nothing.

    python benchmarks/first_step.py --engine fused --threads 2 --rounds 3 --out first_step.json
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from contenders import OPTIONS, Point, drawn, import_all, in_engine


def child(cell: str, engine: str, point: Point, threads: int) -> None:
    """Print the seconds of the first and the second step."""
    torch.set_num_threads(threads)
    import_all()
    run = in_engine(cell, engine, drawn(point, 1.0)).run
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    print(json.dumps(seconds))


def first_and_second(cell: str, cache: str, given: argparse.Namespace) -> tuple[float, float]:
    """Seconds of both steps in a new process that has this folder as its cache."""
    command = [sys.executable, __file__, "--child", "--cells", cell, "--engine", given.engine]
    command += ["--point", given.point, "--threads", str(given.threads)]
    environment = os.environ | {"XDG_CACHE_HOME": cache}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    first, second = json.loads(done.stdout)
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=list(OPTIONS), default=list(OPTIONS), metavar="CELL")
    parser.add_argument("--engine", required=True)
    parser.add_argument("--point", default="128/32/50", metavar="H/B/T")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.cells[0], given.engine, Point(*map(int, given.point.split("/"))), given.threads)
        return
    print(f"| {given.engine}, seconds: median (least-greatest) | cache empty | cached | next step |\n|---|---|---|---|")
    found = {}
    for cell in given.cells:
        times: dict[str, list[float]] = {"empty": [], "cached": [], "next": []}
        for _ in range(given.rounds):
            with tempfile.TemporaryDirectory() as cache:
                times["empty"].append(first_and_second(cell, cache, given)[0])
                first, second = first_and_second(cell, cache, given)
            times["cached"].append(first)
            times["next"].append(second)
        found[cell] = {name: [statistics.median(of), min(of), max(of)] for name, of in times.items()}
        row = [f"{m:.3f} ({a:.3f}-{b:.3f})" for m, a, b in found[cell].values()]
        print(f"| {cell} | {' | '.join(row)} |", flush=True)
        if given.out:
            how = {"engine": given.engine, "point": given.point, "threads": given.threads, "rounds": given.rounds}
            given.out.write_text(json.dumps(how | {"seconds": found}, indent=1) + "\n", encoding="utf-8")
    for name in ("empty", "cached"):
        cell, (median, _, _) = max(((cell, of[name]) for cell, of in found.items()), key=lambda each: each[1])
        middle = statistics.median(of[name][0] for of in found.values())
        print(f"\n{name}: median of the cells {middle:.3f} s, longest {median:.3f} s ({cell})")


if __name__ == "__main__":
    main()
