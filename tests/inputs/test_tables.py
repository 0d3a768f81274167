import csv
import io
import random
import re

import numpy as np
import pandas as pd
import pytest

from rnncli.errors import DataError
from rnncli.inputs.tables import BLOCK, format_of, require, rows


def read(data: bytes, format="csv", **options):
    return [(row.line, row.values) for row in rows(io.BytesIO(data), format, **options)]


def test_csv_with_everything_that_csv_may_have():
    data = b'\xef\xbb\xbfname,,text\r\n1,x,"two\r\nlines, ""quoted"""\r\n\r\n2,,plain\r\n'
    assert read(data) == [
        (2, {"name": "1", "column_2": "x", "text": 'two\nlines, "quoted"'}),
        (5, {"name": "2", "column_2": "", "text": "plain"}),
    ]


def test_csv_reads_what_the_csv_module_writes(tmp_path):
    choose = random.Random(3)
    cells = [["".join(choose.choices("ab ,;\"\n\t'é", k=choose.randrange(1, 9))) for _ in range(3)] for _ in range(200)]
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "c"], *cells])
    assert [list(row.values.values()) for row in rows(path, "csv")] == cells


def test_tsv_has_no_quoting():
    assert read(b'a\tb\n"x\ty"\n', "tsv") == [(2, {"a": '"x', "b": 'y"'})]


def test_tables_without_header():
    data = b"good film\t1\nbad film\t0\n"
    expected = [(1, {"text": "good film", "label": "1"}), (2, {"text": "bad film", "label": "0"})]
    assert read(data, "tsv", columns=["text", "label"]) == expected
    # The target may be absent, from all rows.
    assert read(b"good\nbad\n", "tsv", columns=["text", "label"], without=["label"]) == [
        (1, {"text": "good"}),
        (2, {"text": "bad"}),
    ]
    with pytest.raises(DataError, match=":2: has 2 fields"):
        read(b"good\nbad\t1\n", "tsv", columns=["text", "label"], without=["label"])
    with pytest.raises(DataError, match=r":1: has 1 field, data\.columns has 2"):
        read(b"good\n", "tsv", columns=["text", "label"])


def test_bad_rows_are_located_and_the_rest_goes_on():
    data = b'a,b\n1,"x\ny"\n1,2,3\n4\n"5"x,6\n7,\xff\n8,9\n"10,11\n12,13\n'
    with pytest.raises(DataError, match=r"^standard input:4: has 3 fields, the header has 2$"):
        read(data)
    told = []
    assert [line for line, _ in read(data, on_bad_row=told.append)] == [2, 8, 10]
    assert [bad.line for bad in told] == [4, 5, 6, 7, 9]
    assert "never closed" in str(told[-1])


def test_a_stray_quote_costs_one_row():
    told = []
    data = b'a,b\n1,2\n"3,4\n5,6\n"7\n8",9\n10,11\n'
    assert [values["a"] for _, values in read(data, on_bad_row=told.append)] == ["1", "5", "7\n8", "10"]
    assert [bad.line for bad in told] == [3]
    # What a cell may hold is limited, so that such a quote can't take a whole file into memory.
    told.clear()
    endless = b"".join([b'a,b\n"1,2\n', b"x" * 2**20 + b",3\n"] + [b"y" * 2**20 + b",4\n"] * 16)
    assert [line for line, _ in read(endless, on_bad_row=told.append)] == list(range(3, 20))
    assert [bad.line for bad in told] == [2]


def test_cells_parted_by_other_marks():
    assert read(b'a;b\n"1;2";3,5\n', separator=";") == [(2, {"a": "1;2", "b": "3,5"})]


@pytest.mark.parametrize(
    ("header", "remedy"),
    [("text;label", 'data.separator: ";"'), ("text|label", 'data.separator: "|"'), ("text\tlabel", "data.format: tsv")],
)
def test_a_table_cut_at_the_wrong_places(header, remedy):
    with pytest.raises(DataError, match=f"its header is one column, .*; perhaps {re.escape(remedy)} cuts it"):
        require([header], ["text"], "a.csv", "data.input")


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl"])
def test_an_empty_file(format):
    with pytest.raises(DataError, match="is empty"):
        read(b"", format)


def test_a_header_alone_has_no_rows():
    assert read(b"a,b\n") == []


def test_two_columns_of_one_name():
    with pytest.raises(DataError, match=":1: the header has two columns 'a'"):
        read(b"a,b,a\n1,2,3\n")


def test_long_cells():
    long = "x" * 1_000_000
    assert read(f"a,b\n{long},1\n".encode()) == [(2, {"a": long, "b": "1"})]


def test_json_lines():
    data = b'{"a": "x", "b": 1.5, "c": null}\n\n{"a": ["p", "q"], "b": true}\n'
    assert read(data, "jsonl") == [
        (1, {"a": "x", "b": "1.5", "c": ""}),
        (3, {"a": '["p", "q"]', "b": "true"}),
    ]
    told = []
    assert read(b'{"a": 1}\n[1]\n{"a":\n{"a": 2}\n', "jsonl", on_bad_row=told.append) == [
        (1, {"a": "1"}),
        (4, {"a": "2"}),
    ]
    assert [bad.line for bad in told] == [2, 3]
    told.clear()
    halves = rb"""{"a": "\ud83d\ude00"}
{"a": "\ud83d"}
{"\ude00": "x"}
{"a": "\\ud83d"}"""
    found = read(halves, "jsonl", on_bad_row=told.append)
    assert found == [(1, {"a": "\U0001f600"}), (4, {"a": r"\ud83d"})]
    assert [bad.line for bad in told] == [2, 3] and "surrogates not allowed" in str(told[0])


def frame(count):
    return pd.DataFrame(
        {
            "text": [f"text {k}" for k in range(count)],
            "number": [None if k == 1 else k + 0.5 for k in range(count)],
            "whole": range(count),
        }
    )


def expected(count):
    return [
        (k + 1, {"text": f"text {k}", "number": "" if k == 1 else str(k + 0.5), "whole": str(k)}) for k in range(count)
    ]


def test_frames():
    count = BLOCK + 3
    found = [(row.line, row.values) for row in rows(frame(count).set_index(np.arange(count) * 7), "csv")]
    assert found == expected(count)


def test_parquet(tmp_path):
    path = tmp_path / "a.parquet"
    count = BLOCK + 3
    frame(count).to_parquet(path)
    assert [(row.line, row.values) for row in rows(path, "parquet")] == expected(count)
    assert read(path.read_bytes(), "parquet") == expected(count)
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"a\.parquet: can't be read as Parquet"):
        list(rows(path, "parquet"))


def test_rows_are_read_as_they_are_asked_for():
    asked = []

    class Pipe(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            asked.append(len(asked))
            line = b"a,b\n" if len(asked) == 1 else b"1,2\n"
            buffer[: len(line)] = line
            return len(line)

    endless = rows(io.BufferedReader(Pipe(), 16), "csv")
    assert [next(endless).line for _ in range(3)] == [2, 3, 4]
    assert len(asked) < 20


def test_formats_by_name(tmp_path):
    names = {
        "a.csv.gz": "csv",
        "a.TSV": "tsv",
        "a.jsonl.zst": "jsonl",
        "a.parquet": "parquet",
        "a.txt": None,
        "a": None,
    }
    assert {name: format_of(tmp_path / name) for name in names} == names


def test_a_missing_column_names_the_nearest():
    require(["text", "label"], ["label"], "a.csv", "data.input")
    with pytest.raises(DataError) as raised:
        require(["text", "label"], ["lable"], "a.csv", "data.target.column")
    assert str(raised.value) == (
        "a.csv: has no column 'lable' (data.target.column); did you mean 'label'? its columns: text, label"
    )
