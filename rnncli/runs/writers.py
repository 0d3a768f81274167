"""Predictions to a file or stream, a row at a time: CSV, TSV or JSONL."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np

from rnncli.errors import UserError, unknown

Form = Literal["csv", "tsv", "jsonl"]
FORMS: dict[str, Form] = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl"}


def form_of(path: Path) -> Form:
    """The form that a file's name asks for.

    Raises:
        UserError: it asks for none of them.
    """
    if path.suffix not in FORMS:
        raise UserError(f"--out {path}: " + unknown("form of predictions", path.suffix, FORMS))
    return FORMS[path.suffix]


def write_rows(rows: Iterable[Mapping[str, Any]], stream: TextIO, form: Form, at_once: bool = False) -> int:
    """Writes the rows as they come; how many there were. The columns are those of the first row.

    Args:
        at_once: hand each row on before the next is asked for.
    """
    count = 0
    table: csv.DictWriter[str] | None = None
    for row in rows:
        if form == "jsonl":
            stream.write(json.dumps(dict(map(_plain, row.items())), ensure_ascii=False, default=str) + "\n")
        else:
            if table is None:
                delimiter = "," if form == "csv" else "\t"
                table = csv.DictWriter(
                    stream, list(row), delimiter=delimiter, lineterminator="\n", extrasaction="ignore"
                )
                table.writeheader()
            table.writerow(row)
        count += 1
        if at_once:
            stream.flush()
    return count


def _plain(item: tuple[str, Any]) -> tuple[str, Any]:
    """A value as JSON knows it: the numbers of NumPy as numbers, what is not finite as null."""
    key, value = item
    value = value.item() if isinstance(value, np.generic) else value
    return key, None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def whole_stream(path: Path) -> Iterator[TextIO]:
    """A text stream whose file appears under its name only when all of it is written.

    Raises:
        UserError: its folder is not there.
    """
    if not path.parent.is_dir():
        raise UserError(f"--out {path}: there is no folder {path.parent}")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
