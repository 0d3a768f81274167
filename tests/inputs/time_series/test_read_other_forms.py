"""Wide tables, .ts files, arrays and frames: what is read and what is refused."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from series_settings import forecast, settings

from rnncli.errors import DataError
from rnncli.inputs.time_series import frames
from rnncli.inputs.time_series.reading import read_series

CLASS = {"kind": "class"}


def write(folder: Path, text: str, name: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_wide_rows_end_at_their_last_value(tmp_path: Path) -> None:
    text = '"V1","V2","V3","V4"\n"H1","1","","3"\n"H2","4.5","NA",""\n'
    reading = read_series([write(tmp_path, text, "w.csv")], forecast(layout="wide"))
    assert reading.value_columns == ["value"]
    assert [one.name for one in reading.series] == ["H1", "H2"]
    np.testing.assert_array_equal(reading.series[0].values[:, 0], [1, np.nan, 3])
    np.testing.assert_array_equal(reading.series[1].values[:, 0], [4.5, np.nan])
    assert reading.series[1].lines.tolist() == [3, 3]


def test_a_wide_table_may_hold_its_target(tmp_path: Path) -> None:
    path = write(tmp_path, "y,id,a,b\nup,p,1,2\ndown,q,3,\n", "w.csv")
    options = settings(layout="wide", series="id", target={"kind": "class", "columns": "y"})
    series = read_series([path], options).series
    assert [(one.name, one.label, one.values[:, 0].tolist()) for one in series] == [
        ("p", ["up"], [1, 2]),
        ("q", ["down"], [3]),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("i,a,b\nH1,1,x\n", "w.csv:2: column b holds 'x'"),
        ("i,a,b\nH1,,\n", "w.csv:2: series H1 has no values"),
        ("i,a\nH1,1\nH1,2\n", "w.csv:3: series H1 stands here again, first in line 2"),
        ("i,a,b\nH1,1\n", "w.csv:2: has 2 fields, the header has 3"),
    ],
)
def test_wide_refusals(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text, "w.csv")
    with pytest.raises(DataError, match=message):
        read_series([path], forecast(layout="wide"))
    good = write(tmp_path, text + "Z," + ",".join("5" * text.split("\n")[0].count(",")) + "\n", "w.csv")
    told: list[DataError] = []
    assert read_series([good], forecast(layout="wide"), on_bad_row=told.append).series[-1].name == "Z"
    assert len(told) == 1


TS = """# two dimensions
@problemName Test
@timestamps false
@univariate false
@classLabel true up down
@data
1,2,3:4,?,6:up
# between
7:8:down
"""


def test_ts_files(tmp_path: Path) -> None:
    reading = read_series([write(tmp_path, TS, "a.ts")], settings(target=CLASS))
    assert reading.value_columns == ["dimension_1", "dimension_2"]
    first, second = reading.series
    np.testing.assert_array_equal(first.values, [[1, 4], [2, np.nan], [3, 6]])
    np.testing.assert_array_equal(second.values, [[7, 8]])
    assert (first.name, first.label, first.lines.tolist()) == ("1", ["up"], [7, 7, 7])
    assert (second.name, second.label, second.lines.tolist()) == ("2", ["down"], [9])
    chosen = read_series([tmp_path / "a.ts"], settings(target=CLASS, covariates=["dimension_2"]))
    np.testing.assert_array_equal(chosen.series[0].values[:, 0], [4, np.nan, 6])


def test_ts_files_with_values_to_be_found_or_without_any_target(tmp_path: Path) -> None:
    valued = write(tmp_path, "@targetLabel true\n@data\n1,2:0.5\n3:-2\n", "v.ts")
    series = read_series([valued], settings(target={"kind": "value"})).series
    assert [one.target_values.tolist() for one in series if one.target_values is not None] == [[[0.5]], [[-2]]]
    bare = write(tmp_path, "@classLabel false\n@data\n1,2:3,4\n", "b.ts")
    assert read_series([bare], settings(target=CLASS), with_target=False).series[0].values.tolist() == [[1, 3], [2, 4]]
    with pytest.raises(DataError, match=r"b\.ts:2: holds no classes"):
        read_series([bare], settings(target=CLASS))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("@timestamps false", "@timeStamps true"), r"a\.ts:3: @timeStamps true: .* not read"),
        ((":up", ":upp"), r"a\.ts:7: unknown class 'upp'; did you mean 'up'\?"),
        (("4,?,6", "4,?"), r"a\.ts:7: its dimensions differ in length: 2, 3"),
        (("4,?,6", "4,x,6"), r"a\.ts:7: dimension 2, step 2: 'x' is no finite number"),
        (("7:8", "7"), r"a\.ts:9: a case of 1 dimensions where others have 2"),
        (("@data\n", ""), r"a\.ts:6: a case before the line @data"),
        (("7:8", ":"), r"a\.ts:9: a case without values"),
    ],
)
def test_ts_refusals(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    path = write(tmp_path, TS.replace(*change), "a.ts")
    with pytest.raises(DataError, match=message):
        read_series([path], settings(target=CLASS))


def index_of_arrays(folder: Path) -> Path:
    (folder / "clips").mkdir()
    np.save(folder / "clips" / "one.npy", np.arange(6, dtype=np.float32).reshape(3, 2))
    np.savez(folder / "clips" / "two.npz", rgb=np.ones((4, 2), np.int16), flow=np.zeros((4, 2)))
    return write(folder, "file,y,note\nclips/one.npy,jump,slow\nclips/two.npz,run,\n", "index.csv")


def test_arrays_of_an_index(tmp_path: Path) -> None:
    index = index_of_arrays(tmp_path)
    target = {"kind": "class", "columns": "y"}
    reading = read_series([index], settings(format="arrays", array="rgb", target=target))
    assert reading.value_columns == ["feature_1", "feature_2"]
    one, two = reading.series
    assert one.values.tolist() == [[0, 1], [2, 3], [4, 5]] and two.values.tolist() == [[1, 1]] * 4
    assert (one.name, one.label, one.rows) == (
        "one",
        ["jump"],
        [{"file": "clips/one.npy", "y": "jump", "note": "slow"}],
    )
    files = [tmp_path / "clips"]
    looked_up = read_series(files, settings(index=index, array="rgb", target=target)).series
    assert [(one.name, one.label) for one in looked_up] == [("one", ["jump"]), ("two", ["run"])]
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    index.rename(moved / "index.csv")
    options = settings(format="arrays", array="rgb", target=target, root=tmp_path)
    assert [len(one) for one in read_series([moved / "index.csv"], options).series] == [3, 4]


def test_array_refusals(tmp_path: Path) -> None:
    index = index_of_arrays(tmp_path)
    target = {"kind": "class", "columns": "y"}
    with pytest.raises(DataError, match=r"two\.npz: holds 2 arrays; data\.array must name one of them: rgb, flow"):
        read_series([index], settings(format="arrays", target=target))
    with pytest.raises(DataError, match=r"unknown array .*'rgd'; did you mean 'rgb'"):
        read_series([index], settings(format="arrays", array="rgd", target=target))
    with pytest.raises(DataError, match=r"one\.npy: has no target: data\.index must name"):
        read_series([tmp_path / "clips" / "one.npy"], settings(target=target))
    write(tmp_path, "file,y\nclips/on.npy,jump\n", "wrong.csv")
    with pytest.raises(DataError, match=r"no such file; the nearest in .* is one\.npy"):
        read_series([tmp_path / "wrong.csv"], settings(format="arrays", target=target))
    for name, values, message in [
        ("object", np.array([{}, 1], object), "or holds Python objects, which are never loaded"),
        ("text", np.array(["a"]), "where numbers are needed"),
        ("cube", np.zeros((2, 2, 2)), r"has the shape \(2, 2, 2\)"),
        ("empty", np.zeros((0, 2)), r"has the shape \(0, 2\)"),
        ("infinite", np.array([1, np.inf]), "step 2 holds an infinite number"),
    ]:
        np.save(tmp_path / f"{name}.npy", values)
        with pytest.raises(DataError, match=rf"{name}\.npy: .*{message}"):
            read_series([tmp_path / f"{name}.npy"], forecast())
    whole = (tmp_path / "clips" / "one.npy").read_bytes()
    (tmp_path / "cut.npy").write_bytes(whole[:-3])
    (tmp_path / "cut.npz").write_bytes((tmp_path / "clips" / "two.npz").read_bytes()[:-30])
    (tmp_path / "noise.npy").write_bytes(b"\x80\x04noise")
    for name in ("cut.npy", "cut.npz", "noise.npy"):
        with pytest.raises(DataError, match=name):
            read_series([tmp_path / name], forecast())


PIECES = {"train": [[[60, 64], []], [[61]]], "test": [[[62, 21, 108]]]}


def test_frames(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps(PIECES), "chorales.json")
    options = settings(target={"kind": "next"}, pitches=(21, 108))
    assert frames.parts(path) == ["train", "test"]
    reading = read_series([path], options, part="train")
    assert reading.value_columns == [str(pitch) for pitch in range(21, 109)]
    assert [np.flatnonzero(one.values).tolist() for one in reading.series] == [[60 - 21, 64 - 21], [61 - 21]]
    assert [one.values.shape for one in reading.series] == [(2, 88), (1, 88)]
    assert np.flatnonzero(read_series([path], options, part="test").series[0].values).tolist() == [0, 41, 87]
    assert len(read_series([path], options).series) == 3
    plain = write(tmp_path, json.dumps(PIECES["train"]), "plain.json")
    assert frames.parts(plain) == [] and len(read_series([plain], options).series) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"train": [[[60], [20]]]}',
            r"f\.json: piece 1 of train, step 2: 20 is no pitch from 21 to 108 \(data\.pitch",
        ),
        ("[[[60, true]]]", "piece 1, step 1: True is no pitch"),
        ("[[60]]", "piece 1 is no list of steps"),
        ("[[]]", "piece 1 has no steps"),
        ('{"tune": []}', "has no part train; its keys: tune"),
        ("[[[60]]\n,,]", r"f\.json:2: is no valid JSON"),
    ],
)
def test_frames_refusals(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_series([write(tmp_path, text, "f.json")], settings(target={"kind": "next"}), part="train")


def test_files_of_one_reading_have_the_same_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 2)))
    np.save(tmp_path / "b.npy", np.ones((3, 4)))
    with pytest.raises(DataError, match=r"b\.npy: has 4 columns of values where .*a\.npy has 2"):
        read_series([tmp_path], forecast())


def test_a_folder_of_several_forms_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones(3))
    pd.DataFrame({"x": [1]}).to_csv(tmp_path / "b.csv")
    with pytest.raises(DataError, match=r"several forms \(arrays, csv\); data\.format must choose"):
        read_series([tmp_path], forecast())
    assert len(read_series([tmp_path], forecast(format="arrays")).series) == 1
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="holds no file whose name ends in"):
        read_series([tmp_path / "none"], forecast())


def test_ts_from_a_pipe() -> None:
    from rnncli.inputs.time_series.streaming import stream_series

    pipe = io.BytesIO(TS.encode())
    assert [len(one) for one in stream_series(pipe, settings(format="ts", target=CLASS), None)] == [3, 1]
