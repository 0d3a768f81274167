"""Forecasts of tables with one step a row, and with one series a row."""

from __future__ import annotations

from collections import Counter

import numpy as np

from rnncli.errors import UserError
from rnncli.inputs.time_series import times
from rnncli.runs.starting.columns import Column
from rnncli.runs.starting.draft import Draft, Line, training
from rnncli.runs.starting.roles import Roles, missing_line
from rnncli.runs.starting.siblings import Parts
from rnncli.runs.starting.table import Table, look_at_table
from rnncli.runs.starting.windows import SHARE, Season, Windows, season_by_times, season_by_values, windows

_MANY_WINDOWS = 20_000
_TASKS = {
    "many-to-many": "a window of steps in, the steps that follow out",
    "many-to-one": "a window of steps in, the next step out",
    "one-to-one": "one step in, the next one out, as a baseline",
}


def draft_forecast(table: Table, roles: Roles, parts: Parts, task: str) -> Draft:
    """A config that forecasts all columns of numbers of a table with one step a row.

    Raises:
        UserError: times stand there twice, or the series are too short.
    """
    _refuse_equal_times(table, roles)
    named = roles.names(table)
    test = None if parts.test is None or roles.series is not None else look_at_table(parts.test).count
    season = _season(roles)
    sizes = windows(_shortest(table, roles.series), season, task, test, table.path)
    draft = Draft(Line("task", task, _TASKS[task]), table.seen)
    draft.data = table.lines(list(named.values()))
    if roles.series is not None:
        draft.data.append(Line("series", named[roles.series.name], "it tells apart the rows of one time"))
    ordered = "; no column of times: rows count in the order of the file"
    if roles.time is not None and roles.time.times is not None:
        draft.data += roles.time.times.lines(named[roles.time.name], roles.time.filled[0])
        ordered = ""
    columns = [named[column.name] for column in roles.numbers]
    several = "all columns of numbers; those that need no forecast can become covariates"
    target = {"columns": columns[0] if len(columns) == 1 else columns, "kind": "forecast"}
    draft.data.append(Line("target", target, (several if len(columns) > 1 else "the column of numbers") + ordered))
    if roles.categories:
        counted = ", ".join(f"{len(column.counts)} values" for column in roles.categories)
        draft.data.append(Line("categories", [named[column.name] for column in roles.categories], counted))
    draft.data += missing_line(roles.numbers, "interpolate")
    _complete(draft, sizes, season, parts, table.count, several=roles.series is not None)
    return draft


def draft_wide_forecast(table: Table, parts: Parts, task: str) -> Draft:
    """A config that forecasts every row of a table with one series a row.

    Raises:
        UserError: the series are too short.
    """
    values = [column for column in table.columns[1:] if column.numeric or not column.filled]
    rows = np.stack([column.values for column in values], axis=1)
    series = [row[: np.flatnonzero(~np.isnan(row))[-1] + 1] for row in rows if not np.isnan(row).all()]
    season = season_by_values([row for row in series[:50] if not np.isnan(row).any()])
    test = None if parts.test is None else len(look_at_table(parts.test).columns) - 1
    sizes = windows(min(map(len, series)), season, task, test, table.path)
    draft = Draft(Line("task", task, _TASKS[task]), table.seen)
    draft.data = [
        *table.lines(),
        Line("layout", "wide", f"a name that no other row has, then {len(values):,} columns of numbers"),
        Line("target", {"kind": "forecast"}),
    ]
    inside = sum(int(np.isnan(row).sum()) for row in series)
    if inside:
        draft.data.append(Line("missing", "interpolate", f"{inside:,} values are missing in the rows looked at"))
    steps = int(np.mean([len(row) for row in series]) * table.count)
    _complete(draft, sizes, season, parts, steps, several=True)
    if test is not None and parts.valid is None:
        draft.split = {"valid": sizes.horizon}
        draft.split_because = "the last steps of every training series"
    return draft


def _refuse_equal_times(table: Table, roles: Roles) -> None:
    if roles.time is None or roles.time.times is None or roles.series is not None:
        return
    values, counts = np.unique(roles.time.times.values, return_counts=True)
    if (counts > 1).any():
        first = roles.time.cells[int(np.flatnonzero(roles.time.times.values == values[counts > 1][0])[0])]
        raise UserError(
            f"{table.path}: {int((counts > 1).sum())} times stand in several rows of column {roles.time.name!r} "
            f"({first.strip()} is one), and no column tells the series apart, which a forecast needs (data.series)"
        )


def _season(roles: Roles) -> Season:
    if roles.time is not None and roles.time.times is not None:
        stamps = np.unique(roles.time.times.values)
        return season_by_times(times.frequency(stamps))
    values = roles.numbers[0].values
    return season_by_values([values[~np.isnan(values)]]) if roles.series is None else Season(1, "", False)


def _shortest(table: Table, series: Column | None) -> int:
    """Steps of the shortest series that is whole in the rows looked at."""
    if series is None:
        return table.count
    counts = Counter(series.cells)
    if len(counts) > 1 and table.count > table.rows and series.cells[0] != series.cells[-1]:
        # The last one may go on behind the rows looked at.
        del counts[series.cells[-1]]
    return min(counts.values())


def _complete(draft: Draft, sizes: Windows, season: Season, parts: Parts, steps: int, *, several: bool) -> None:
    """What all forecasts have in common.

    Args:
        steps: of all series.
    """
    draft.data += [
        Line("context", sizes.context, sizes.context_because),
        Line("horizon", sizes.horizon, sizes.horizon_because),
    ]
    if season.stated:
        draft.data.append(Line("season", season.steps, season.because))
    stride = int(steps * (1 - 2 * SHARE)) // _MANY_WINDOWS
    if stride > 1:
        most = stride * _MANY_WINDOWS
        draft.data.append(Line("stride", stride, f"a training window at every step would make more than {most:,}"))
    if several:
        draft.data.append(Line("scaling_per_series", True, "series may be of different sizes"))
    draft.split = parts.split(SHARE)
    draft.split_because = "the end of every series, in the order of time"
    few = steps < 2000
    draft.model = [Line("cell", {"type": "lstm", "hidden_size": 32 if few else 64}, f"about {steps:,} steps in all")]
    if sizes.context > 1:
        draft.model.append(Line("window_normalization", "last", "against drift: each window from its last value on"))
        draft.model.append(Line("skip", "linear", "a linear map of the window is added; the network learns the rest"))
    draft.training = (
        training(epochs=60, patience=10, batch_size=16, learning_rate=0.003)
        if few
        else training(epochs=30 if steps < 8000 else 10, patience=3, batch_size=64, learning_rate=0.001)
    )
    if several:
        draft.training.insert(1, Line("metric", "scaled_mse", "mse itself would be that of the largest series"))
