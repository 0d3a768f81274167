"""Predictions as CSV, TSV and JSONL."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnncli.errors import UserError
from rnncli.runs.writers import form_of, whole_stream, write_rows

ROWS = [
    {"text": 'a "b", c\nd', "prediction": "gut ✓", "p": 0.25},
    {"text": "tab\there", "prediction": None, "p": float("nan")},
    {"text": "", "prediction": "x", "p": np.float32(0.5), "more": 3},
]


@pytest.mark.parametrize(("form", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_tables_read_back(form: str, delimiter: str) -> None:
    stream = io.StringIO(newline="")
    assert write_rows(ROWS, stream, form) == 3
    found = list(csv.DictReader(io.StringIO(stream.getvalue(), newline=""), delimiter=delimiter))
    assert [row["text"] for row in found] == ['a "b", c\nd', "tab\there", ""]
    assert [row["prediction"] for row in found] == ["gut ✓", "", "x"]
    assert [row["p"] for row in found] == ["0.25", "nan", "0.5"]
    assert list(found[0]) == ["text", "prediction", "p"], "columns are those of the first row"


def test_json_lines_hold_only_what_json_knows() -> None:
    stream = io.StringIO()
    rows = [*ROWS, {"at": pd.Timestamp("2024-05-01 12:00"), "n": np.int64(4), "inf": np.float64("inf")}]
    assert write_rows(rows, stream, "jsonl") == 4
    found = [json.loads(line, parse_constant=pytest.fail) for line in stream.getvalue().splitlines()]
    assert found[0] == ROWS[0]
    assert found[1]["p"] is None and found[2]["more"] == 3
    assert found[3] == {"at": "2024-05-01 12:00:00", "n": 4, "inf": None}


def test_no_rows_no_header() -> None:
    stream = io.StringIO()
    assert write_rows([], stream, "csv") == 0
    assert stream.getvalue() == ""


def test_form_goes_by_the_name() -> None:
    assert [form_of(Path(name)) for name in ("a.csv", "b.tsv", "c.jsonl")] == ["csv", "tsv", "jsonl"]
    with pytest.raises(UserError, match=r"unknown form of predictions '\.jsnl'; did you mean '\.jsonl'"):
        form_of(Path("d.jsnl"))


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def break_off() -> None:
        with whole_stream(path) as stream:
            stream.write("half")
            raise ValueError

    with pytest.raises(ValueError):
        break_off()
    assert path.read_text() == "before"
    with whole_stream(path) as stream:
        stream.write("whole")
    assert path.read_text() == "whole"
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]
