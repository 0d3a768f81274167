"""Files of any form, read whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow, check_exists, suffix
from rnncli.inputs.tables import FORMATS, Row
from rnncli.inputs.time_series import arrays, frames, table, ts_file, wide
from rnncli.inputs.time_series.decoding import Decoder
from rnncli.inputs.time_series.grouping import SHOWN, gap_notes, joined, ordered, parted
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.roles import Roles, chosen, roles
from rnncli.inputs.time_series.series import Reading, Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.table import TableFormat, TableSource, place_of

Form = Literal["csv", "tsv", "parquet", "ts", "arrays", "frames"]

BY_SUFFIX: dict[str, Form] = {
    **{end: format for end, format in FORMATS.items() if format != "jsonl"},
    **dict.fromkeys(arrays.SUFFIXES, "arrays"),
    ".ts": "ts",
    ".json": "frames",
}
"""The form that a suffix stands for."""


def read_series(
    paths: Sequence[Path],
    settings: TimeSeriesSettings,
    *,
    limit: int | None = None,
    with_target: bool = True,
    part: str | None = None,
    keep_rows: bool = False,
    on_bad_row: OnBadRow | None = None,
) -> Reading:
    """All series of files and folders.

    Args:
        limit: rows of each long table, series of the other forms, for a quick try.
        with_target: whether columns that are only targets are read; without, they need not be there.
        part: which part to take of a frames file that holds several.
        keep_rows: keep the own columns of the rows as text.
        on_bad_row: is told of each row that can't be read and is left out, instead of an error being raised.

    Raises:
        DataError: a file, a row or a cell can't be used, or there are no series at all.
    """
    files = files_of(paths, settings)
    reading = Reading([], list(settings.categories), [], files=files)
    known = arrays.looked_up(settings, on_bad_row) if with_target else {}
    moved: list[Series] = []
    for path in files:
        form = form_of(path, settings)
        if settings.layout == "long" and form in ("csv", "tsv", "parquet"):
            found = _long(path, form, settings, limit, with_target, keep_rows, on_bad_row)
            for one in found:
                if not one.name and len(files) > 1:
                    one.name = path.name.partition(".")[0]
                one, was_moved = ordered(one, str(path), on_bad_row)
                moved += [one] if was_moved else []
                reading.series.append(one)
            reading.value_columns = list(roles(settings, with_target).inputs)
            continue
        for one in islice(others(path, form, settings, with_target, part, on_bad_row, known), limit):
            names, one = selected(one, form, settings)
            if reading.series and reading.value_columns != names:
                before = reading.series[0]
                raise DataError(
                    f"has {one.values.shape[1]} columns of values where {before.source} has {before.values.shape[1]}",
                    one.source,
                )
            reading.value_columns = names
            reading.series.append(one)
    if not reading.series:
        raise DataError("has no rows that can be used", files[0])
    if moved:
        shown = ", ".join(called(one) for one in moved[:SHOWN])
        more = f" and {len(moved) - SHOWN} more" if len(moved) > SHOWN else ""
        reading.notes.append(f"{shown}{more}: rows sorted by time")
    reading.notes += gap_notes(reading.series)
    return reading


def files_of(paths: Sequence[Path], settings: TimeSeriesSettings) -> list[Path]:
    """The files, folders replaced by the files in them that are of a known form (of the form that is set)."""
    files: list[Path] = []
    for path in paths:
        check_exists(path)
        if not path.is_dir():
            files.append(path)
            continue
        wanted = "arrays" if settings.index or settings.array else settings.format
        inside = [entry for entry in sorted(path.iterdir()) if BY_SUFFIX.get(suffix(entry)) is not None]
        inside = [entry for entry in inside if wanted in ("auto", BY_SUFFIX[suffix(entry)])]
        forms = {BY_SUFFIX[suffix(entry)] for entry in inside}
        if len(forms) > 1:
            raise DataError(f"holds files of several forms ({', '.join(sorted(forms))}); data.format must choose", path)
        if not inside:
            ends = ", ".join(end for end, form in BY_SUFFIX.items() if wanted in ("auto", form))
            raise DataError(f"holds no file whose name ends in {ends}", path)
        files += inside
    return files


def form_of(source: TableSource, settings: TimeSeriesSettings) -> Form:
    """The form that is set, or else the one that the name says; CSV for what has no name."""
    if settings.format != "auto":
        return settings.format
    if not isinstance(source, Path):
        return "csv"
    if settings.index is not None or settings.array is not None:
        return "arrays"
    form = BY_SUFFIX.get(suffix(source))
    if form is None:
        raise DataError(
            "its name doesn't say its form; data.format must (csv, tsv, parquet, ts, arrays, frames)", source
        )
    return form


def others(
    source: TableSource,
    form: Form,
    settings: TimeSeriesSettings,
    with_target: bool,
    part: str | None,
    on_bad_row: OnBadRow | None,
    known: Mapping[Path, Row] = MappingProxyType({}),
) -> Iterator[Series]:
    """The series of a source that is no long table, one after another.

    Args:
        known: of arrays, the rows of data.index.
    """
    if settings.categories:
        raise DataError("data.categories are columns of long tables; this is none", place_of(source))
    if form in ("csv", "tsv", "parquet"):
        found = wide.read(source, form, settings, with_target, on_bad_row)
    elif isinstance(source, pd.DataFrame):
        raise DataError(f"a frame is a table, but data.format is {form}")
    elif form == "ts":
        found = ts_file.read(source, settings, with_target, on_bad_row)
    elif form == "frames":
        if with_target and settings.target.kind not in ("next", "forecast"):
            raise DataError(f"frames hold no target of the kind {settings.target.kind}; data.target.kind: next does")
        found = frames.read(source, settings, part, on_bad_row)
    elif isinstance(source, Path):
        found = arrays.read(source, settings, with_target, on_bad_row, known)
    else:
        raise DataError("arrays are read from files, not from standard input")
    yield from found


def selected(series: Series, form: Form, settings: TimeSeriesSettings) -> tuple[list[str], Series]:
    """The names of the values that the settings ask for, and the series with only these."""
    width, own = series.values.shape[1], settings.target.kind in ("forecast", "next")
    if form == "frames":
        names = frames.columns(settings)
    elif form in ("ts", "arrays"):
        noun = "dimension" if form == "ts" else "feature"
        names = ["value"] if width == 1 else [f"{noun}_{number}" for number in range(1, width + 1)]
    else:
        # The values of a wide table have no column name of their own: the user's, if any.
        names = settings.target.names[:1] if own else []
        names = names or ["value"]
    wanted = chosen(names, settings, series.source)
    if wanted != names:
        series.values = series.values[:, [names.index(name) for name in wanted]]
    return wanted, series


def _long(
    path: Path,
    form: TableFormat,
    settings: TimeSeriesSettings,
    limit: int | None,
    with_target: bool,
    keep_rows: bool,
    on_bad_row: OnBadRow | None,
) -> list[Series]:
    parts = table_roles(settings, with_target)
    decoder = Decoder(path, parts, settings, on_bad_row)
    rows = table.tables(path, form, parts, settings, on_bad_row, limit=limit, keep_rows=keep_rows)
    blocks = [decoder.decode(some) for some in rows]
    if not blocks:
        raise DataError("has no rows", place_of(path))
    ids = [block.ids for block in blocks if block.ids is not None]
    return parted(joined([block.steps for block in blocks]), np.concatenate(ids) if ids else None)


def table_roles(settings: TimeSeriesSettings, with_target: bool) -> Roles:
    """The roles of a long table's columns, which must be named.

    Raises:
        DataError: the settings name no column that the model reads, or no target.
    """
    parts = roles(settings, with_target)
    if settings.target.columns is None:
        raise DataError("data.target.columns must name the column or columns of the table that hold the target")
    if not parts.inputs and not parts.categories and not settings.calendar:
        raise DataError("data.covariates or data.categories must name the columns of the table that the model reads")
    return parts
