"""What stands in a target column, and the numbers that a model is to give."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import DataError
from rnncli.inputs.batches import Batch, Ragged, Sequences
from rnncli.inputs.numbers import number
from rnncli.inputs.targets import Target, in_order, unseen
from rnncli.inputs.text.settings import TextTarget

Answer = str | tuple[str, ...] | float
"""One class, a set of labels, a number."""


def parse(raw: str, settings: TextTarget) -> Answer:
    """The answer that a cell holds.

    A set of labels may be empty, and may be a JSON list.

    Raises:
        ValueError: it holds none; says why.
    """
    if settings.kind == "labels":
        stripped = (str(part).strip() for part in _labels(raw, settings.separator))
        return tuple(dict.fromkeys(label for label in stripped if label))
    if not raw.strip():
        raise ValueError(f"has no {settings.kind}" + (f" in column {settings.column!r}" if settings.column else ""))
    if settings.kind == "class":
        return raw
    return number(raw, settings.column)


def _labels(raw: str, separator: str) -> list[Any]:
    if raw.startswith("["):
        try:
            listed: list[Any] = json.loads(raw)
            return listed
        except json.JSONDecodeError:
            pass  # A label may begin with a bracket.
    return raw.split(separator)


def fit(answers: Sequence[Any], settings: TextTarget, path: Path) -> Target:
    """The target, by the answers of the training part, which begins at `path`.

    Raises:
        DataError: a training part with fewer than two classes, or without labels.
    """
    if settings.kind == "value":
        return Target("value", (settings.column or "value",))
    labels = settings.kind == "labels"
    counts = Counter(label for answer in answers for label in (answer if labels else [answer]))
    if labels and not counts:
        raise DataError("the training part has no labels: there is nothing to learn", path)
    if not labels and len(counts) < 2:
        raise DataError(
            f"the training part has only one class, {next(iter(counts))!r}: a classifier needs at least two", path
        )
    names = in_order(counts)
    return Target("labels" if labels else "class", names, tuple(counts[name] for name in names))


def unknown(answer: Any, target: Target, known: set[str]) -> str | None:
    """A sentence about the class or label that the training part lacks; None where it has all."""
    if target.kind == "value":
        return None
    for name in answer if target.kind == "labels" else [answer]:
        if name not in known:
            return unseen("label" if target.kind == "labels" else "class", name, target.names)
    return None


def encode(answers: Sequence[Any], target: Target, center: float, scale: float) -> Tensor:
    """(texts,) int64 classes; (texts, labels) float32; (texts, 1) float32 values, scaled."""
    if target.kind == "value":
        values = (np.array(answers, np.float64) - center) / scale
        return torch.from_numpy(values.astype(np.float32)[:, None])
    ids = {name: position for position, name in enumerate(target.names)}
    if target.kind == "class":
        return torch.tensor([ids[answer] for answer in answers], dtype=torch.int64)
    table = torch.zeros(len(answers), len(ids))
    chosen = [(row, ids[label]) for row, answer in enumerate(answers) for label in answer]
    if chosen:
        table[tuple(torch.tensor(chosen).T)] = 1
    return table


class ScaledSequences(Sequences):
    """Sequences with one value each, which stands for `value * scale + center`."""

    def __init__(self, inputs: dict[str, Ragged], targets: Tensor, center: float, scale: float) -> None:
        super().__init__(inputs, targets)
        self._center, self._scale = center, scale

    def batch(self, rows: np.ndarray) -> Batch:
        shape = (len(rows), 1)
        return replace(
            super().batch(rows), center=torch.full(shape, self._center), scale=torch.full(shape, self._scale)
        )
