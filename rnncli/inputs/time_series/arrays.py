"""One array a file, .npy or .npz, of (time,) or (time, features); its target stands in an index table.

An index is a table with a column `file` (relative to the index, or else to data.root) and the columns of the target:
    file,label
    clips/0001.npy,jump
It is given in place of the arrays, or as data.index, which is asked about the files that data.train names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from rnncli.errors import DataError, unknown
from rnncli.inputs.arrays import DAMAGE
from rnncli.inputs.files import OnBadRow, damage, open_binary, suffix
from rnncli.inputs.tables import Row, format_of, require, rows
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.whole_target import give_target

SUFFIXES = (".npy", ".npz")


def looked_up(settings: TimeSeriesSettings, on_bad_row: OnBadRow | None) -> dict[Path, Row]:
    """The rows of data.index by the files that they are about; none without an index."""
    found: dict[Path, Row] = {}
    if settings.index is not None:
        for row in _index(settings.index, settings, on_bad_row):
            found.setdefault(_located(row, settings.index, settings).resolve(), row)
    return found


def read(
    path: Path,
    settings: TimeSeriesSettings,
    with_target: bool,
    on_bad_row: OnBadRow | None,
    known: Mapping[Path, Row],
) -> Iterator[Series]:
    """The array of a file, or the arrays of an index one after another.

    Args:
        known: the rows of data.index.
    """
    wanted = settings.target.names if with_target and settings.target.kind in ("class", "labels", "value") else []
    if suffix(path) in SUFFIXES:
        index = settings.index if wanted else None
        entries: Iterator[tuple[Path, Row | None]] = iter([(path, known.get(path.resolve()))])
    else:
        index = path
        entries = ((_located(row, path, settings), row) for row in _index(path, settings, on_bad_row))
    for file, row in entries:
        try:
            series = Series(
                file.name.partition(".")[0], str(file), np.empty(0, int), None, None, array(file, settings.array)
            )
            series.lines = np.arange(1, len(series) + 1)
            if row is not None and index is not None:
                series.rows = [row.values]
                require(row.values, wanted, index, "data.target.columns")
                if wanted:
                    give_target(series, [row.values[name] for name in wanted], settings, index, row.line)
            elif index is not None:
                raise DataError(f"is not in the index {index}", file)
            elif wanted:
                raise DataError("has no target: data.index must name a table with the column file and the target", file)
        except DataError as error:
            if on_bad_row is None:
                raise
            on_bad_row(error)
            continue
        yield series


def array(path: Path, key: str | None) -> np.ndarray:
    """The numbers of a file, (time, features) float64.

    Raises:
        DataError: the file is no array of finite numbers, NaN allowed, of one or two axes and at least one step.
    """
    unreadable: tuple[type[Exception], ...] = (*damage(), *DAMAGE)
    try:
        with open_binary(path) as file:
            loaded = np.load(file, allow_pickle=False)
            values = loaded if isinstance(loaded, np.ndarray) else loaded[_key(list(loaded.files), key, path)]
    except unreadable as error:
        if "allow_pickle" in str(error):
            raise DataError(
                "is no array of numbers in the format of NumPy, or holds Python objects, which are never loaded", path
            ) from None
        raise DataError(f"can't be read as an array ({error})", path) from None
    if values.dtype.kind not in "fiub":
        raise DataError(f"holds {values.dtype} where numbers are needed", path)
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise DataError(f"has the shape {values.shape}; (time,) or (time, features) is needed, none of them 0", path)
    values = values.astype(np.float64).reshape(len(values), -1)
    if np.isinf(values).any():
        step = int(np.isinf(values).any(axis=1).argmax())
        raise DataError(f"step {step + 1} holds an infinite number", path)
    return np.asarray(values)


def _key(names: list[str], key: str | None, path: Path) -> str:
    if key is not None:
        if key not in names:
            raise DataError(unknown("array (data.array)", key, names), path)
        return key
    if len(names) != 1:
        raise DataError(f"holds {len(names)} arrays; data.array must name one of them: {', '.join(names)}", path)
    return names[0]


def _index(path: Path, settings: TimeSeriesSettings, on_bad_row: OnBadRow | None) -> Iterator[Row]:
    format = format_of(path)
    if format is None:
        raise DataError("is neither an array (.npy, .npz) nor an index (a table .csv, .tsv, .jsonl, .parquet)", path)
    for row in rows(
        path,
        format,
        columns=settings.columns,
        separator=settings.separator,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    ):
        require(row.values, ["file"], path, "an index of arrays")
        yield row


def _located(row: Row, index: Path, settings: TimeSeriesSettings) -> Path:
    beside = index.parent / row.values["file"]
    if not beside.exists() and settings.root is not None and (settings.root / row.values["file"]).exists():
        return settings.root / row.values["file"]
    return beside
