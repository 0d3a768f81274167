"""Which columns play which part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnncli.errors import DataError
from rnncli.inputs.tables import require
from rnncli.inputs.time_series.settings import TimeSeriesSettings


@dataclass(frozen=True)
class Roles:
    """Columns by their part, as the settings name them.

    Attributes:
        inputs: numbers that the model reads: targets that are inputs too first, then covariates; empty where the
            settings name none.
        label: holds the class or the labels.
        targets: numbers that are only targets.
    """

    inputs: tuple[str, ...]
    categories: tuple[str, ...]
    label: str | None
    targets: tuple[str, ...]
    series: str | None
    time: str | None

    @property
    def needed(self) -> list[str]:
        """Every column that is read, once."""
        single = [name for name in (self.series, self.time, self.label) if name is not None]
        return list(dict.fromkeys([*single, *self.inputs, *self.categories, *self.targets]))

    @property
    def only_targets(self) -> list[str]:
        """The columns that nothing but the target needs."""
        return [*self.targets, *([] if self.label is None else [self.label])]

    def check(self, columns: Sequence[str], place: str | Path) -> None:
        """Raises a DataError where a column is not in the table."""
        asked = {
            "data.series": [self.series] if self.series else [],
            "data.time": [self.time] if self.time else [],
            "data.target.columns": self.only_targets,
            "data.target.columns or data.covariates": list(self.inputs),
            "data.categories": list(self.categories),
        }
        for setting, names in asked.items():
            require(columns, names, place, setting)


def roles(settings: TimeSeriesSettings, with_target: bool) -> Roles:
    """The roles that the settings give, those of targets alone only on demand."""
    kind, named = settings.target.kind, settings.target.names
    joint = kind in ("forecast", "next")
    return Roles(
        inputs=tuple(dict.fromkeys([*(named if joint else []), *settings.covariates])),
        categories=tuple(settings.categories),
        label=named[0] if with_target and kind in ("class", "labels") and named else None,
        targets=tuple(named) if with_target and kind == "value" else (),
        series=settings.series,
        time=settings.time,
    )


def chosen(names: Sequence[str], settings: TimeSeriesSettings, place: str | Path) -> list[str]:
    """Which columns of a file that has nothing but inputs are read: those named, or without names all of them.

    Raises:
        DataError: one that is named is not there.
    """
    wanted = roles(settings, with_target=False).inputs
    require(names, wanted, place, "data.target.columns or data.covariates")
    if settings.target.kind in ("forecast", "next") and not settings.target.names and wanted:
        raise DataError("data.covariates are named, so data.target.columns must name what is to be forecast", place)
    return list(wanted or names)
