"""Forward and backward pass of every cell in every engine that runs it, against nn.LSTM in the same round.

One layer, one direction, as many inputs as units, float32 on the CPU, all in one process. A few cells at a time run in
turn with nn.LSTM and with what computes the same: nn.GRU, nn.RNN, torchrecurrent's cells of the same name, flax's under
jit (flax_layers.py says what it needs). An engine that does not compute what the loop does is not timed. The loop and
torchrecurrent are timed up to hidden 128; --slow times them everywhere.

    python benchmarks/cells.py --threads 2 --out results/cells.json
    python benchmarks/cells.py --grid wide --engines fused loop --threads 2 --seconds 20 --out wide.json --resume
    python benchmarks/cells.py --cells lstm gru mut1 --engines fused torch --fill 0.33 --points 64/16/50 --rounds 9

cells_table.py and aims.py make tables of the files.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import torch
from contenders import OPTIONS, Batch, Contender, Point, contenders, drawn, has_memory, products
from same_as_loop import differs

from rnncli.engines.engine import ENGINES

GRIDS = {
    "small": [
        Point(64, 16, 50),
        Point(64, 64, 100),
        Point(64, 16, 500),
        Point(128, 32, 100),
        Point(128, 64, 500),
        Point(256, 32, 100),
        Point(512, 16, 50),
        Point(512, 64, 100),
    ],
    "wide": [Point(*each) for each in product((64, 128, 256, 512), (16, 32, 64), (50, 100, 500))],
}
MEASURED_SECONDS = 0.02
"""A time is the mean of as many calls as this takes, at least one."""
LEAST_ROUNDS = 3
TOGETHER = 4
"""Cells that are timed in turn: the more, the longer ago nn.LSTM ran in the same round."""


def seconds(run: Any, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - started) / calls


def measure(
    batch: Batch, those: list[Contender], rounds: int, budget: float
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds of each contender in each round, and those of compilers; every round begins with another of them."""
    ready = [each.make(batch) for each in those]
    alone = [seconds(each.run, 1) for each in ready]
    if alone[0] < 0.25:  # where nn.LSTM is slow, one call is enough to be warm
        alone = [seconds(each.run, 1) for each in ready]
    calls = [math.ceil(MEASURED_SECONDS / each) for each in alone]
    of_round = sum(each * (many + (many > 1)) for each, many in zip(alone, calls, strict=True))
    rounds = int(min(rounds, max(LEAST_ROUNDS, budget * len(those) / of_round)))
    times: dict[str, list[float]] = {each.name: [] for each in those}
    for number in range(rounds):
        first = number * len(those) // rounds
        for place in [*range(first, len(those)), *range(first)]:
            if calls[place] > 1:
                ready[place].run()  # the threads of the one before still spin, its numbers are in the cache
            times[those[place].name].append(seconds(ready[place].run, calls[place]))
    compiled = {each.name: it.compile_seconds for each, it in zip(those, ready, strict=True) if it.compile_seconds}
    return times, compiled


def ratio(times: list[float], base: list[float]) -> list[float]:
    """Median, least and greatest ratio to the base of the same round."""
    of_rounds = [a / b for a, b in zip(times, base, strict=True)]
    return [statistics.median(of_rounds), min(of_rounds), max(of_rounds)]


def base_of(fill: float) -> tuple[str, str]:
    """What all is compared with, and the key in the file under which it stands."""
    return ("nn.LSTM packed", "to_packed") if fill < 1 else ("nn.LSTM padded", "to_padded")


def write_down(
    record: dict[str, Any],
    those: list[Contender],
    times: dict[str, list[float]],
    compiled: dict[str, float],
    fill: float,
) -> None:
    """Add to what is known of a point what was measured of some contenders."""
    base, key = base_of(fill)
    record["base_milliseconds"].append(1000 * statistics.median(times[base]))
    record["rounds"] = min(record["rounds"], len(times[base]))
    record["compile_seconds"] |= compiled
    for each in those:
        record["milliseconds"][each.name] = 1000 * statistics.median(times[each.name])
        record[key][each.name] = ratio(times[each.name], times[base])
        if each.engine in ENGINES and each.engine != "loop":
            record["beside"][each.name] = {
                other.name: ratio(times[each.name], times[other.name])
                for other in those
                if other.beside == each.beside and other is not each
            }
    record["milliseconds"][base] = statistics.median(record["base_milliseconds"])
    record[key][base] = [1.0, 1.0, 1.0]


def groups(
    record: dict[str, Any], point: Point, those: list[Contender], given: argparse.Namespace
) -> Iterator[list[Contender]]:
    """What is to be timed in turn at a point, nn.LSTM first: whatever is not yet known of it and computes the right
    numbers."""
    base = next(each for each in those if each.name == base_of(given.fill)[0])
    due = [each for each in those if each is not base and (given.slow or not each.slow or point.hidden <= 128)]
    cells = [cell for cell in given.cells if any(each.beside == cell and unknown(each, record) for each in due)]
    for start in range(0, len(cells), TOGETHER):
        group = [base]
        for each in due:
            if each.beside in cells[start : start + TOGETHER]:
                problem = differs(each.cell, each.engine, point, given.fill) if each.engine in ENGINES else None
                record["left_out"].pop(each.name, None)
                if problem is None:
                    group.append(each)
                else:
                    print(f"{point}: {each.name} is not timed: {problem}", file=sys.stderr)
                    record["left_out"][each.name] = problem
        yield group


def unknown(each: Contender, record: dict[str, Any]) -> bool:
    return each.name not in record["milliseconds"]


def print_table(points: list[dict[str, Any]], fill: float) -> None:
    """A row for each contender."""
    base, key = base_of(fill)
    print(
        f"Time divided by that of {base}: geometric mean of the points, worst and best of them (hidden/batch/time).\n"
    )
    print("| | geometric mean | worst | best |\n|---|---|---|---|")
    for name in dict.fromkeys(name for each in points for name in each[key] if name != base):
        found = [(*each[key][name], each["point"]) for each in points if name in each[key]]
        of = "" if len(found) == len(points) else f" of {len(found)}"
        ends = [f"{m:.2f} ({a:.2f}-{b:.2f}) at {point}" for m, a, b, point in (max(found), min(found))]
        print(f"| {name} | {statistics.geometric_mean(each[0] for each in found):.2f}{of} | {' | '.join(ends)} |")


def how(given: argparse.Namespace) -> dict[str, Any]:
    """What must be the same in all parts of a file."""
    return {
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "cores": len(os.sched_getaffinity(0)),
        "fill": given.fill,
    }


def begun(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The points of the file that is to be gone on with, by their name."""
    if not (given.resume and given.out.exists()):
        return {}
    before = json.loads(given.out.read_text(encoding="utf-8"))
    if other := [f"{key} {before[key]}" for key, value in how(given).items() if before[key] != value]:
        raise SystemExit(f"{given.out} was measured with {', '.join(other)}")
    return {each["point"]: each for each in before["points"]}


def write(results: dict[str, dict[str, Any]], given: argparse.Namespace) -> None:
    key = base_of(given.fill)[1]
    cells = {name.split(" ")[0]: None for each in results.values() for name in each["milliseconds"]}
    ours = [cell for cell in cells if cell in OPTIONS]
    family = {
        "products": {cell: products(cell) for cell in ours},
        "memory": [cell for cell in ours if has_memory(cell)],
    }
    medians: dict[str, list[float]] = {}
    for each in results.values():
        for name, (median, _, _) in each[key].items():
            medians.setdefault(name, []).append(median)
    means = {key: {name: statistics.geometric_mean(of) for name, of in medians.items()}}
    it = how(given) | {"rounds": given.rounds} | family | {"geometric_means": means, "points": [*results.values()]}
    new = given.out.with_suffix(".new")
    text = json.dumps(it, indent=1)
    text = re.sub(r"\[[^][{}]*\]", lambda numbers: re.sub(r"\s+", " ", numbers[0]), text)  # short lists on one line
    text = re.sub(r"\d+\.\d{4,}(e-\d+)?", lambda number: f"{float(number[0]):.5g}", text)
    new.write_text(text + "\n", encoding="utf-8")
    new.replace(given.out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=list(GRIDS), default="small", help="8 points, or 36")
    parser.add_argument("--points", nargs="+", metavar="H/B/T", help="these points instead of a grid")
    parser.add_argument("--cells", nargs="+", choices=list(OPTIONS), default=list(OPTIONS), metavar="CELL")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=math.inf, help="for a contender at a point: where they are "
                        f"short there are fewer rounds, never below {LEAST_ROUNDS}")  # fmt: skip
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--fill", type=float, default=1.0, help="share of the positions that is valid")
    parser.add_argument("--slow", action="store_true", help="the loop and torchrecurrent at all points")
    parser.add_argument("--out", type=Path, help="JSON file for the figures, written after every few cells")
    parser.add_argument("--resume", action="store_true", help="leave alone what --out holds, measure what it lacks")
    given = parser.parse_args()
    if given.resume and not given.out:
        parser.error("--resume needs --out")
    torch.set_num_threads(given.threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])  # the only bound that JAX keeps to
    points = [Point(*map(int, each.split("/"))) for each in given.points or []] or GRIDS[given.grid]
    those, results = list(contenders(given.cells, given.engines, given.fill)), begun(given)
    for point in points:
        torch.manual_seed(0)
        batch = drawn(point, given.fill)
        valid = round(float(batch.lengths.sum()) / point.batch / point.time, 3)
        new = {"point": str(point), "valid": valid, "rounds": given.rounds, "base_milliseconds": []}
        new |= {part: {} for part in ("milliseconds", base_of(given.fill)[1], "beside", "compile_seconds", "left_out")}
        record, started = results.setdefault(str(point), new), time.perf_counter()
        for group in groups(record, point, those, given):
            write_down(record, group, *measure(batch, group, given.rounds, given.seconds), given.fill)
            if given.out:
                write(results, given)
        print(f"{point}: {time.perf_counter() - started:.0f} s, {record['rounds']} rounds", file=sys.stderr)
    print_table(list(results.values()), given.fill)
    if wrong := {name for each in results.values() for name in each["left_out"]}:
        raise SystemExit(f"left out for wrong results: {', '.join(sorted(wrong))}")


if __name__ == "__main__":
    main()
