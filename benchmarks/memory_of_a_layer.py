"""Peak memory of one forward and backward pass of our LSTM in an engine, against nn.LSTM.

Each in a process of its own, in turn: the highest resident memory (VmHWM) less what is resident after the imports. It
contains the batch and the parameters, which are the same for both.

    python benchmarks/memory_of_a_layer.py --engines fused torch --threads 2 --out memory.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import torch
from contenders import MODULES, OPTIONS, Point, drawn, import_all, in_engine, in_module


def memory(name: str) -> float:
    """MiB of this process, by the name of the line in its status: VmRSS or VmHWM."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def child(contender: str, point: Point, fill: float, threads: int) -> None:
    """Print the MiB above what the imports left."""
    torch.set_num_threads(threads)
    import_all()
    before, highest = memory("VmRSS"), memory("VmHWM")
    cell, engine = contender.split(" ")
    make = partial(in_module, MODULES[cell], fill < 1) if engine == "module" else partial(in_engine, cell, engine)
    make(drawn(point, fill)).run()
    peak = memory("VmHWM")
    if peak <= highest:
        raise SystemExit(f"at {point} the imports need more memory than the layer")
    print(json.dumps(peak - before))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", choices=list(OPTIONS), default="lstm")
    parser.add_argument("--engines", nargs="+", required=True)
    parser.add_argument("--point", default="256/64/500", metavar="H/B/T")
    parser.add_argument("--fill", type=float, default=1.0, help="share of the positions that is valid; below 1 packed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    point = Point(*map(int, given.point.split("/")))
    if given.child:
        child(given.child, point, given.fill, given.threads)
        return
    module = given.cell if given.cell in MODULES else "lstm"
    names = [f"{module} module", *(f"{given.cell} {engine}" for engine in given.engines)]
    found: dict[str, list[float]] = {name: [] for name in names}
    command = [sys.executable, __file__, "--point", given.point, "--fill", str(given.fill)]
    command += ["--threads", str(given.threads), "--engines", *given.engines]
    for _ in range(given.rounds):
        for name, peaks in found.items():
            done = subprocess.run([*command, "--child", name], check=True, stdout=subprocess.PIPE, text=True)
            peaks.append(json.loads(done.stdout))
    least = 4 * point.time * point.batch * point.hidden * 4 / 2**20
    print(f"{given.point}; inputs, outputs and their gradients alone are {least:.0f} MiB.\n")
    print("| | MiB | ratio |\n|---|---|---|")
    base, ratios = statistics.median(found[names[0]]), {}
    for name, peaks in found.items():
        ratios[name] = statistics.median(peaks) / base
        shown = name.replace(f"{module} module", f"nn.{MODULES[module].__name__}")
        print(f"| {shown} | {statistics.median(peaks):.0f} ({min(peaks):.0f}-{max(peaks):.0f}) | {ratios[name]:.2f} |")
    if given.out:
        how = {"point": given.point, "fill": given.fill, "threads": given.threads, "torch": torch.__version__}
        given.out.write_text(json.dumps(how | {"mib": found, "ratio": ratios}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
