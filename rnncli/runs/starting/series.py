"""Tables of numbers: classes of rows and of whole series, and else forecasts."""

from __future__ import annotations

import numpy as np

from rnncli.errors import UserError
from rnncli.runs.starting.answers import class_shares
from rnncli.runs.starting.columns import Column
from rnncli.runs.starting.draft import Draft, Line
from rnncli.runs.starting.forecasts import draft_forecast, draft_wide_forecast
from rnncli.runs.starting.roles import Roles, is_wide, missing_line, roles_of, wide_classes
from rnncli.runs.starting.siblings import Parts
from rnncli.runs.starting.table import Table, look_at_table
from rnncli.runs.starting.whole_series import network, schedule


def draft_table(parts: Parts, task: str | None) -> Draft:
    """A config for a table of numbers.

    Raises:
        UserError: the file can't serve the task.
    """
    table = look_at_table(parts.train)
    if is_wide(table):
        classes = wide_classes(table)
        if classes and task in (None, "many-to-one"):
            return _wide_class(table, classes[0], parts)
        return draft_wide_forecast(table, parts, task or "many-to-many")
    roles = roles_of(table)
    if not roles.numbers:
        raise UserError(
            f"{table.path}: no column holds numbers (its columns: {table.listed}); --loader text reads texts"
        )
    if task == "many-to-one" and roles.series is not None:
        answers = [column for column in roles.classes if _constant(roles.series, column)]
        if answers:
            return _series_class(table, roles, roles.series, answers[-1], parts)
    if roles.classes and (task == "one-to-one" or (task is None and roles.time is None and roles.series is None)):
        return _row_class(table, roles, roles.classes[-1], parts)
    return draft_forecast(table, roles, parts, task or "many-to-many")


def _constant(series: Column, column: Column) -> bool:
    """Whether a column says the same in all rows of a series."""
    return len(set(zip(series.cells, column.cells, strict=True))) == len(set(series.cells)) < len(series.cells)


def _series_class(table: Table, roles: Roles, series: Column, answer: Column, parts: Parts) -> Draft:
    named = roles.names(table)
    draft = Draft(Line("task", "many-to-one", "a class for each series"), table.seen)
    draft.data = [
        *table.lines(list(named.values())),
        Line("series", named[series.name], f"{len(series.counts):,} series in the rows looked at"),
    ]
    if roles.time is not None and roles.time.times is not None:
        draft.data += roles.time.times.lines(named[roles.time.name], roles.time.filled[0])
    draft.data += _class_lines(roles, answer, named)
    count = round(table.count * len(series.counts) / table.rows)
    network(draft, parts, count, table.count / max(count, 1))
    return draft


def _row_class(table: Table, roles: Roles, answer: Column, parts: Parts) -> Draft:
    named = roles.names(table)
    draft = Draft(Line("task", "one-to-one", "a class for each row by itself, as a baseline without time"), table.seen)
    draft.data = [*table.lines(list(named.values())), *_class_lines(roles, answer, named)]
    draft.split = parts.drawn(table.count)
    draft.model = [Line("cell", {"type": "lstm", "hidden_size": 32 if table.count < 2000 else 64})]
    draft.training = schedule(table.count)
    return draft


def _class_lines(roles: Roles, answer: Column, named: dict[str, str]) -> list[Line]:
    said = [
        Line("target", {"columns": named[answer.name], "kind": "class"}, class_shares(answer)),
        Line("covariates", [named[column.name] for column in roles.numbers], "the columns of numbers"),
    ]
    others = [named[column.name] for column in roles.categories if column is not answer]
    if others:
        said.append(Line("categories", others, "columns of few different texts"))
    return said + missing_line(roles.numbers, "mask")


def _wide_class(table: Table, answer: Column, parts: Parts) -> Draft:
    values = [column for column in table.columns[1:] if column is not answer]
    there = np.stack([~np.isnan(column.values) for column in values], axis=1)
    lengths = there.shape[1] - there[:, ::-1].argmax(axis=1)
    inside = int((lengths - there.sum(axis=1)).sum())
    draft = Draft(Line("task", "many-to-one", "a class for each series"), table.seen)
    draft.data = [
        *table.lines(),
        Line("layout", "wide", f"a name that no other row has, then {len(values):,} columns of numbers"),
        Line("target", {"columns": answer.name, "kind": "class"}, class_shares(answer)),
    ]
    if inside:
        draft.data.append(Line("missing", "interpolate", f"{inside:,} values are missing in the rows looked at"))
    network(draft, parts, table.count, float(lengths.mean()))
    return draft
