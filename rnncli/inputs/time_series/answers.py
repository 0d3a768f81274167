"""Classes, label sets and numbers that series, or their steps, are to be mapped to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import DataError
from rnncli.inputs.targets import in_order, unseen
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.scaling import Scale, ScaleKind, fit
from rnncli.inputs.time_series.series import Series

AnswerKind = Literal["class", "labels", "value"]


@dataclass(frozen=True)
class Answers:
    """What the training part knows of the targets.

    Attributes:
        names: classes, labels or columns of values, in the order of their ids.
        counts: how often the training part has each class or label; empty for values.
        scale: of values; None for classes and labels.
        separator: what stands between the labels of a set.
    """

    kind: AnswerKind
    names: tuple[str, ...]
    counts: tuple[int, ...]
    scale: Scale | None
    separator: str

    @classmethod
    def fitted(
        cls, kind: AnswerKind, columns: Sequence[str], separator: str, scaling: ScaleKind, training: Sequence[Series]
    ) -> Answers:
        """Raises a DataError where the training part has no target, or fewer than two classes."""
        if kind == "value":
            values = np.concatenate([_numbers(series) for series in training])
            count = values.shape[1]
            names = tuple(columns) or (("value",) if count == 1 else tuple(f"value_{k + 1}" for k in range(count)))
            return cls(kind, names, (), fit(scaling, values), separator)
        found: Counter[str] = Counter()
        for _, _, text in _texts(training):
            found.update([text] if kind == "class" else _labels(text, separator))
        names = in_order(found)
        if kind == "class" and len(names) < 2:
            rows = found.total()
            raise DataError(
                f"all {rows} targets of the training part are {names[0]!r}; two classes are needed at least",
                training[0].source,
            )
        if not names:
            raise DataError("no target of the training part has a label", training[0].source)
        return cls(kind, names, tuple(found[name] for name in names), None, separator)

    def encode(self, series: Sequence[Series]) -> Tensor:
        """Those of all series end to end: (targets,) int64, (targets, labels) or (targets, values) float32.

        Raises:
            DataError: a class or label that the training part does not have; names its line.
        """
        if self.scale is not None:
            values = np.concatenate([_numbers(one) for one in series])
            return torch.from_numpy((values - self.scale.center) / self.scale.scale).float()
        ids = {name: position for position, name in enumerate(self.names)}
        if self.kind == "class":
            return torch.tensor(
                [self._id(ids, text, one, line) for one, line, text in _texts(series)], dtype=torch.int64
            )
        texts = list(_texts(series))
        sets = torch.zeros(len(texts), len(ids))
        for position, (one, line, text) in enumerate(texts):
            for label in _labels(text, self.separator):
                sets[position, self._id(ids, label, one, line)] = 1
        return sets

    def _id(self, ids: Mapping[str, int], name: str, series: Series, line: int | None) -> int:
        if name not in ids:
            raise DataError(unseen("class" if self.kind == "class" else "label", name, self.names), series.source, line)
        return ids[name]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "names": list(self.names),
            "counts": list(self.counts),
            "scale": None if self.scale is None else self.scale.to_json(),
            "separator": self.separator,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Answers:
        scale = None if saved["scale"] is None else Scale.from_json(saved["scale"])
        return cls(saved["kind"], tuple(saved["names"]), tuple(saved["counts"]), scale, saved["separator"])


def for_the_whole(series: Series) -> Series:
    """The same series with one target; a table says it in each of its rows, and they must agree.

    Raises:
        DataError: they don't.
    """
    label, numbers = series.label, series.target_values
    if label is not None and len(label) > 1:
        other = next((step for step, text in enumerate(label) if text != label[0]), None)
        if other is not None:
            raise DataError(
                f"the target {label[other]!r} differs from {label[0]!r}, which its series has before "
                "(task many-to-one takes one for the whole series)",
                series.source,
                int(series.lines[other]),
            )
        return replace(series, label=label[:1])
    if numbers is not None and len(numbers) > 1:
        same = (numbers == numbers[0]) | (np.isnan(numbers) & np.isnan(numbers[0]))
        if not same.all():
            other = int(np.argmin(same.all(axis=1)))
            raise DataError(
                f"the target {numbers[other].tolist()} differs from {numbers[0].tolist()}, which its series has "
                "before (task many-to-one takes one for the whole series)",
                series.source,
                int(series.lines[other]),
            )
        return replace(series, target_values=numbers[:1])
    return series


def for_each_step(series: Series) -> Series:
    """The same series, which has a target for each of its steps.

    Raises:
        DataError: it has one for the whole series.
    """
    answers = series.label if series.target_values is None else series.target_values
    if answers is not None and len(answers) != len(series):
        raise DataError(
            f"{called(series)} has {len(series)} steps and {len(answers)} target; only task many-to-one takes one for "
            "the whole series",
            series.source,
        )
    return series


def _texts(series: Sequence[Series]) -> Iterator[tuple[Series, int | None, str]]:
    for one in series:
        if one.label is None:
            raise DataError(f"{called(one)} has no target", one.source)
        for step, text in enumerate(one.label):
            yield one, int(one.lines[step]) if step < len(one.lines) else None, text


def _numbers(series: Series) -> np.ndarray:
    if series.target_values is None:
        raise DataError(f"{called(series)} has no target", series.source)
    return series.target_values


def _labels(text: str, separator: str) -> list[str]:
    return [label for part in text.split(separator) if (label := part.strip())]
