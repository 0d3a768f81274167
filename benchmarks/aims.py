"""What an engine's times come to, each cell in a row, and beside what was aimed at: from files of cells.py.

    python benchmarks/aims.py --engine fused wide.json wide_33.json --first-step first_step.json --memory memory.json

All figures are the engine's time divided by the other's in the same round: the geometric mean of the points, and the
worst with its spread, (least-greatest) of the rounds, at hidden/batch/time. Per FLOP: both times are divided by the
operations of the products with inputs and states.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

FAMILY = "nn.LSTM padded, per FLOP: cells of its family"
OTHERS = "nn.LSTM padded, per FLOP: all other cells"
LOOP = "the loop, 100 steps and more"
AIMS: dict[str, tuple[float, float | None]] = {
    FAMILY: (0.8, 1.15),
    OTHERS: (1.0, 1.6),
    "nn.LSTM packed": (0.25, None),
    "nn.GRU": (0.55, None),
    "nn.RNN": (0.55, None),
    LOOP: (0.1, 0.2),
    "torchrecurrent": (0.15, None),
    "flax": (0.8, None),
}
"""By the measure: the greatest geometric mean, and the greatest ratio at any point."""


class Figure(NamedTuple):
    """A ratio at a point: median, least and greatest of the rounds."""

    median: float
    least: float
    greatest: float
    cell: str
    point: str

    def by(self, factor: float) -> Figure:
        return self._replace(median=self.median / factor, least=self.least / factor, greatest=self.greatest / factor)


class Times:
    """What files of cells.py hold about one engine."""

    def __init__(self, paths: Iterable[Path], engine: str) -> None:
        self.engine = engine
        self.files = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        self.products: dict[str, float] = {}
        self.memory: set[str] = set()
        self.left_out: list[str] = []
        for file in self.files:
            self.products |= file["products"]
            self.memory |= set(file["memory"])
            for point in file["points"]:
                wrong = point["left_out"].items()
                self.left_out += [f"{point['point']}: {n}: {why}" for n, why in wrong if n.endswith(f" {engine}")]

    def to_lstm(self, key: str, per_flop: bool = False) -> list[Figure]:
        """Every cell against nn.LSTM, to_padded or to_packed; a later file replaces an earlier one."""
        found = {}
        for point in self._points(key):
            for cell in self.products:
                if three := point[key].get(f"{cell} {self.engine}"):
                    figure = Figure(*three, cell, point["point"])
                    found[cell, point["point"]] = figure.by(self.products[cell]) if per_flop else figure
        return list(found.values())

    def beside(self, other: str) -> list[Figure]:
        """Every cell on padded input against what is its own: of all names with this in them, the fastest."""
        found = {}
        for point in self._points("to_padded"):
            for name, others in point["beside"].items():
                cell, engine = name.split(" ")
                if engine == self.engine and (ratios := [three for each, three in others.items() if other in each]):
                    found[cell, point["point"]] = Figure(*max(ratios), cell, point["point"])
        return list(found.values())

    def _points(self, key: str) -> list[dict[str, Any]]:
        return [point for file in self.files for point in file["points"] if key in point]


def mean(figures: list[Figure]) -> float:
    return statistics.geometric_mean(each.median for each in figures)


def worst(figures: list[Figure]) -> str:
    it = max(figures)
    return f"{it.median:.2f} ({it.least:.2f}-{it.greatest:.2f}) at {it.point}"


def print_cells(times: Times, measures: dict[str, list[Figure]]) -> None:
    """A row for each cell, a column for each measure."""
    print(f"| cell | FLOP | {' | '.join(measures)} |")
    print("|---" * (len(measures) + 2) + "|")
    for cell, products in times.products.items():
        of_cell = [[each for each in figures if each.cell == cell] for figures in measures.values()]
        row = [f"{mean(each):.2f}; {worst(each)}" if each else "" for each in of_cell]
        print(f"| {cell} | {products:.3g} | {' | '.join(row)} |")


def print_summary(times: Times, measures: dict[str, list[Figure]]) -> None:
    """A row for each measure, beside it what is aimed at."""
    print(f"\n| {times.engine} against | aim | geometric mean | worst | cells x points | above 1 | reached |")
    print("|---|---|---|---|---|---|---|")
    for name, figures in measures.items():
        if figures:
            above = sum(each.median > 1 for each in figures)
            row = f"{mean(figures):.2f} | {max(figures).cell} {worst(figures)} | {len(figures)} | {above}"
            print(f"| {name} | {aimed(name)} | {row} | {reached(name, figures)} |")


def aimed(name: str) -> str:
    if name not in AIMS:
        return ""
    middle, highest = AIMS[name]
    return f"{middle:g}" + (f", worst {highest:g}" if highest is not None else "")


def reached(name: str, figures: list[Figure]) -> str:
    if name not in AIMS:
        return ""
    middle, highest = AIMS[name]
    return "yes" if mean(figures) <= middle and (highest is None or max(figures).median <= highest) else "no"


def first_steps(path: Path) -> None:
    given = json.loads(path.read_text(encoding="utf-8"))
    for name, words in (("empty", "library not cached"), ("cached", "library cached")):
        cell, (median, least, greatest) = max(((c, of[name]) for c, of in given["seconds"].items()), key=lambda c: c[1])
        middle = statistics.median(of[name][0] for of in given["seconds"].values())
        print(f"First step, {words}: median of the cells {middle:.2f} s, longest {cell} {median:.2f} s "
              f"({least:.2f}-{greatest:.2f})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--first-step", type=Path, help="the file of first_step.py")
    parser.add_argument("--memory", type=Path, help="the file of memory_of_a_layer.py")
    given = parser.parse_args()
    times = Times(given.files, given.engine)
    padded, packed = times.to_lstm("to_padded", per_flop=True), times.to_lstm("to_packed", per_flop=True)
    looped = [each for each in times.beside(" loop") if int(each.point.split("/")[2]) >= 100]
    others = {
        LOOP: looped,
        "torchrecurrent": times.beside(" torchrecurrent"),
        "nn.GRU": times.beside("nn.GRU padded"),
        "nn.RNN": times.beside("nn.RNN padded"),
        "flax": times.beside(" flax."),
    }
    plain = {"nn.LSTM padded": times.to_lstm("to_padded"), "nn.LSTM packed": times.to_lstm("to_packed")}
    flop = {"nn.LSTM padded, per FLOP": padded, "nn.LSTM packed, per FLOP": packed}
    print_cells(times, flop | plain | others)
    by_family = {
        FAMILY: [each for each in padded if each.cell in times.memory],
        OTHERS: [each for each in padded if each.cell not in times.memory],
    }
    print_summary(times, by_family | plain | {"nn.LSTM packed, per FLOP": packed} | others)
    print()
    if given.first_step:
        first_steps(given.first_step)
    if given.memory:
        ratios = json.loads(given.memory.read_text(encoding="utf-8"))["ratio"]
        print(f"Memory: {', '.join(f'{name} {each:.2f}' for name, each in ratios.items())}")
    for each in times.left_out:
        print(f"Not timed, for wrong results: {each}")


if __name__ == "__main__":
    main()
