"""The README's table of cells, from two runs of cells.py: all positions valid, and a third of them.

    python benchmarks/cells_table.py results/cells.json results/cells_33.json --engines fused torch

More such pairs of runs may follow, of other engines, points, or cells that were timed again: those replace the ones
before. Each figure is over the points at which it was timed. The last two columns are of the first engine.
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
    cells = list(dict.fromkeys(name.split(" ")[0] for each in full for name in each["to_padded"]))
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
    """The points of all runs, each once, the ratios of later runs in the place of earlier ones; torch.nn's stay."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        for point in json.loads(Path(path).read_text(encoding="utf-8"))["points"]:
            known = found.setdefault(point["point"], {"to_padded": {}, "to_packed": {}})
            for key in known:
                ratios = point.get(key, {})
                known[key] |= {
                    name: ratio for name, ratio in ratios.items() if name not in known[key] or "nn." not in name
                }
    return list(found.values())


def over(points: Points, key: str, name: str) -> str:
    """Geometric mean of the medians of all points, and the least and greatest of them."""
    return shown([each[key][name][0] for each in points if name in each[key]])


def against(points: Points, above: str, below: str) -> str:
    """The same of the ratio of two contenders, where both were timed."""
    both = [each["to_padded"] for each in points if {above, below} <= each["to_padded"].keys()]
    return shown([each[above][0] / each[below][0] for each in both])


def shown(ratios: list[float]) -> str:
    return f"{geometric_mean(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if ratios else ""


if __name__ == "__main__":
    main()
