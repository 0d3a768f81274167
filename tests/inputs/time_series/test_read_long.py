"""Long tables: values, order, roles of columns, and what is refused where."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from series_settings import forecast, settings

from rnncli.errors import DataError
from rnncli.inputs.time_series import table
from rnncli.inputs.time_series.reading import read_series
from rnncli.inputs.time_series.times import as_text

SITES = """site,when,kind,load,wind,label
b,2020-01-02,x,4,,no
a,2020-01-03,,3.5,0.3,yes
a,2020-01-01,y,1,NA,yes
b,2020-01-01,x,-2e1,7,no
a,2020-01-02,y, 2 ,?,no
"""


def write(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, newline="")
    return path


def sites(**options: object):  # type: ignore[no-untyped-def]
    return forecast("load", covariates=["wind"], categories=["kind"], series="site", time="when", **options)


@pytest.mark.parametrize("limit", [None, 100], ids=["fast", "row by row"])
def test_series_are_parted_by_id_and_sorted_by_time(tmp_path: Path, limit: int | None) -> None:
    reading = read_series([write(tmp_path, SITES)], sites(), limit=limit)
    b, a = reading.series
    assert (b.name, a.name) == ("b", "a")
    assert reading.value_columns == ["load", "wind"]
    np.testing.assert_array_equal(a.values, [[1, np.nan], [2, np.nan], [3.5, 0.3]])
    np.testing.assert_array_equal(b.values, [[-20, 7], [4, np.nan]])
    assert a.lines.tolist() == [4, 6, 3]
    assert a.times is not None and as_text(a.times, a.form, a.zone) == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert a.categories[0].tolist() == ["y", "y", ""]
    assert reading.notes == ["series b, series a: rows sorted by time"]


def test_targets_that_are_no_inputs_stand_beside_the_values(tmp_path: Path) -> None:
    path = write(tmp_path, SITES)
    classes = settings(target={"kind": "class", "columns": "label"}, covariates=["load"], series="site", time="when")
    reading = read_series([path], classes, keep_rows=True)
    assert reading.value_columns == ["load"]
    assert [one.label for one in reading.series] == [["no", "no"], ["yes", "no", "yes"]]
    assert reading.series[0].rows is not None and reading.series[0].rows[0]["wind"] == "7"
    numbers = settings(target={"kind": "value", "columns": ["wind"]}, covariates=["load"], series="site", time="when")
    second = read_series([path], numbers).series[1]
    assert second.target_values is not None
    np.testing.assert_array_equal(second.target_values, [[np.nan], [np.nan], [0.3]])
    untargeted = write(tmp_path, "site,when,load\na,2020-01-01,5\n", "new.csv")
    assert read_series([untargeted], classes, with_target=False).series[0].label is None
    with pytest.raises(DataError, match=r"no column 'label' \(data.target.columns\)"):
        read_series([untargeted], classes)


def test_both_ways_of_reading_agree_with_pandas(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "id": generator.choice(["u", "v", "w"], 500),
            "when": pd.date_range("2021-03-01", periods=500, freq="h").astype(str),
            "x": generator.normal(size=500),
            "y": generator.normal(size=500) * 1e-7,
        }
    )
    path = tmp_path / "t.csv"
    frame.sample(frac=1, random_state=1).to_csv(path, index=False)
    options = forecast("x", covariates=["y"], series="id", time="when")
    for limit in (None, 1000):
        for one in read_series([path], options, limit=limit).series:
            expected = frame[frame["id"] == one.name]
            np.testing.assert_array_equal(one.values, expected[["x", "y"]].to_numpy())
            np.testing.assert_array_equal(one.times, pd.to_datetime(expected["when"]).to_numpy("datetime64[ns]"))


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ('when,note,x\n1,"a\nb",2.5\n2,c,3\n', 4),  # a line end within quotes
        ("when,note,x\n1,a,2.5\n\n2,b,3\n", 4),  # a line with nothing in it
        ("\ufeffwhen,note,x\r\n1,a,2.5\r\n2,b,3\r\n", 3),
        ("when,note,x\n1,a,2.5\n2,b,3", 3),  # no line end at the end
    ],
)
def test_forms_of_csv(tmp_path: Path, text: str, second: int) -> None:
    path = write(tmp_path, text)
    one = read_series([path], forecast("x", time="when")).series[0]
    assert one.values[:, 0].tolist() == [2.5, 3]
    assert one.times is not None and one.times.tolist() == [1, 2]
    assert one.lines.tolist() == [2, second]


def test_a_file_that_turns_bad_after_many_rows_is_read_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "BYTES", 50)
    lines = [f"{number},{number * 0.5}" for number in range(100)]
    lines[60] = '60,"30.0"'
    lines[70:70] = ["1,2,3"]
    path = write(tmp_path, "t,x\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"t\.csv:72: has 3 fields, the header has 2"):
        read_series([path], forecast("x", time="t"))
    told: list[str] = []
    one = read_series([path], forecast("x", time="t"), on_bad_row=lambda bad: told.append(str(bad))).series[0]
    np.testing.assert_array_equal(one.values[:, 0], np.arange(100) / 2)
    assert one.lines.tolist() == [*range(2, 72), *range(73, 103)]
    assert len(told) == 1


def test_quoted_line_ends_at_the_edge_of_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "t,note,x\n" + "".join(f'{number},"one\ntwo, ""three""",{number}\n' for number in range(50))
    path = write(tmp_path, text)
    for size in range(20, 60):
        monkeypatch.setattr(table, "BYTES", size)
        one = read_series([path], forecast("x", categories=["note"], time="t")).series[0]
        assert one.values[:, 0].tolist() == list(range(50))
        assert set(one.categories[0]) == {'one\ntwo, "three"'}
        assert one.lines.tolist() == list(range(2, 102, 2))


def test_other_forms_of_tables_say_the_same(tmp_path: Path) -> None:
    frame = pd.DataFrame({"": ["2020-01-01", "2020-01-02"], "x": [1.5, float("nan")]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    pd.DataFrame({"column_1": pd.to_datetime(frame[""]), "x": frame["x"]}).to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.tsv", "a.csv.gz", "a.parquet"):
        one = read_series([tmp_path / name], forecast("x", time="column_1")).series[0]
        np.testing.assert_array_equal(one.values, [[1.5], [np.nan]])
        np.testing.assert_array_equal(one.times, np.array(["2020-01-01", "2020-01-02"], "datetime64[ns]"))


def test_several_files_are_several_series(tmp_path: Path) -> None:
    paths = [write(tmp_path, "t,x\n1,2\n", "north.csv"), write(tmp_path, "t,x\n1,5\n2,6\n", "south.csv")]
    for given in (paths, [tmp_path]):
        reading = read_series(given, forecast("x", time="t"))
        assert [(one.name, one.source, len(one)) for one in reading.series] == [
            ("north", str(paths[0]), 1),
            ("south", str(paths[1]), 2),
        ]
        assert reading.files == paths


def test_no_header(tmp_path: Path) -> None:
    path = write(tmp_path, "1,7,2.5,0\n1,8,3.5,1\n2,7,4.5,0\n", "gt.txt")
    options = settings(
        format="csv",
        columns=["frame", "id", "left", "seen"],
        series="id",
        time="frame",
        target={"kind": "value", "columns": "seen"},
        covariates=["left"],
    )
    assert [one.values[:, 0].tolist() for one in read_series([path], options).series] == [[2.5, 4.5], [3.5]]
    bare = write(tmp_path, "1,7,2.5\n1,8,3.5\n", "new.txt")
    assert [len(one) for one in read_series([bare], options, with_target=False).series] == [1, 1]


def test_gaps_are_told(tmp_path: Path) -> None:
    days = ["2017-01-01", "2017-01-02", "2017-01-03", "2017-01-04", "2017-01-09", "2017-01-10", "2017-01-12"]
    path = write(tmp_path, "d,s,x\n" + "".join(f"{day},{name},1\n" for name in "ABCDE" for day in days))
    notes = read_series([path], forecast("x", time="d", series="s")).notes
    assert notes[0] == "series A: 2 gaps, the first after 2017-01-04 (5 days where 1 day is usual)"
    assert len(notes) == 4 and notes[3] == "2 more series have gaps"
    months = write(tmp_path, "m,x\n2017-01,1\n2017-02,1\n2017-03,1\n2017-06,1\n")
    assert read_series([months], forecast("x", time="m")).notes == [
        "the series: 1 gap after 2017-03 (3 months where 1 month is usual)"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t,x\n1,2\n2,low\n", r"t\.csv:3: column x holds 'low' where a finite number is needed"),
        ("t,x\n1,2\n2,inf\n", r"t\.csv:3: column x holds 'inf' where a finite number"),
        ("t,x\n1,2\n1,3\n", r"t\.csv:3: the series has the time 1 twice, also in line 2"),
        ("t,x\n1,2\nsoon,3\n", r"t\.csv:3: column t holds 'soon' where a number is needed, as in the rows before"),
        ("t,x\n2020-01-01,2\nsoon,3\n", r"t\.csv:3: column t holds 'soon', not understood as a time"),
        ("t,x\n2020-01-01,2\n2020-02-30,3\n", r"t\.csv:3: column t holds '2020-02-30', not understood"),
        ("t,x\n2020-01-01,2\n,3\n", r"t\.csv:3: column t holds no time"),
        (
            "t,x\n2020-01-01 00:00+01:00,1\n2020-01-01 01:00+01:00,1\n2020-07-01 00:00+02:00,3\n",
            r"t\.csv:4: a time with the time zone \+02:00, but line 2 has the time zone \+01:00",
        ),
        ("t,x\n2020-01-01T00:00,1\n2020-01-01T01:00Z,1\n", r"t\.csv:3: .*zone Z, but line 2 has no time zone"),
        ("t,x\n1,2\n3\n", r"t\.csv:3: has 1 field, the header has 2"),
        ("t,y\n1,2\n", r"t\.csv: has no column 'x' .*its columns: t, y"),
        ("", "is empty"),
        ("t,x\n", "has no rows"),
    ],
)
@pytest.mark.parametrize("limit", [None, 100], ids=["fast", "row by row"])
def test_refusals(tmp_path: Path, text: str, message: str, limit: int | None) -> None:
    with pytest.raises(DataError, match=message):
        read_series([write(tmp_path, text)], forecast("x", time="t"), limit=limit)


def test_bad_rows_can_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "s,t,x,c\na,1,2,k\na,2,low,k\n,3,1,k\na,1,5,k\na,4,6,\na,5,7,k\n")
    options = settings(target={"kind": "class", "columns": "c"}, covariates=["x"], series="s", time="t")
    told: list[DataError] = []
    one = read_series([path], options, on_bad_row=told.append).series[0]
    assert one.lines.tolist() == [2, 7]
    assert [bad.line for bad in told] == [3, 4, 6, 5]


def test_a_name_that_says_no_form(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.format must"):
        read_series([write(tmp_path, "t,x\n1,2\n", "gt.txt")], forecast("x"))


def test_columns_must_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, "t,x\n1,2\n")
    with pytest.raises(DataError, match=r"data\.target\.columns must name"):
        read_series([path], settings(target={"kind": "forecast"}))
    with pytest.raises(DataError, match=r"data\.covariates or data\.categories must name"):
        read_series([path], settings(target={"kind": "class", "columns": "x"}))


def test_limit_is_a_number_of_rows(tmp_path: Path) -> None:
    assert len(read_series([write(tmp_path, "x\n1\n2\n3\n")], forecast("x"), limit=2).series[0]) == 2
