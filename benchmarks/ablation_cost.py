"""What an ablation costs beside its runs, and what a second process brings: whole commands, in turn.

    python benchmarks/ablation_cost.py --rounds 5 --out results/ablation_cost.json

Two cells with 20 seeds each, about a second a run:

own time     the ablation with --jobs 1 against its runs, each from its config to its summary (the aim: at most 1.10),
             and against what their training alone took, as summary.json says
two at once  --jobs 1 against --jobs 2 (the aim: at least 1.7 on two cores that are idle)
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

BASE = """
task: many-to-one
data: {{loader: synthetic, name: adding, length: 50, sizes: {{train: {rows}, valid: 100, test: 100}}}}
model: {{cell: {{type: lstm, hidden_size: 32}}}}
training: {{epochs: 5, batch_size: 32}}
"""
ABLATION = """
base: base.yaml
vary: {{model.cell.type: [lstm, gru]}}
seeds: {seeds}
metric: test.rmse
"""


@dataclass(frozen=True)
class Ablated:
    """One ablation.

    Attributes:
        seconds: of the whole command.
        runs: seconds of its runs together, each from its config to its summary.
        training: seconds that their training took, together.
    """

    seconds: float
    runs: float
    training: float


def ablated(folder: Path, out: Path, jobs: int) -> Ablated:
    """Runs the ablation into a folder that is not there yet."""
    command = [sys.executable, "-m", "rnncli", "ablate", str(folder / "ablation.yaml"), "--out", str(out)]
    started = time.perf_counter()
    done = subprocess.run([*command, "--jobs", str(jobs)], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    runs = [float(each) for each in re.findall(r" done ([\d.]+) s$", done.stderr, re.MULTILINE)]
    summaries = [json.loads(path.read_text()) for path in out.glob("runs/*/*/summary.json")]
    if len(runs) != len(summaries):
        raise SystemExit(f"{len(runs)} runs have ended, {len(summaries)} have a summary")
    return Ablated(seconds, sum(runs), sum(summary["seconds"]["total"] for summary in summaries))


def spread(ratios: list[float]) -> dict[str, float]:
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}


def measured(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    (folder / "base.yaml").write_text(BASE.format(rows=given.rows))
    (folder / "ablation.yaml").write_text(ABLATION.format(seeds=given.seeds))
    ablated(folder, folder / "warm", 1)
    rounds = []
    for number in range(given.rounds):
        one, two = (ablated(folder, folder / f"{number}-{jobs}", jobs) for jobs in (1, 2))
        rounds.append((one, two))
        print(
            f"{number + 1}: {one.seconds:.1f} s for runs of {one.runs:.1f} s, two at once {two.seconds:.1f} s",
            flush=True,
        )
    return {
        "own_time": spread([one.seconds / one.runs for one, _ in rounds]),
        "own_time_against_training": spread([one.seconds / one.training for one, _ in rounds]),
        "two_at_once": spread([one.seconds / two.seconds for one, two in rounds]),
        "seconds_a_run": statistics.median(one.runs for one, _ in rounds) / (2 * given.seeds),
        "runs": 2 * given.seeds,
        "rounds": [{"one": asdict(one), "two": asdict(two)} for one, two in rounds],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="pairs of ablations")
    parser.add_argument("--seeds", type=int, default=20, help="of each of the two cells")
    parser.add_argument("--rows", type=int, default=4000, help="of the training part; the length of a run")
    parser.add_argument("--out", type=Path, help="a JSON file for all figures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measured(given, Path(name))
    about = {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
        "load": os.getloadavg(),
    }
    for key in ("own_time", "own_time_against_training", "two_at_once"):
        each = found[key]
        print(f"{key.replace('_', ' ')}: {each['median']:.3f} ({each['low']:.3f}-{each['high']:.3f})")
    if given.out is not None:
        given.out.write_text(json.dumps({**about, **found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
