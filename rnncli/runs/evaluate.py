"""Metrics of a finished or running run, on its own parts or on other files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rnncli.errors import RunError
from rnncli.inputs.batches import Dataset
from rnncli.models.transcriber import fitting_notes
from rnncli.runs.assembly import evaluation_size, new_loader
from rnncli.runs.load import LoadedRun
from rnncli.runs.summary import finite, hashes
from rnncli.tasks.evaluation import evaluate


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        of: the part or file.
        values: metric name -> value, NaN as None.
        signatures: metric name -> how it was measured, of the metrics that are quoted with that.
        confusion: rows are true classes, columns predicted ones, in the order of `names`; None where it has no sense.
        notes: what there is to say about the data.
    """

    of: str
    size: int
    unit: str
    values: dict[str, Any]
    signatures: dict[str, str]
    names: tuple[str, ...]
    confusion: list[list[int]] | None
    notes: list[str]


def evaluate_run(run: LoadedRun, data: Path | None, split: Literal["train", "valid", "test"]) -> Evaluated:
    """The metrics of the best weights on a file, or on a part of the run's own data.

    Raises:
        RunError: the run's own data are not what they were, or have no such part.
        DataError: a file can't be used.
    """
    if data is not None:
        return _evaluated(run, run.loader.labelled(data), str(data), run.loader.notes)
    loader = new_loader(run.config)
    parts = loader.load(run.config.training.limit, run.config.training.refit)
    if list(hashes(loader.files).values()) != list(run.directory.data_hashes().values()):
        raise RunError(
            f"{run.directory.path}: the data have changed since the run was trained; name a file to evaluate"
        )
    if split not in parts:
        raise RunError(f"{run.directory.path}: the run has no {split} part; it has {', '.join(parts)}")
    return _evaluated(run, parts[split], split, loader.notes)


def _evaluated(run: LoadedRun, data: Dataset, of: str, notes: list[str]) -> Evaluated:
    target = run.loader.target
    size = evaluation_size(run.config, run.loader)
    scores = evaluate(run.model, target, data, size, run.device, run.threshold, run.config.decoding)
    confusion = scores.confusion()
    return Evaluated(
        of,
        len(data),
        data.unit,
        finite(scores.values()),
        scores.signatures(),
        () if target.kind in ("token", "sequence") else target.names,  # a vocabulary is no list of classes
        None if confusion is None else confusion.tolist(),
        [*notes, *fitting_notes(run.model, [(of, data)])],
    )
