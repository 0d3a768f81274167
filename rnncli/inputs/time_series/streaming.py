"""Sources of any size, series after series or only the end of each, for prediction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.time_series import table
from rnncli.inputs.time_series.decoding import Block, Decoder
from rnncli.inputs.time_series.future import history
from rnncli.inputs.time_series.grouping import joined, ordered, parted
from rnncli.inputs.time_series.missing import Policy, called, incomplete
from rnncli.inputs.time_series.reading import files_of, form_of, others, selected, table_roles
from rnncli.inputs.time_series.series import Series
from rnncli.inputs.time_series.settings import TimeSeriesSettings
from rnncli.inputs.time_series.table import ROWS, TableFormat, TableSource, place_of

PIECES = 8
"""Pieces of the end of a series that are held before they are joined."""

WHOLE = 50_000
"""Rows within which those of a series need not stand together."""


def stream_series(
    source: TableSource,
    settings: TimeSeriesSettings,
    on_bad_row: OnBadRow | None,
    *,
    keep_rows: bool = False,
    longest: int | None = None,
) -> Iterator[Series]:
    """The series of a source one after another, without targets.

    A long table of up to WHOLE rows may hold them in any order; in a longer one the rows of each series stand
    together.

    Args:
        longest: steps after which a series of a long table is handed over in pieces, which follow one another.

    Raises:
        DataError: a row can't be used and nobody takes bad rows.
    """
    for one in _sources(source, settings):
        form = form_of(one, settings)
        if settings.layout == "wide" or form not in ("csv", "tsv", "parquet"):
            for series in others(one, form, settings, False, None, on_bad_row):
                yield selected(series, form, settings)[1]
            continue
        for series in _long(one, form, settings, on_bad_row, keep_rows, longest):
            yield _named(series, one, source)


def tails(source: TableSource, settings: TimeSeriesSettings, steps: int, on_bad_row: OnBadRow | None) -> list[Series]:
    """The end of every series of a source, by time: its last `steps` steps, or all where it is shorter; with a policy
    for missing values as many more as that needs for `steps` to be left. With data.future the last
    `steps` up to the last with a target, and all after it."""
    ends: list[Series] = []
    targets = len(settings.target.names) if settings.future else 0
    for one in _sources(source, settings):
        form = form_of(one, settings)
        if settings.layout == "wide" or form not in ("csv", "tsv", "parquet"):
            found = others(one, form, settings, False, None, on_bad_row)
            ends += [tail(selected(series, form, settings)[1], steps, settings.missing, targets) for series in found]
            continue
        held: dict[str, list[Series]] = {}
        place = place_of(one)

        def end(pieces: list[Series], place: str = place) -> Series:
            return tail(ordered(joined(pieces), place, on_bad_row)[0], steps, settings.missing, targets)

        for block in blocks_of(one, form, settings, on_bad_row, keep_rows=False):
            for series in parted(block.steps, block.ids):
                pieces = held.setdefault(series.name, [])
                pieces.append(series)
                if len(pieces) > PIECES or sum(map(len, pieces[1:])) >= steps:
                    held[series.name] = [end(pieces)]
        ends += [_named(end(pieces), one, source) for pieces in held.values()]
    return ends


def tail(series: Series, steps: int, policy: Policy | None, targets: int = 0) -> Series:
    """The end of one series, as in `tails`; with `targets`, the number of its columns that are forecast, what follows
    the last value in them too."""
    start = max(0, (history(series, targets) if targets else len(series)) - steps)
    complete = np.flatnonzero(~incomplete(series))
    if policy == "drop":
        start = int(complete[-steps]) if len(complete) >= steps else 0
    elif policy in ("forward", "interpolate"):
        # What is missing at the start of the tail is filled from the last step before it that has all.
        before = complete[complete <= start]
        start = int(before[-1]) if len(before) else 0
    return series.take(slice(start, None)) if start else series


def _sources(source: TableSource, settings: TimeSeriesSettings) -> list[TableSource]:
    return [*files_of([source], settings)] if isinstance(source, Path) else [source]


def _named(series: Series, one: TableSource, source: TableSource) -> Series:
    if not series.name and isinstance(one, Path) and one != source:
        series.name = one.name.partition(".")[0]
    return series


def blocks_of(
    source: TableSource,
    format: TableFormat,
    settings: TimeSeriesSettings,
    on_bad_row: OnBadRow | None,
    keep_rows: bool,
    together: int = ROWS,
) -> Iterator[Block]:
    """The rows of a long table, decoded, without targets; `together` of them where they are read one by one."""
    parts = table_roles(settings, with_target=False)
    decoder = Decoder(source, parts, settings, on_bad_row)
    tables = table.tables(source, format, parts, settings, on_bad_row, keep_rows=keep_rows, together=together)
    for rows in tables:
        yield decoder.decode(rows)


def _long(
    source: TableSource,
    format: TableFormat,
    settings: TimeSeriesSettings,
    on_bad_row: OnBadRow | None,
    keep_rows: bool,
    longest: int | None,
) -> Iterator[Series]:
    place = place_of(source)
    blocks = blocks_of(source, format, settings, on_bad_row, keep_rows)
    head: list[Block] = []
    while sum(len(block.steps) for block in head) <= WHOLE:
        block = next(blocks, None)
        if block is None:
            break
        head.append(block)
    else:
        yield from _pieces(_runs(head, blocks, place, on_bad_row, longest), place, on_bad_row, longest)
        return
    if head:
        ids = [block.ids for block in head if block.ids is not None]
        series = parted(joined([block.steps for block in head]), np.concatenate(ids) if ids else None)
        yield from _pieces(iter([[one] for one in series]), place, on_bad_row, longest)


def _pieces(
    runs: Iterator[list[Series]], place: str, on_bad_row: OnBadRow | None, longest: int | None
) -> Iterator[Series]:
    """Each run joined and in the order of time, cut where it is longer than `longest`."""
    last: Series | None = None
    for pieces in runs:
        one = ordered(joined(pieces), place, on_bad_row)[0]
        if (
            last is not None
            and last.name == one.name
            and last.times is not None
            and one.times is not None
            and last.times[-1] >= one.times[0]
        ):
            raise DataError(
                f"{called(one)} is longer than {longest} steps, so its rows must stand in the order of time",
                place,
                int(one.lines[0]),
            )
        last = one
        for start in range(0, len(one), longest or len(one)):
            yield one.take(slice(start, start + longest)) if longest else one


def _runs(
    head: list[Block],
    blocks: Iterator[Block],
    place: str,
    on_bad_row: OnBadRow | None,
    longest: int | None,
) -> Iterator[list[Series]]:
    """Pieces of one series that stand together, series after series."""
    finished: set[int] = set()
    held: list[Series] = []
    current: str | None = None
    for block in _chain(head, blocks):
        for run in _contiguous(block):
            if current is not None and current != run.name:
                if held:
                    yield held
                finished.add(hash(current))
                held = []
            current = run.name
            if hash(current) in finished:
                error = DataError(
                    f"{called(run)} goes on here, after other series; in a source of more than {WHOLE} rows "
                    "the rows of a series must stand together",
                    place,
                    int(run.lines[0]),
                )
                if on_bad_row is None:
                    raise error
                on_bad_row(error)
                continue
            held.append(run)
            if longest is not None and sum(map(len, held)) >= longest:
                yield held
                held = []
    if held:
        yield held


def _chain(head: list[Block], blocks: Iterator[Block]) -> Iterator[Block]:
    """The blocks of the head, each let go once it has been given, then the others."""
    head.reverse()
    while head:
        yield head.pop()
    yield from blocks


def _contiguous(block: Block) -> list[Series]:
    if block.ids is None:
        return [block.steps] if len(block.steps) else []
    changes = np.flatnonzero(block.ids[1:] != block.ids[:-1]) + 1
    bounds = [0, *changes.tolist(), len(block.ids)]
    runs = []
    for start, stop in pairwise(bounds):
        if stop > start:
            run = block.steps.take(slice(start, stop))
            run.name = str(block.ids[start])
            runs.append(run)
    return runs
