"""Tables of numbers: forecasts, and classes of rows or of whole series."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from rnncli.errors import UserError
from rnncli.inputs.time_series import times
from rnncli.runs.starting.answers import class_shares
from rnncli.runs.starting.columns import Column, Times
from rnncli.runs.starting.draft import Draft, Line
from rnncli.runs.starting.siblings import Parts
from rnncli.runs.starting.table import Table, look_at_table
from rnncli.runs.starting.whole_series import network, schedule
from rnncli.runs.starting.windows import SHARE, Season, Windows, season_by_times, season_by_values, windows

_SERIES_NAMES = ("id", "series", "series_id", "unique_id", "item", "item_id", "symbol", "ticker", "store", "sensor")
_MANY_WINDOWS = 20_000
_MANY_CATEGORIES = 50
_WIDE = 8


@dataclass(frozen=True)
class Roles:
    """Which column plays which part in a table with one step a row."""

    time: Column | None
    series: Column | None
    numbers: list[Column]
    categories: list[Column]
    classes: list[Column]


def draft_table(parts: Parts, task: str | None) -> Draft:
    """A config for a table of numbers.

    Raises:
        UserError: the file can't serve the task.
    """
    table = look_at_table(parts.train)
    if is_wide(table):
        return _wide(table, parts, task or "many-to-many")
    roles = roles_of(table)
    if not roles.numbers:
        raise UserError(
            f"{table.path}: no column holds numbers (its columns: {table.listed}); --loader text reads texts"
        )
    if task == "many-to-one" and roles.series is not None:
        answers = [column for column in roles.classes if _constant(roles.series, column)]
        if answers:
            return _series_class(table, roles, answers[-1], parts)
    if roles.classes and (task == "one-to-one" or (task is None and roles.time is None and roles.series is None)):
        return _row_class(table, roles, roles.classes[-1], parts)
    return _forecast(table, roles, parts, task or "many-to-many")


def is_wide(table: Table) -> bool:
    """One series a row: a name that no other has, then numbers."""
    first, *others = table.columns
    unique = not first.numeric and first.times is None and len(first.counts) == table.rows
    return unique and len(others) >= _WIDE and all(column.numeric or not column.filled for column in others)


def roles_of(table: Table) -> Roles:
    """The parts of the columns, by what they hold."""
    time = next((column for column in table.columns if column.times is not None), None)
    others = [column for column in table.columns if column is not time and column.filled]
    series = _series(time, others)
    rest = [column for column in others if column is not series]
    numbers = [column for column in rest if column.numeric and not column.numbered and len(column.counts) > 1]
    texts = [column for column in rest if not column.numeric and 2 <= len(column.counts) <= _MANY_CATEGORIES]
    texts = [column for column in texts if column.classes]
    called = [
        column for column in numbers if column.classes and column.name.lower() in ("class", "label", "target", "y")
    ]
    return Roles(time, series, [one for one in numbers if one not in called], texts, [*called, *texts])


def _series(time: Column | None, others: list[Column]) -> Column | None:
    """The column that names the series: with it, each of its times stands there once and ascends."""
    named = [column for column in others if column.name.lower().strip() in _SERIES_NAMES and not column.numbered]
    if time is None:
        repeated = [column for column in named if 1 < len(column.counts) <= len(column.cells) // 3]
        return repeated[0] if repeated else None
    if cast(Times, time.times).ascending:
        return next((column for column in named if len(column.counts) == 1), None)
    keys = [*named, *(column for column in others if not column.numeric or column.whole)]
    for column in keys:
        pairs = set(zip(column.cells, time.cells, strict=True))
        if len(pairs) == len(time.cells) and len(column.counts) <= len(column.cells) // 2:
            return column
    return None


def _constant(series: Column, column: Column) -> bool:
    """Whether a column says the same in all rows of a series."""
    return len(set(zip(series.cells, column.cells, strict=True))) == len(set(series.cells)) < len(series.cells)


def _renamed(table: Table, roles: Roles) -> dict[str, str]:
    """Names for the columns of a table without a header line."""
    if table.header:
        return {column.name: column.name for column in table.columns}
    named = {column.name: column.name for column in table.columns}
    for column, name in ((roles.time, "time"), (roles.series, "series")):
        if column is not None:
            named[column.name] = name
    return named


def _forecast(table: Table, roles: Roles, parts: Parts, task: str) -> Draft:
    named = _renamed(table, roles)
    steps, count = _lengths(table, roles.series)
    season = _season(roles)
    sizes = windows(steps, season, task, None if parts.test is None else _rows(parts.test), table.path)
    draft = Draft(Line("task", task, _task_because(task)), table.seen)
    draft.data = table.lines(list(named.values()))
    if roles.series is not None:
        draft.data.append(Line("series", named[roles.series.name], "with it, each time stands there once"))
    draft.data += _time_lines(roles.time, named)
    columns = [named[column.name] for column in roles.numbers]
    because = "the column of numbers" if len(columns) == 1 else "the columns of numbers; forecast fewer, and the others"
    because += "" if len(columns) == 1 else " become covariates"
    target = columns[0] if len(columns) == 1 else columns
    draft.data.append(Line("target", {"columns": target, "kind": "forecast"}, because))
    if roles.categories:
        seen = ", ".join(f"{len(column.counts)} values" for column in roles.categories)
        draft.data.append(Line("categories", [named[column.name] for column in roles.categories], seen))
    _fill_forecast(draft, sizes, season, parts, roles.numbers, count)
    if roles.series is not None:
        draft.data.append(Line("scaling_per_series", True, "series may be of different sizes"))
    return draft


def _time_lines(time: Column | None, named: dict[str, str]) -> list[Line]:
    if time is None or time.times is None:
        return []
    said = [Line("time", named[time.name], f"{time.filled[0].strip()} is the first")]
    if time.times.format is not None:
        said.append(Line("time_format", time.times.format, f"{time.filled[0].strip()} is read as {_day(time.times)}"))
    return said


def _day(read: Times) -> str:
    return str(read.values[0].astype("datetime64[D]"))


def _task_because(task: str) -> str:
    if task == "many-to-many":
        return "a window of steps in, the steps that follow out"
    return "a window of steps in, the next one out" if task == "many-to-one" else "one step in, the next one out"


def _season(roles: Roles) -> Season:
    if roles.time is None or roles.time.times is None:
        values = roles.numbers[0].values
        return season_by_values([values[~np.isnan(values)]]) if roles.series is None else Season(1, "", False)
    stamps = np.unique(roles.time.times.values)
    if stamps.dtype.kind == "M":
        stamps = stamps.astype("datetime64[ns]")
    return season_by_times(times.frequency(stamps))


def _lengths(table: Table, series: Column | None) -> tuple[int, int]:
    """Steps of a series, and of all: of a table of several the shortest of those that are whole in the rows seen."""
    if series is None:
        return table.count, table.count
    counts = Counter(series.cells)
    if len(counts) > 1 and series.cells[-1] not in series.cells[: table.rows // 2]:
        del counts[series.cells[-1]]
    return min(counts.values()), table.count


def _rows(path: Path) -> int:
    return look_at_table(path).count


def _fill_forecast(
    draft: Draft, sizes: Windows, season: Season, parts: Parts, columns: list[Column], steps: int
) -> None:
    """What all forecasts have in common."""
    draft.data += [
        Line("context", sizes.context, sizes.context_because),
        Line("horizon", sizes.horizon, sizes.horizon_because),
    ]
    if season.stated:
        draft.data.append(Line("season", season.steps, season.because))
    stride = int(steps * (1 - 2 * SHARE)) // _MANY_WINDOWS
    if stride > 1:
        draft.data.append(
            Line("stride", stride, f"a window at every step would make more than {stride * _MANY_WINDOWS:,}")
        )
    missing = sum(column.missing for column in columns)
    if missing:
        draft.data.append(Line("missing", "interpolate", f"{missing} values are missing in the rows looked at"))
    draft.split = dict.fromkeys(parts.cut, SHARE)
    draft.split_because = "the end of every series, in the order of time"
    few = steps < 2000
    draft.model = [Line("cell", {"type": "lstm", "hidden_size": 32 if few else 64}, f"about {steps:,} steps in all")]
    if sizes.context > 1:
        draft.model.append(
            Line("window_normalization", "last", "the network sees differences from the window's last value, no drift")
        )
    draft.training = [
        Line("epochs", 60 if few else 30 if steps < 8000 else 10),
        Line("patience", 10 if few else 3, "stop when so many epochs brought nothing on the validation part"),
        Line("batch_size", 16 if few else 64),
        Line("learning_rate", 0.003 if few else 0.001),
        Line("clip_norm", 1.0),
    ]


def _wide(table: Table, parts: Parts, task: str) -> Draft:
    name, *values = table.columns
    matrix = np.stack([column.values for column in values], axis=1)
    series = [row[: len(row) - int((~np.isnan(row[::-1])).argmax())] for row in matrix if not np.isnan(row).all()]
    steps = min(map(len, series))
    complete = [row for row in series[:50] if not np.isnan(row).any()]
    season = season_by_values(complete)
    test = None if parts.test is None else len(look_at_table(parts.test).columns) - 1
    sizes = windows(steps, season, task, test, table.path)
    draft = Draft(Line("task", task, _task_because(task)), table.seen)
    draft.data = [
        *table.lines(),
        Line("layout", "wide", f"{len(values)} columns of numbers after a name that no other row has"),
        Line("target", {"kind": "forecast"}),
    ]
    inside = [Column("", ["" if np.isnan(value) else "0" for value in row]) for row in series if np.isnan(row).any()]
    total = int(np.mean([len(row) for row in series]) * table.count)
    _fill_forecast(draft, sizes, season, parts, inside, total)
    draft.data.append(Line("scaling_per_series", True, "series may be of different sizes"))
    if test is not None and parts.valid is None:
        draft.split = {"valid": sizes.horizon}
        draft.split_because = "the last steps of every training series"
    return draft


def _series_class(table: Table, roles: Roles, answer: Column, parts: Parts) -> Draft:
    series = cast(Column, roles.series)
    named = _renamed(table, roles)
    draft = Draft(Line("task", "many-to-one", "a class for each series"), table.seen)
    draft.data = [
        *table.lines(list(named.values())),
        Line("series", named[series.name], f"{len(series.counts)} series in the rows looked at"),
        *_time_lines(roles.time, named),
        Line("target", {"columns": named[answer.name], "kind": "class"}, class_shares(answer)),
        Line("covariates", [named[column.name] for column in roles.numbers], "the columns of numbers"),
    ]
    others = [named[column.name] for column in roles.categories if column is not answer]
    if others:
        draft.data.append(Line("categories", others, "columns of few different texts"))
    _missing(draft, roles.numbers)
    count = round(table.count / max(table.rows / len(series.counts), 1))
    network(draft, parts, count, table.count / max(count, 1))
    return draft


def _row_class(table: Table, roles: Roles, answer: Column, parts: Parts) -> Draft:
    named = _renamed(table, roles)
    draft = Draft(Line("task", "one-to-one", "a class for each row by itself, as a baseline without time"), table.seen)
    draft.data = [
        *table.lines(list(named.values())),
        Line("target", {"columns": named[answer.name], "kind": "class"}, class_shares(answer)),
        Line("covariates", [named[column.name] for column in roles.numbers], "the columns of numbers"),
    ]
    others = [named[column.name] for column in roles.categories if column is not answer]
    if others:
        draft.data.append(Line("categories", others, "columns of few different texts"))
    _missing(draft, roles.numbers)
    draft.split = {name: 0.1 if table.count >= 500 else 0.2 for name in parts.cut}
    draft.model = [Line("cell", {"type": "lstm", "hidden_size": 32 if table.count < 2000 else 64})]
    draft.training = schedule(table.count)
    return draft


def _missing(draft: Draft, columns: list[Column]) -> None:
    missing = sum(column.missing for column in columns)
    if missing:
        draft.data.append(Line("missing", "mask", f"{missing} values are missing in the rows looked at"))
