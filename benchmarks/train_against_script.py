"""`rnncli train` against the script that a careful PyTorch user would write (benchmarks/careful/).

Whole processes, from start to exit, in turn; same task, model, data, epochs, optimizer and threads.

    RNNCLI_DATA=... python benchmarks/train_against_script.py sst2 ud_ewt etth1 --epochs 3 --rounds 5
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

HERE = Path(__file__).parent
FOLDERS = {"sst2": "sst2", "ud_ewt": "ud_english_ewt", "etth1": "etth1"}
FIGURE = {"sst2": "accuracy", "ud_ewt": "accuracy", "etth1": "scaled_mse"}


def timed(command: list[str]) -> tuple[float, dict]:
    """Seconds of the process, and the JSON in its last line."""
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, json.loads(done.stdout.splitlines()[-1])


def compare(name: str, epochs: int, rounds: int, data: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = HERE.parent / "configs" / "benchmarks" / f"{name}.yaml"
        ours = [str(Path(sys.executable).with_name("rnncli")), "train", str(config)]
        ours += ["--set", f"data.root={data}", "--set", f"training.epochs={epochs}", "--set", "training.patience="]
        ours += ["--out", f"{folder}/run", "--force", "--json"]
        script = [sys.executable, str(HERE / "careful" / f"{name}.py"), "--data", str(data), "--epochs", str(epochs)]
        ratios, times, figures = [], [], []
        for _ in range(rounds):
            a, summary = timed(ours)
            b, by_hand = timed(script)
            ratios.append(a / b)
            times.append((a, b))
            figures.append((summary["test"][FIGURE[name]], by_hand["test"]))
    print(
        f"| {name} | {epochs} | {statistics.median(a for a, _ in times):.1f} | "
        f"{statistics.median(b for _, b in times):.1f} | {statistics.median(ratios):.2f} | "
        f"{min(ratios):.2f}-{max(ratios):.2f} | {FIGURE[name]} {figures[-1][0]:.4f} | {figures[-1][1]:.4f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+", choices=list(FOLDERS))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    root = Path(os.environ["RNNCLI_DATA"])
    print("| task | epochs | rnncli s | script s | ratio | spread | test: rnncli | script |")
    print("|---|---|---|---|---|---|---|---|")
    for name in given.tasks:
        compare(name, given.epochs, given.rounds, root / FOLDERS[name])


if __name__ == "__main__":
    main()
