"""Forward and backward pass of every cell in every engine that runs it, against nn.LSTM in the same round.

One layer, one direction, as many inputs as units, float32 on the CPU, all in one process and in turn. nn.GRU, nn.RNN
and torchrecurrent's cells of the same name run beside them. What does not agree with the loop in float64 is not timed.
The loop and torchrecurrent, which runs as it does, are timed where a point is small; --slow times them everywhere.

    python benchmarks/cells.py --threads 2 --out results/cells.json
    python benchmarks/cells.py --cells lstm gru mut1 --engines fused torch --fill 0.33 --rounds 9
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import rnncli.engines.choice  # noqa: F401  (registers the engines)
from rnncli.cells import CELLS, CellSettings, make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import ENGINES, NOTHING_MORE, Engine
from rnncli.sequences import Padded


class Point(NamedTuple):
    hidden: int
    batch: int
    time: int

    @property
    def small(self) -> bool:
        return self.hidden <= 128 and self.time <= 100

    def __str__(self) -> str:
        return f"{self.hidden}/{self.batch}/{self.time}"


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
    "full": [Point(*each) for each in product((64, 128, 256, 512), (16, 32, 64), (50, 100, 200, 500))],
}
MORE_OPTIONS = {"gru-before": {"type": "gru", "reset": "before"}, "peephole_lstm-full": {"type": "peephole_lstm",
                "peephole": "full"}}  # fmt: skip
OPTIONS = {name: {"type": name} for name in CELLS} | MORE_OPTIONS
MODULES = {"nn.LSTM": nn.LSTM, "nn.GRU": nn.GRU, "nn.RNN": nn.RNN}
PADDED, PACKED = ("nn.LSTM", "padded"), ("nn.LSTM", "packed")
MEASURED_SECONDS = 0.02
"""A time is the mean of as many calls as this takes, at least one."""


class Batch(NamedTuple):
    """Inputs and the gradient of the outputs, both (time, batch, hidden), with the lengths of the rows."""

    values: Tensor
    gradient: Tensor
    lengths: Tensor


class Contender(NamedTuple):
    """What is timed: `make` gives for a batch a function that runs forward and backward once."""

    cell: str
    engine: str
    slow: bool
    make: Callable[[Batch], Callable[[], None]]

    @property
    def name(self) -> tuple[str, str]:
        return self.cell, self.engine


def settings_of(cell: str, hidden: int) -> CellSettings:
    options = OPTIONS[cell]
    return CELLS[options["type"]].settings_type.model_validate(options | {"hidden_size": hidden})


def drawn(point: Point, fill: float) -> Batch:
    """A batch of which that share of the positions is valid; its longest row has all steps."""
    ranks = (torch.arange(point.batch) + 0.5) / point.batch
    lengths = (point.time * ranks ** (1 / fill - 1)).round().clamp(min=1).long()
    lengths[-1] = point.time
    lengths = lengths[torch.randperm(point.batch)]
    shape = (point.time, point.batch, point.hidden)
    return Batch(torch.randn(shape, requires_grad=True), torch.randn(shape), lengths)


def engine_run(weights: CellWeights, engine: Engine, batch: Batch) -> tuple[Tensor, ...]:
    """The outputs, (time, batch, hidden), and the gradients of the inputs and of all parameters."""
    inputs = Padded(batch.values.transpose(0, 1), batch.lengths)
    outputs, _ = engine.run(weights, inputs, final_state=False)
    by_time = outputs.values.transpose(0, 1)
    wanted = [batch.values, *(each for each in weights.parameters() if each.numel())]
    return by_time, *torch.autograd.grad(by_time, wanted, batch.gradient)


def in_engine(cell: str, engine: str, batch: Batch) -> Callable[[], None]:
    weights = CellWeights(make_cell(settings_of(cell, batch.values.shape[2])), batch.values.shape[2])
    return partial(engine_run, weights, ENGINES[engine](), batch)


def in_module(kind: Callable[[int, int], nn.Module], packed: bool, batch: Batch) -> Callable[[], None]:
    module = kind(batch.values.shape[2], batch.values.shape[2])
    wanted = [batch.values, *(each for each in module.parameters() if each.numel())]

    def run() -> None:
        if packed:
            outputs = module(pack_padded_sequence(batch.values, batch.lengths, enforce_sorted=False))[0]
            outputs, _ = pad_packed_sequence(outputs)
        else:
            outputs = module(batch.values)[0]
        torch.autograd.grad(outputs, wanted, batch.gradient, allow_unused=True)

    return run


def differs(cell: str, engine: str) -> str | None:
    """Where an engine does not agree with the loop in float64 on rows of unequal length, or None."""
    torch.manual_seed(1)
    weights = CellWeights(make_cell(settings_of(cell, 8)), 8).double()
    values = torch.randn(7, 5, 8, dtype=torch.float64, requires_grad=True)
    batch = Batch(values, torch.randn_like(values), torch.tensor([4, 7, 1, 6, 2]))
    try:
        torch.testing.assert_close(
            engine_run(weights, ENGINES[engine](), batch), engine_run(weights, ENGINES["loop"](), batch)
        )
    except AssertionError as error:
        return f"{cell} in {engine} is not what the loop computes and is not timed: {' '.join(str(error).split())}"
    return None


def contenders(cells: list[str], engines: list[str]) -> Iterator[Contender]:
    """nn.LSTM first. Says on standard error what is left out."""
    for name, kind in MODULES.items():
        for way in ("padded", "packed"):
            yield Contender(name, way, False, partial(in_module, kind, way == "packed"))
    for cell in cells:
        for engine in engines:
            if ENGINES[engine]().refusal(make_cell(settings_of(cell, 8)), NOTHING_MORE) is None:
                yield Contender(cell, engine, engine == "loop", partial(in_engine, cell, engine))
    try:
        import torchrecurrent
    except ImportError:
        print("torchrecurrent is not installed: its cells are left out", file=sys.stderr)
        return
    ours = {cell.replace("_", ""): cell for cell in cells}
    for name in torchrecurrent.__all__:
        if name.lower() in ours:
            kind = getattr(torchrecurrent, name)
            yield Contender(ours[name.lower()], "torchrecurrent", True, partial(in_module, kind, False))


def seconds(run: Callable[[], None], calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - started) / calls


def measure(batch: Batch, those: Iterable[Contender], rounds: int) -> dict[tuple[str, str], list[float]]:
    """Seconds of each contender in each round; every round begins with another of them."""
    runs, calls = [], []
    for each in those:
        runs.append((each.name, each.make(batch)))
        seconds(runs[-1][1], 1)
        calls.append(max(1, math.ceil(MEASURED_SECONDS / seconds(runs[-1][1], 1))))
    times: dict[tuple[str, str], list[float]] = {name: [] for name, _ in runs}
    for number in range(rounds):
        first = number * len(runs) // rounds
        for place in [*range(first, len(runs)), *range(first)]:
            name, run = runs[place]
            times[name].append(seconds(run, calls[place]))
    return times


def ratios(times: dict[tuple[str, str], list[float]], base: tuple[str, str]) -> dict[tuple[str, str], list[float]]:
    """Median, least and greatest ratio to the base of the same round."""
    found = {}
    for name, its in times.items():
        of_rounds = [a / b for a, b in zip(its, times[base], strict=True)]
        found[name] = [statistics.median(of_rounds), min(of_rounds), max(of_rounds)]
    return found


def print_table(results: list[dict[str, Any]], key: str, base: tuple[str, str]) -> None:
    """A row for each contender, a column for each point."""
    print(f"\nTime divided by that of {' '.join(base)}: median (least-greatest) by hidden/batch/time.\n")
    points = [each["point"] for each in results]
    print("| cell | engine | " + " | ".join(points) + " | geometric mean |")
    print("|---" * (len(points) + 3) + "|")
    milliseconds = [f"{each['milliseconds'][' '.join(base)]:.1f} ms" for each in results]
    print(f"| {base[0]} | {base[1]} | " + " | ".join(milliseconds) + " | 1 |")
    names = dict.fromkeys(name for each in results for name in each[key])
    for name in names:
        if name == " ".join(base):
            continue
        found = [each[key].get(name) for each in results]
        cells = ["" if each is None else f"{each[0]:.2f} ({each[1]:.2f}-{each[2]:.2f})" for each in found]
        medians = [each[0] for each in found if each is not None]
        of = "" if len(medians) == len(points) else f" of {len(medians)}"
        cell, engine = name.split(" ")
        print(f"| {cell} | {engine} | {' | '.join(cells)} | {statistics.geometric_mean(medians):.2f}{of} |")


def summary(results: list[dict[str, Any]], given: argparse.Namespace) -> dict[str, Any]:
    """What is written of a run: how it was made, the ratios at each point and their geometric means."""
    keys = [key for key in ("to_padded", "to_packed") if key in results[0]]
    means: dict[str, dict[str, float]] = {}
    for key in keys:
        medians: dict[str, list[float]] = {}
        for each in results:
            for name, (median, _, _) in each[key].items():
                medians.setdefault(name, []).append(median)
        means[key] = {name: statistics.geometric_mean(of) for name, of in medians.items()}
    return {
        "torch": torch.__version__,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "rounds": given.rounds,
        "fill": given.fill,
        "geometric_means": means,
        "points": results,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=list(GRIDS), default="small", help="8 points, or all 48")
    parser.add_argument("--points", nargs="+", metavar="H/B/T", help="these points instead of a grid")
    parser.add_argument("--cells", nargs="+", choices=list(OPTIONS), default=list(OPTIONS), metavar="CELL")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--fill", type=float, default=1.0, help="share of the positions that is valid")
    parser.add_argument("--slow", action="store_true", help="the loop and torchrecurrent at all points")
    parser.add_argument("--out", type=Path, help="JSON file for the figures, written after each point")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    points = [Point(*map(int, each.split("/"))) for each in given.points or []] or GRIDS[given.grid]

    all_of_them, wrong = [], []
    for each in contenders(given.cells, given.engines):
        problem = differs(*each.name) if each.engine in ENGINES else None
        if problem is None:
            all_of_them.append(each)
        else:
            wrong.append(problem)
            print(problem, file=sys.stderr)
    results: list[dict[str, Any]] = []
    for point in points:
        torch.manual_seed(0)
        batch = drawn(point, given.fill)
        times = measure(
            batch, (each for each in all_of_them if given.slow or point.small or not each.slow), given.rounds
        )
        figures = {"to_padded": ratios(times, PADDED)} | (
            {"to_packed": ratios(times, PACKED)} if given.fill < 1 else {}
        )
        results.append(
            {"point": str(point), "valid": round(float(batch.lengths.sum()) / point.batch / point.time, 3)}
            | {"milliseconds": {" ".join(name): 1000 * statistics.median(of) for name, of in times.items()}}
            | {key: {" ".join(name): three for name, three in found.items()} for key, found in figures.items()}
        )
        print(f"{point}: {len(times)} timed", file=sys.stderr)
        if given.out:
            given.out.write_text(json.dumps(summary(results, given), indent=1) + "\n", encoding="utf-8")
    print_table(results, "to_padded", PADDED)
    if given.fill < 1:
        print_table(results, "to_packed", PACKED)
    if wrong:
        raise SystemExit(f"{len(wrong)} left out for wrong results")


if __name__ == "__main__":
    main()
