"""From series as read to the tensors that a model reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import DataError
from rnncli.inputs.batches import Ragged
from rnncli.inputs.features import Categories, Feature, Values
from rnncli.inputs.time_series.calendars import on_circles, refuse_constant
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.scaling import Scale, ScaleKind, Scaler, fit
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import CalendarName
from rnncli.inputs.vocabulary import Vocabulary


@dataclass(frozen=True)
class Encoded:
    """Series end to end.

    Attributes:
        truth: (steps, value columns) float32, scaled; NaN where not observed.
        values: (steps, width) float32, scaled; under the policy mask zero where missing, then as many columns that are
            1 where a value was observed; last those of the calendar.
        categories: by column, (steps,) int64 ids.
        offsets: (series + 1,) int64.
        scales: one a series.
    """

    truth: Tensor
    values: Tensor
    categories: dict[str, Tensor]
    offsets: np.ndarray
    scales: list[Scale]

    def ragged(self) -> dict[str, Ragged]:
        """What the model reads, by the names of its features."""
        numbers = {"values": self.values} if self.values.shape[1] else {}
        return {name: Ragged(flat, self.offsets) for name, flat in (numbers | self.categories).items()}


class Encoder:
    """Scales numbers and numbers categories, as fitted on the training part.

    Args:
        columns: of the values, as in `Reading.value_columns`.
        masked: whether the model is told which values were observed.
        calendar: what it is told of the time.
    """

    def __init__(
        self,
        columns: Sequence[str],
        masked: bool,
        scaler: Scaler,
        vocabularies: Mapping[str, Vocabulary],
        calendar: Sequence[CalendarName] = (),
    ) -> None:
        self.columns, self.masked, self.scaler, self.calendar = tuple(columns), masked, scaler, tuple(calendar)
        self.vocabularies = dict(vocabularies)

    @classmethod
    def fitted(
        cls,
        columns: Sequence[str],
        category_columns: Sequence[str],
        masked: bool,
        training: Sequence[Series],
        scaler: Scaler,
        calendar: Sequence[CalendarName] = (),
    ) -> Encoder:
        """An encoder whose vocabularies hold what the training series have.

        Raises:
            UserError: what the calendar says is the same at all of their steps.
        """
        refuse_constant(calendar, training)
        vocabularies = {}
        for position, column in enumerate(category_columns):
            counts: Counter[str] = Counter()
            for series in training:
                counts.update(series.categories[position])
            vocabularies[column] = Vocabulary.count(counts)
        return cls(columns, masked, scaler, vocabularies, calendar)

    @property
    def width(self) -> int:
        return len(self.columns) * (2 if self.masked else 1) + 2 * len(self.calendar)

    def known_ahead(self, columns: Sequence[str]) -> list[int]:
        """The positions in `Encoded.values` of what is known of the steps to come: these columns, whether they were
        observed, and the calendar."""
        known = [self.columns.index(column) for column in columns]
        observed = [len(self.columns) + position for position in known] if self.masked else []
        return [*known, *observed, *range(self.width - 2 * len(self.calendar), self.width)]

    def features(self, targets: tuple[int, ...] = ()) -> dict[str, Feature]:
        """What the model reads; `targets` are the positions of the columns that it forecasts."""
        numbers: dict[str, Feature] = {"values": Values(self.width, targets)} if self.width else {}
        return numbers | {column: Categories(words.size) for column, words in self.vocabularies.items()}

    def encode(self, series: Sequence[Series], scales: Sequence[Scale] | None = None) -> Encoded:
        """The series end to end.

        Args:
            scales: one a series; without them those of the scaler.

        Raises:
            DataError: a series has other columns than those of the training part.
        """
        for one in series:
            if one.values.shape[1] != len(self.columns) or len(one.categories) != len(self.vocabularies):
                wanted = ", ".join([*self.columns, *self.vocabularies])
                raise DataError(f"{called(one)} does not have the columns of the training part: {wanted}", one.source)
        lengths = np.array([len(one) for one in series], np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        scales = scales or [self.scaler.of(one.name, one.values) for one in series]
        values = np.empty((offsets[-1], len(self.columns)), np.float32)
        for one, scale, start in zip(series, scales, offsets, strict=False):
            values[start : start + len(one)] = (one.values - scale.center) / scale.scale
        truth = values
        if self.masked:
            missing = np.isnan(values)
            values = np.concatenate([np.where(missing, np.float32(0), values), ~missing], axis=1, dtype=np.float32)
        elif any(one.observed is not None for one in series):
            unknown = np.concatenate([np.isnan(one.truth) for one in series])
            truth = np.where(unknown, np.float32(np.nan), values)
        if self.calendar:
            told = np.concatenate([on_circles(one, self.calendar) for one in series])
            values = np.concatenate([values, told], axis=1, dtype=np.float32)
        categories = {
            column: torch.from_numpy(np.concatenate([words.encode(one.categories[position]) for one in series]))
            for position, (column, words) in enumerate(self.vocabularies.items())
        }
        return Encoded(torch.from_numpy(truth), torch.from_numpy(values), categories, offsets, list(scales))

    def to_json(self) -> dict[str, Any]:
        return {
            "columns": list(self.columns),
            "masked": self.masked,
            "scaler": self.scaler.to_json(),
            "categories": {column: words.to_json() for column, words in self.vocabularies.items()},
            "calendar": list(self.calendar),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Encoder:
        words = {column: Vocabulary.from_json(entries) for column, entries in saved["categories"].items()}
        scaler = Scaler.from_json(saved["scaler"])
        return cls(saved["columns"], saved["masked"], scaler, words, saved.get("calendar", []))


def common_scaler(kind: ScaleKind, training: Sequence[Series]) -> Scaler:
    """One scale for all series, fitted on their steps together."""
    return Scaler(kind, fit(kind, np.concatenate([series.values for series in training])))


def own_scaler(kind: ScaleKind, training: Sequence[Series]) -> Scaler:
    """A scale for each of these series, kept under its name."""
    return Scaler(kind, by_name={series.name: fit(kind, series.values) for series in training})
