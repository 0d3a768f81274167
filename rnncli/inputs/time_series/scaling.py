"""Scales of columns, fitted on the training part and taken back in every output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

ScaleKind = Literal["standard", "minmax", "robust", "none"]


@dataclass(frozen=True)
class Scale:
    """One center and one scale a column: x is read as `(x - center) / scale`.

    Attributes:
        center, scale: (columns,) float64, in the columns' own units.
    """

    center: np.ndarray
    scale: np.ndarray

    def to_json(self) -> dict[str, list[float]]:
        return {"center": self.center.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Scale:
        return cls(np.asarray(saved["center"], np.float64), np.asarray(saved["scale"], np.float64))


def fit(kind: ScaleKind, values: np.ndarray) -> Scale:
    """The scale of each column of `values` (steps, columns), missing values (NaN) left out.

    A column with one distinct value, or with none at all, gets the scale 1.
    """
    columns = values.shape[1]
    absent = np.isnan(values).all(axis=0) if len(values) else np.ones(columns, bool)
    if kind == "none" or absent.all():
        return Scale(np.zeros(columns), np.ones(columns))
    seen = np.where(absent, 0.0, values)
    low, high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
    if kind == "standard":
        center, scale = np.nanmean(seen, axis=0), np.nanstd(seen, axis=0)
    elif kind == "minmax":
        center, scale = low, high - low
    else:
        quarter, center, three_quarters = np.nanpercentile(seen, (25, 50, 75), axis=0)
        scale = three_quarters - quarter
    # The deviation of equal values is not always exactly zero in floating point, hence the look at low and high.
    return Scale(center, np.where((low == high) | (scale == 0), 1.0, scale))


class Scaler:
    """The scale of every series: one for all, or one for each.

    Attributes:
        common: the scale of all series together; None where each has its own.
        by_name: the scales of the series of the training part, where each has its own and its name is known later.
    """

    def __init__(
        self, kind: ScaleKind, common: Scale | None = None, by_name: Mapping[str, Scale] | None = None
    ) -> None:
        self.kind, self.common = kind, common
        self.by_name = dict(by_name or {})

    def of(self, name: str, values: np.ndarray) -> Scale:
        """The scale of a series; one that the training part has not is scaled by its own `values` (steps, columns)."""
        if self.common is not None:
            return self.common
        return self.by_name.get(name) or fit(self.kind, values)

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "common": None if self.common is None else self.common.to_json(),
            "by_name": {name: scale.to_json() for name, scale in self.by_name.items()},
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Scaler:
        common = None if saved["common"] is None else Scale.from_json(saved["common"])
        return cls(saved["kind"], common, {name: Scale.from_json(scale) for name, scale in saved["by_name"].items()})
