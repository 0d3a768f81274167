"""Input of `predict` that can't be read: reported with file and line, while the rest goes on and stdout holds rows."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from rnncli import load
from rnncli.errors import DataError


def table(out: str) -> list[dict[str, str]]:
    """The rows of a CSV, all of which have the columns of its header."""
    rows = list(csv.DictReader(io.StringIO(out, newline="")))
    assert not any(None in row or None in row.values() for row in rows)
    return rows


# The input, what of it is left out (line and reason), how many rows come out.
TEXTS = {
    "ragged rows": ("text\na\nb,c\nd\n", {3: "has 2 fields, the header has 1"}, 2),
    "no text": ("text,n\na,1\n,2\n   ,3\nd,4\n", {3: "the text is empty", 4: "the text is empty"}, 2),
    "bad bytes": ("text\na\ncaf\xe9\nd\n", {3: "byte 0xe9 (column 4) is not utf-8"}, 2),
    "a stray quote": ('text,n\na,1\n"b,2\nc,3\nd,4\n', {3: "a quote is opened and never closed"}, 3),
    "bad rows alone": ("text\n\xe9\n\xe9\n", {2: "byte 0xe9", 3: "byte 0xe9"}, 0),
    "long rows": (f"text\n{'word ' * 10_000}\n{'x' * 200_000}\n,\n", {4: "has 2 fields"}, 2),
}
STEPS = "".join(f"2024-01-03 00:0{k},{k},{k}\n" for k in range(5))
FORECASTS = {
    "text for a number": (f"{STEPS}2024-01-03 00:05,much,1\n", {7: "column load holds 'much'"}, 2),
    "no time": (f"{STEPS},1,1\n", {7: "column time holds no time"}, 2),
    "a time twice": (f"{STEPS}2024-01-03 00:02,9,9\n", {7: "has the time 2024-01-03 00:02 twice, also in line 4"}, 2),
    "ragged rows": (f"{STEPS}2024-01-03,1\n", {7: "has 2 fields, the header has 3"}, 2),
    "bad bytes": (f"\xe9,1,1\n{STEPS}", {2: "byte 0xe9"}, 2),
    "a value missing at the end": (f"{STEPS}2024-01-03 00:05,,1\n", {7: "column load has no value here"}, 0),
    "too short": (STEPS[:63], {None: "the series has 3 rows; a forecast reads context 4"}, 0),
}
GESTURES = {
    "text for a number": ("a,0,1\nb,0,much\nc,0,3\n", {3: "column x holds 'much'"}, 2),
    "a missing value": ("a,0,1\nb,0,\nb,1,5\nc,0,3\n", {3: "column x of series b has no value here"}, 2),
    "no series": ("a,0,1\n,0,2\nc,0,3\n", {3: "column id names no series"}, 2),
    "ragged rows": ("a,0,1\nb,0\nc,0,3,4\nd,0,5\n", {3: "has 2 fields", 4: "has 4 fields"}, 2),
}
SENTENCES = {
    "bad bytes": ("a A\n\nb B\ncaf\xe9 A\n\nc B\nd B\n", {4: "byte 0xe9 (column 4)"}, 3),
    "ragged lines": ("a A\n\nb B\nc d B\n\nc B\n", {4: "has 3 columns, line 1 has 2"}, 2),
}
HEADS = {"texts": "", "forecasts": "time,load,wind\n", "gestures": "id,step,x\n", "sentences": ""}
CASES = [
    pytest.param(loader, HEADS[loader] + content, left_out, rows, id=f"{loader}: {name}")
    for loader, cases in {"texts": TEXTS, "forecasts": FORECASTS, "gestures": GESTURES, "sentences": SENTENCES}.items()
    for name, (content, left_out, rows) in cases.items()
]


@pytest.mark.parametrize(("loader", "content", "left_out", "rows"), CASES)
def test_bad_rows_are_reported_and_the_rest_goes_on(loader, content, left_out, rows, trained, command):
    run, raw = trained[loader].run, content.encode("latin-1")
    path = Path(f"in.{'conll' if loader == 'sentences' else 'csv'}")
    path.write_bytes(raw)
    for arguments, stdin, name in ([path], b"", path), ([], raw, "standard input"):
        ended = command("predict", run, *arguments, "--quiet", stdin=stdin)
        told = ended.err.splitlines()
        if rows:
            ended.done()
        else:
            assert ended.code == 2 and told.pop().endswith("none of the rows could be read")
        assert len(told) == len(left_out)
        for line, (number, said) in zip(told, left_out.items(), strict=True):
            place = name if number is None else f"{name}:{number}"
            assert line.startswith(f"rnncli: left out: {place}: ") and said in line
        assert len(table(ended.out)) == rows
    if rows:
        assert command("predict", run, path).err.endswith(f"{rows} rows; {len(left_out)} left out\n")

    number, said = next(iter(left_out.items()))
    Path("out.csv").write_text("of yesterday")
    strict = command("predict", run, path, "--strict", "--out", "out.csv")
    strict.refused(f"rnncli: {path if number is None else f'{path}:{number}'}: ", said)
    assert Path("out.csv").read_text() == "of yesterday"
    assert {entry.name for entry in Path().iterdir()} == {path.name, "out.csv"}


JSON_LINES = b'{"text": "a b"}\n{"review": "a"}\n{"text": \n[1]\n{"text": null}\n{"text": "c"}\n'


def test_json_lines(texts, command):
    Path("in.jsonl").write_bytes(JSON_LINES)
    ended = command("predict", texts.run, "in.jsonl", "--quiet")
    ended.done()
    assert [row["text"] for row in table(ended.out)] == ["a b", "c"]
    assert [line.split(": ")[2] for line in ended.err.splitlines()] == [f"in.jsonl:{number}" for number in (2, 3, 4, 5)]
    assert "has no column 'text' (data.input); its columns: review" in ended.err


@pytest.mark.parametrize(
    ("loader", "content", "said"),
    [
        ("texts", "", "is empty"),
        ("texts", "review,n\na,1\n", "has no column 'text' (data.input)"),
        ("texts", "text;n\na;1\n", 'perhaps data.separator: ";" cuts it'),
        ("texts", "text,text\na,b\n", "the header has two columns 'text'"),
        ("forecasts", "", "is empty"),
        ("forecasts", "time,wind\n1,2\n", "has no column 'load'"),
        (
            "forecasts",
            "time,load,wind\n2024-01-01 00:00+01:00,1,1\n2024-01-01 01:00+02:00,2,1\n",
            "line 2 has the time zone +01:00",
        ),
        ("gestures", "id,step\na,1\n", "has no column 'x'"),
        ("sentences", "", "holds no sentence"),
        ("sentences", "\n \n", "holds no sentence"),
    ],
)
def test_what_is_wrong_with_all_of_it_stops(loader, content, said, trained, command):
    Path("in.csv").write_text(content)
    Path("out.csv").write_text("of yesterday")
    for arguments in (["in.csv"], ["in.csv", "--out", "out.csv"], ["-"]):
        ended = command("predict", trained[loader].run, *arguments, stdin=content.encode())
        ended.refused("rnncli: in.csv:" if "in.csv" in arguments else "rnncli: standard input:", said)
    assert Path("out.csv").read_text() == "of yesterday"


@pytest.mark.parametrize("loader", ["texts", "forecasts", "gestures"])
def test_a_header_alone_has_nothing_to_predict(loader, trained, command):
    case = trained[loader]
    ended = command("predict", case.run, stdin=case.good.splitlines()[0].encode() + b"\n")
    ended.done()
    assert ended.out == "" and "0 rows" in ended.err


def test_forecasts_of_a_series_whose_times_are_written_otherwise(forecasts, command):
    ended = command("predict", forecasts.run, stdin=b"time,load\n" + b"".join(b"%d,1\n" % k for k in range(0, 50, 5)))
    ended.done()
    assert [row["time"] for row in table(ended.out)] == ["50", "55"]


def test_a_folder(forecasts, sentences, command):
    Path("many").mkdir()
    for name in ("a", "b"):
        Path("many", f"{name}.csv").write_text(forecasts.good)
    Path("many", "notes.md").write_text("no series")
    rows = table(command("predict", forecasts.run, "many").out)
    assert [row["series"] for row in rows] == ["a", "a", "b", "b"]
    command("predict", sentences.run, "many").refused("many: is a folder where a file is needed")


def test_from_python(texts, forecasts):
    run = load(texts.run)
    frame = pd.DataFrame({"text": ["a good film", "bad"], "number": [1, 2]}, index=[7, 9])
    found = run.predict(frame)
    assert list(found.columns) == ["text", "number", "prediction"] and list(found["text"]) == list(frame["text"])
    assert list(run.predict(list(frame["text"]))["prediction"]) == list(found["prediction"])
    with pytest.raises(DataError, match=r"^texts:2: the text is empty$"):
        run.predict(["a", ""])
    with pytest.raises(DataError, match=r"^the frame:2: the text is empty$"):
        run.predict(pd.DataFrame({"text": ["a", None]}))
    with pytest.raises(DataError, match=r"^the frame: has no column 'text' .* did you mean 'txt'"):
        run.predict(pd.DataFrame({"txt": ["a"]}))
    rows = pd.read_csv(io.StringIO(forecasts.good), parse_dates=["time"])
    assert list(load(forecasts.run).predict(rows)["time"]) == ["2024-01-01 01:20:00", "2024-01-01 01:21:00"]
