"""The README's table of cells, from two runs of cells.py: all positions valid, and a third of them.

python benchmarks/cells_table.py results/cells.json results/cells_33.json

More such pairs of runs may follow, of single cells that were timed again: they replace those before.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import geometric_mean
from typing import Any

Points = list[dict[str, Any]]


def main() -> None:
    full, third = points(sys.argv[1::2]), points(sys.argv[2::2])
    contenders = [key.split(" ") for key in full[0]["to_padded"]]
    cells = list(dict.fromkeys(cell for cell, _ in contenders))
    print("| cell | `fused` | `torch` | `fused`, a third valid | `loop` / `fused` |")
    print("|---|---|---|---|---|")
    for cell in cells:
        if not cell.startswith("nn."):
            ours, theirs = over(full, "to_padded", f"{cell} fused"), over(full, "to_padded", f"{cell} torch")
            packed, loop = over(third, "to_packed", f"{cell} fused"), against(full, f"{cell} loop", f"{cell} fused")
            print(f"| {cell} | {ours} | {theirs} | {packed} | {loop} |")
    for name in ("nn.LSTM packed", "nn.GRU padded", "nn.GRU packed", "nn.RNN padded", "nn.RNN packed"):
        packed = over(third, "to_packed", name)
        print(f"| {name} | | {over(full, 'to_padded', name)} | {packed} | |")


def points(paths: list[str]) -> Points:
    """The points of all runs, the ratios of later ones in the place of earlier ones."""
    first, *later = (json.loads(Path(path).read_text(encoding="utf-8"))["points"] for path in paths)
    for again in later:
        for point, found in zip(first, again, strict=True):
            if point["point"] != found["point"]:
                raise SystemExit("the runs are not of the same points")
            for key in ("to_padded", "to_packed"):
                modules = {name for name in found.get(key, {}) if name.startswith("nn.")}
                point.setdefault(key, {}).update({n: r for n, r in found.get(key, {}).items() if n not in modules})
    return first


def over(points: Points, key: str, name: str) -> str:
    """Geometric mean of the medians of all points, and the least and greatest of them."""
    return shown([each[key][name][0] for each in points if name in each[key]])


def against(points: Points, above: str, below: str) -> str:
    """The same of the ratio of two contenders, where both were timed."""
    both = [each["to_padded"] for each in points if above in each["to_padded"]]
    return shown([each[above][0] / each[below][0] for each in both])


def shown(ratios: list[float]) -> str:
    return f"{geometric_mean(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else ""


if __name__ == "__main__":
    main()
