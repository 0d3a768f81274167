"""Rows of series as they come, each answered before the next is read."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np

from rnncli.errors import DataError, UserError
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.loader import Memory, Piece
from rnncli.inputs.time_series.drawn import Drawn
from rnncli.inputs.time_series.forecasting import Forecasting
from rnncli.inputs.time_series.form import Form
from rnncli.inputs.time_series.grouping import joined
from rnncli.inputs.time_series.missing import called, fill, incomplete
from rnncli.inputs.time_series.reading import form_of
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.streaming import blocks_of, stream_series, tail
from rnncli.inputs.time_series.table import TableFormat
from rnncli.inputs.time_series.times import as_text

Held = dict[str, Series]
"""What is kept of each series: its last window, or its last step."""


def carries(form: Form) -> bool:
    """Whether the answer to a row depends on the rows before it."""
    return form.settings.layout == "long" and (form.task != "one-to-one" or form.settings.missing == "forward")


def stream(form: Form, source: BinaryIO, memory: Memory, on_bad_row: OnBadRow) -> Generator[Piece, None, None]:
    """The rows of a table, series by their names, in any order but each in the order of time.

    Raises:
        UserError: the answer to a row can't be given before the next is read.
    """
    if (reason := refusal(form)) is not None:
        raise UserError(f"--stream: {reason}; predict without it")
    if isinstance(form, Forecasting):
        return _windows(form, source, memory, on_bad_row)
    if not isinstance(form, Drawn):
        raise TypeError(f"{type(form).__name__} has no rows to stream")
    if form.settings.layout == "wide":
        return _whole_series(form, source, on_bad_row)
    return _steps(form, source, memory, on_bad_row)


def refusal(form: Form) -> str | None:
    """Why the answer to a row can't be given before the next is read; None where it can."""
    settings = form.settings
    if settings.format not in ("auto", "csv", "tsv"):
        return f"data.format: {settings.format} is not read row by row"
    if settings.layout == "wide":
        forecast = isinstance(form, Forecasting)
        return "a row of data.layout: wide is a series from its beginning to its end" if forecast else None
    if settings.future:
        return "data.future: is of rows that follow the last with a target, which are not there yet"
    if isinstance(form, Forecasting):
        return None
    if settings.missing == "interpolate":
        return "data.missing: interpolate draws a line to the next value, which is not there yet"
    if settings.scaling_per_series and settings.scaling != "none":
        return "data.scaling_per_series takes the scale of a series from all its rows, which are not there yet"
    return None


def _windows(form: Forecasting, source: BinaryIO, memory: Memory, on_bad_row: OnBadRow) -> Generator[Piece, None, None]:
    settings, unanswered = form.settings, 0
    held = _held(memory)
    try:
        for row, before in _in_order(form, source, held, on_bad_row, keep_rows=False):
            series = held[row.name] = tail(_longer(before, row), form.context, settings.missing)
            if (whole := _filled(form, series)) is None:
                unanswered += 1
                continue
            yield Piece(form.last_windows([whole]), form.ahead(whole))
    finally:
        memory["series"] = {name: _to_json(series) for name, series in held.items()}
        if unanswered:
            form.notes.append(
                f"{unanswered:,} rows have no answer: a forecast reads context {form.context} rows of its series"
            )


def _in_order(
    form: Forecasting | Drawn, source: BinaryIO, held: Mapping[str, Series], on_bad_row: OnBadRow, *, keep_rows: bool
) -> Iterator[tuple[Series, Series | None]]:
    """Each row that can be answered, as a series of one step, and what is held of its series before it."""
    settings = form.settings
    for row in _rows(source, settings, on_bad_row, keep_rows=keep_rows):
        before = held.get(row.name)
        try:
            _check_order(row, before)
            if settings.missing is None:
                fill([row], form.encoder.columns, None)
        except DataError as error:
            on_bad_row(error)
            continue
        yield row, before


def _filled(form: Forecasting, series: Series) -> Series | None:
    """The series without what is missing; None where it is too short."""
    try:
        whole = fill([series], form.encoder.columns, form.settings.missing)[0]
    except DataError:
        return None  # a column has had no value yet
    return whole if len(whole) >= form.context else None


def _steps(form: Drawn, source: BinaryIO, memory: Memory, on_bad_row: OnBadRow) -> Generator[Piece, None, None]:
    settings, unanswered = form.settings, 0
    single, remembers = form.task == "one-to-one", carries(form)
    held = _held(memory)
    try:
        for row, before in _in_order(form, source, held, on_bad_row, keep_rows=True):
            if settings.missing == "forward" and before is not None:
                row.values = np.where(np.isnan(row.values), before.values, row.values)
            if remembers:
                held[row.name] = replace(row, rows=None)
            if settings.missing in ("drop", "forward") and incomplete(row).any():
                unanswered += 1
                continue
            yield Piece(form.dataset([row], labelled=False), form.own_rows(row), None if single else row.name)
    finally:
        memory["series"] = {name: _to_json(series) for name, series in held.items()}
        if unanswered:
            form.notes.append(f"{unanswered:,} rows have no answer: a value is missing (data.missing)")


def _whole_series(form: Drawn, source: BinaryIO, on_bad_row: OnBadRow) -> Generator[Piece, None, None]:
    for series in stream_series(source, form.settings, on_bad_row):
        try:
            whole = form.filled(series, form.encoder.columns)
        except DataError as error:
            on_bad_row(error)
            continue
        yield Piece(form.dataset([whole], labelled=False), form.own_rows(whole))


def _rows(source: BinaryIO, settings: TimeSeriesSettings, on_bad_row: OnBadRow, keep_rows: bool) -> Iterator[Series]:
    """Each row as a series of one step."""
    form: TableFormat = "tsv" if form_of(source, settings) == "tsv" else "csv"
    for block in blocks_of(source, form, settings, on_bad_row, keep_rows, together=1):
        if len(block.steps):
            yield replace(block.steps, name="" if block.ids is None else str(block.ids[0]))


def _check_order(row: Series, before: Series | None) -> None:
    """Raises a DataError where the row does not come after what was read of its series."""
    if before is None or before.times is None or row.times is None:
        return
    if before.times.dtype.kind != row.times.dtype.kind or before.zone != row.zone:
        problem = "can't be compared with it"
    elif row.times[0] <= before.times[-1]:
        problem = "does not come after it"
    else:
        return
    last = as_text(before.times[-1:], before.form, before.zone)[0]
    now = as_text(row.times, row.form, row.zone)[0]
    raise DataError(
        f"{called(row)} had the time {last} before, and {now} {problem}; a stream must come in the order of time",
        row.source,
        int(row.lines[0]),
    )


def _longer(before: Series | None, row: Series) -> Series:
    if before is None:
        return row
    # The most detailed form says all of the others.
    forms = [form for form in (before.form, row.form) if form is not None]
    return replace(joined([before, row]), form=max(forms, key=len) if forms else None)


def _to_json(series: Series) -> dict[str, Any]:
    times = series.times
    return {
        "name": series.name,
        "times": None if times is None else (times if times.dtype.kind == "f" else times.astype(np.int64)).tolist(),
        "clock": times is not None and times.dtype.kind != "f",
        "zone": series.zone,
        "form": series.form,
        "lines": series.lines.tolist(),
        "values": series.values.tolist(),
        "categories": [texts.tolist() for texts in series.categories],
    }


def _from_json(saved: Mapping[str, Any], source: str) -> Series:
    times = None if saved["times"] is None else np.array(saved["times"], np.int64 if saved["clock"] else np.float64)
    return Series(
        name=saved["name"],
        source=source,
        lines=np.array(saved["lines"], np.int64),
        times=times.astype("datetime64[ns]") if times is not None and saved["clock"] else times,
        zone=saved["zone"],
        values=np.array(saved["values"], np.float64).reshape(len(saved["lines"]), -1),
        categories=[np.array(texts, object) for texts in saved["categories"]],
        form=saved["form"],
    )


def _held(memory: Memory) -> Held:
    return {name: _from_json(saved, "standard input") for name, saved in memory.get("series", {}).items()}
