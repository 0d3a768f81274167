"""A small ablation as a file, the command that runs it, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

RNNCLI = str(Path(sys.executable).with_name("rnncli"))
PATIENCE = 120.0
"""Seconds that something may take to happen."""


def write_ablation(folder: Path, *, training: dict[str, Any] | None = None, **changes: Any) -> Path:
    """`ablation.yaml` of two cells with two seeds each, and its `base.yaml`.

    Args:
        training: changes of the base's training.
        changes: of the ablation; None leaves a key out.
    """
    base = {
        "task": "many-to-one",
        "data": {
            "loader": "synthetic", "name": "adding", "length": 10, "sizes": {"train": 200, "valid": 50, "test": 60}
        },
        "model": {"cell": {"type": "lstm", "hidden_size": 4}, "dropout": {"output": 0.1}},
        "training": {"epochs": 2, "batch_size": 20, **(training or {})},
    }  # fmt: skip
    usual = {"base": "base.yaml", "vary": {"model.cell.type": ["lstm", "gru"]}, "seeds": 2, "metric": "test.rmse"}
    plain = {key: value for key, value in {**usual, **changes}.items() if value is not None}
    (folder / "base.yaml").write_text(yaml.safe_dump(base, sort_keys=False))
    (folder / "ablation.yaml").write_text(yaml.safe_dump(plain, sort_keys=False))
    return folder / "ablation.yaml"


def ablation(*words: object, **how: Any) -> subprocess.CompletedProcess[str]:
    """`rnncli ablate` to its end; what it says comes back as text."""
    command = [RNNCLI, "ablate", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **how)


def started(*words: object) -> subprocess.Popen[str]:
    """`rnncli ablate` as the leader of a group, as a shell would start it."""
    return subprocess.Popen(
        [RNNCLI, "ablate", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def until(happened: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.02)


def children(parent: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, of = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue  # gone
        if int(of) == parent and state != "Z":
            found.append(int(status.parent.name))
    return found


def gone(process: int) -> bool:
    """Whether a process has ended, whoever looks after its remains."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def holder(lock: Path) -> int | None:
    """The process that holds a lock."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = any(entry.readlink() == lock for entry in (process / "fd").iterdir())
        except OSError:
            continue  # not ours, or gone
        if held and int(process.name) != os.getpid():
            return int(process.name)
    return None


def figures(ablated: Path) -> dict[str, Any]:
    """Of each run that is done what does not depend on time: summary and weights, bit for bit."""
    found = {}
    for summary in sorted((ablated / "runs").rglob("summary.json")):
        content = json.loads(summary.read_text())
        del content["seconds"]
        found[str(summary.parent.relative_to(ablated / "runs"))] = (
            content,
            (summary.parent / "weights.safetensors").read_bytes(),
        )
    return found


def rows(ablated: Path) -> dict[str, dict[str, Any]]:
    """The rows of `results.csv` by the names of their runs."""
    import csv

    with (ablated / "results.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"].removeprefix("runs/"): row for row in csv.DictReader(file)}
