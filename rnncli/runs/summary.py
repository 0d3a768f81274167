"""`summary.json`: the figures of a finished run. Its keys are documented here and do not change.

task, loader, target   what was learnt: the task mode, the loader, the kind of the target
valid, test            metric name -> value, of the best weights; {} where there is no such part
baseline               metric name -> value of the naive answer on the same test (or else validation) part
baseline_name          what the naive answer is
signatures             metric name -> how it was measured on that part, of the metrics that are quoted with it
metric                 the metric that chose the best epoch
best_epoch, best_step  when it was best
epochs, steps          how much was trained
ended                  why: epochs, patience or time
threshold              probability from which the second of two classes is predicted, or null
engine, engine_reason  how the cell was run over time, and why so
parameters             trainable numbers of the model
hidden_size            units of each recurrent layer
flops                  floating-point operations of one step of one sequence in all recurrent layers
sizes                  part -> rows, windows or tokens
seconds                total (all sittings), per_epoch (a list)
device, threads        where it was computed; bits depend on both
versions               rnncli, torch, python
data                   file -> SHA-256 of what was read
notes                  what was said about the data
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

import rnncli
from rnncli.inputs.files import sha256
from rnncli.metrics.metric import given
from rnncli.metrics.threshold import best_threshold
from rnncli.runs.assembly import Assembled, evaluation_size
from rnncli.tasks.baselines import baseline
from rnncli.tasks.evaluation import evaluate, outcomes
from rnncli.training.progress import Progress


def summarise(
    parts: Assembled, progress: Progress, ended: str, data: Mapping[str, str], notes: list[str]
) -> dict[str, Any]:
    """The summary of a run whose model has its best weights.

    Args:
        data: file -> SHA-256.
    """
    config, model, target = parts.config, parts.model, parts.loader.target
    size = evaluation_size(config, parts.loader)
    threshold = _threshold(parts) if config.training.choose_threshold else None
    measured = {
        part: evaluate(model, target, dataset, size, parts.device, threshold, config.decoding)
        for part, dataset in parts.data.items()
        if part != "train"
    }
    scores = {part: each.values() for part, each in measured.items()}
    signed = measured.get("test", measured.get("valid"))
    compared = parts.data.get("test", parts.data.get("valid"))
    naive = None if compared is None else baseline(target, parts.data["train"], compared, size)
    return {
        "task": config.task,
        "loader": config.data.loader,
        "target": target.kind,
        "valid": finite(scores.get("valid", {})),
        "test": finite(scores.get("test", {})),
        "baseline": finite(naive.scores) if naive else {},
        "baseline_name": naive.name if naive else None,
        "signatures": signed.signatures() if signed else {},
        "metric": parts.metric,
        "best_epoch": progress.best_epoch,
        "best_step": progress.best_step,
        "epochs": progress.epoch,
        "steps": progress.step,
        "ended": ended,
        "threshold": threshold,
        "engine": model.engine,
        "engine_reason": model.engine_reason,
        "parameters": model.parameter_count,
        "hidden_size": config.model.cell.hidden_size,
        "flops": model.flops,
        "sizes": {name: len(dataset) for name, dataset in parts.data.items()},
        "seconds": {"total": progress.seconds, "per_epoch": progress.epoch_seconds},
        "device": str(parts.device),
        "threads": torch.get_num_threads(),
        "versions": {"rnncli": rnncli.__version__, "torch": torch.__version__, "python": platform.python_version()},
        "data": dict(data),
        "notes": notes,
    }


def _threshold(parts: Assembled) -> float:
    """The threshold that is best for F1 on the validation part."""
    size = evaluation_size(parts.config, parts.loader)
    found = outcomes(parts.model, parts.data["valid"], size, parts.device)
    pairs = [(given(outcome.probabilities)[:, 1], given(outcome.target)) for _, outcome in found]
    positive, truth = (np.concatenate(each) for each in zip(*pairs, strict=True))
    return best_threshold(positive, truth)


def hashes(files: list[Path]) -> dict[str, str]:
    """File -> SHA-256, in the order of reading."""
    return {str(path): sha256(path) for path in dict.fromkeys(files)}


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """Metrics as JSON knows numbers: what is not finite becomes null."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
