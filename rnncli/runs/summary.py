"""`summary.json`: the figures of a finished run. Its keys are documented here and do not change.

task, loader, target   what was learnt: the task mode, the loader, the kind of the target
valid, test            metric name -> value, of the best weights; {} where there is no such part
baseline               metric name -> value of the naive answer on the same test (or else validation) part
baseline_name          what the naive answer is
metric                 the metric that chose the best epoch
best_epoch, best_step  when it was best
epochs, steps          how much was trained
ended                  epochs, patience or time
threshold              probability from which the second of two classes is predicted, or null
engine, engine_reason  how the cell was run over time, and why so
parameters             trainable numbers of the model
sizes                  part -> rows, windows or tokens
seconds                total (all sittings), per_epoch (a list)
device, threads        where it was computed; bits depend on both
versions               rnncli, torch, python
data                   file -> SHA-256 of what was read
notes                  what was said about the data
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import torch

import rnncli
from rnncli.inputs.files import sha256


def versions() -> dict[str, str]:
    return {"rnncli": rnncli.__version__, "torch": torch.__version__, "python": platform.python_version()}


def hashes(files: list[Path]) -> dict[str, str]:
    return {str(path): sha256(path) for path in dict.fromkeys(files)}


def finite(values: dict[str, float]) -> dict[str, Any]:
    """Metrics as JSON knows numbers: what is not finite becomes null."""
    return {name: value if abs(value) < float("inf") else None for name, value in values.items()}
