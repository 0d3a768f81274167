"""Decoded rows to series: parted by their ids, put in the order of time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.time_series.missing import called
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.times import as_text, frequency, gaps, span

SHOWN = 3
"""Series that a note names."""


def parted(steps: Series, ids: np.ndarray | None) -> list[Series]:
    """One series for each id, in the order of their first rows; without ids the one there is."""
    if not len(steps):
        return []
    if ids is None:
        return [steps]
    codes, names = pd.factorize(ids)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    series = []
    for code, name in enumerate(names):
        one = steps.take(order[bounds[code] : bounds[code + 1]])
        one.name = str(name)
        series.append(one)
    return series


def joined(pieces: Sequence[Series]) -> Series:
    """Pieces of one series, end to end."""
    # A piece without steps would still bring its label or row.
    pieces = [piece for piece in pieces if len(piece)] or [pieces[0]]
    first = pieces[0]
    if len(pieces) == 1:
        return first
    times = [piece.times for piece in pieces if piece.times is not None]
    targets = [piece.target_values for piece in pieces if piece.target_values is not None]
    return Series(
        name=first.name,
        source=first.source,
        lines=np.concatenate([piece.lines for piece in pieces]),
        times=np.concatenate(times) if times else None,
        zone=first.zone,
        values=np.concatenate([piece.values for piece in pieces]),
        categories=[np.concatenate(texts) for texts in zip(*(piece.categories for piece in pieces), strict=True)],
        label=None if first.label is None else [text for piece in pieces for text in piece.label or ()],
        target_values=np.concatenate(targets) if targets else None,
        rows=None if first.rows is None else [row for piece in pieces for row in piece.rows or ()],
        form=first.form,
    )


def ordered(series: Series, place: str, on_bad_row: OnBadRow | None) -> tuple[Series, bool]:
    """The series in the order of time, and whether it was in another.

    Raises:
        DataError: a time stands there twice and nobody takes bad rows; else the later row is left out.
    """
    times = series.times
    if times is None:
        return series, False
    moved = bool((times[1:] < times[:-1]).any())
    if moved:
        order = np.argsort(times, kind="stable")
        series, times = series.take(order), times[order]
    again = np.concatenate([[False], times[1:] == times[:-1]])
    for step in np.flatnonzero(again).tolist():
        time = as_text(times[step : step + 1], series.form, series.zone)[0]
        error = DataError(
            f"{called(series)} has the time {time} twice, also in line {series.lines[step - 1]}",
            place,
            int(series.lines[step]),
        )
        if on_bad_row is None:
            raise error
        on_bad_row(error)
    return (series.take(~again) if again.any() else series), moved


def gap_notes(series: Sequence[Series]) -> list[str]:
    """A sentence for each of the first series whose times have gaps, and one for the others."""
    notes: list[str] = []
    more = 0
    for one in series:
        step = None if one.times is None else frequency(one.times)
        if one.times is None or step is None:
            continue
        after = gaps(one.times, step)
        if not len(after):
            continue
        if len(notes) == SHOWN:
            more += 1
            continue
        first = one.times[after[0] : after[0] + 2]
        if step.unit == "number":
            wide = f"{first[1] - first[0]:g}"
        elif step.unit == "month":
            wide = f"{int((first[1].astype('datetime64[M]') - first[0].astype('datetime64[M]')).astype(int))} months"
        else:
            wide = span(int((first[1] - first[0]).astype("timedelta64[ns]").astype(np.int64)))
        count = "1 gap" if len(after) == 1 else f"{len(after)} gaps, the first"
        since = as_text(first[:1], one.form, one.zone)[0]
        notes.append(f"{called(one)}: {count} after {since} ({wide} where {step} is usual)")
    return notes + ([f"{more} more series have gaps"] if more else [])
