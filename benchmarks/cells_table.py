"""The README's table of cells, from two runs of cells.py: all positions valid, and a third of them.

    python benchmarks/cells_table.py results/cells.json results/cells_33.json --engines fused torch

More such pairs of runs may follow, of single cells that were timed again: they replace those before. The last two
columns are of the first engine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import geometric_mean
from typing import Any

Points = list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", help="pairs of them")
    parser.add_argument("--engines", nargs="+", default=["fused", "torch"])
    given = parser.parse_args()
    full, third = points(given.files[::2]), points(given.files[1::2])
    contenders = [key.split(" ") for key in full[0]["to_padded"]]
    cells = list(dict.fromkeys(cell for cell, _ in contenders))
    engines, first = given.engines, given.engines[0]
    columns = [*(f"`{each}`" for each in engines), f"`{first}`, a third valid", f"`loop` / `{first}`"]
    print(f"| cell | {' | '.join(columns)} |")
    print("|---" * (len(columns) + 1) + "|")
    for cell in cells:
        if not cell.startswith("nn."):
            row = [over(full, "to_padded", f"{cell} {engine}") for engine in engines]
            row += [over(third, "to_packed", f"{cell} {first}"), against(full, f"{cell} loop", f"{cell} {first}")]
            print(f"| {cell} | {' | '.join(row)} |")
    for name in ("nn.LSTM packed", "nn.GRU padded", "nn.GRU packed", "nn.RNN padded", "nn.RNN packed"):
        padded, packed = over(full, "to_padded", name), over(third, "to_packed", name)
        print(f"| {name} |{' |' * (len(engines) - 1)} {padded} | {packed} | |")


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
