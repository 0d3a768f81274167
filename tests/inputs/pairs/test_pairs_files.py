import bz2
import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from pairs_loading import CHARACTERS, loader, only_train, raising, read_back, restored, rows_of, write

from rnncli.config import read
from rnncli.errors import ConfigError, DataError, UserError
from rnncli.inputs.pairs.settings import PairsSettings


def pack(path: Path) -> Path:
    opener = {".gz": gzip.open, ".bz2": bz2.open}[path.suffix]
    with opener(path, "wb") as file:
        file.write(path.with_suffix("").read_bytes())
    path.with_suffix("").unlink()
    return path


@pytest.fixture
def two(tmp_path):
    """Two files of lines with the names of their sides at the end."""
    source = write(tmp_path / "train.en", "a house", "two  cats ", "the end")
    target = write(tmp_path / "train.de", "ein Haus", " zwei Katzen", "das Ende")
    return {"source": source, "target": target}


def test_two_files(two):
    made, train = only_train(two)
    assert train.references == [("ein Haus",), ("zwei Katzen",), ("das Ende",)]
    assert read_back(made, train)[1] == (["two", "cats"], "zwei Katzen")
    assert made.files == [two["source"], two["target"]]
    packed = {"source": two["source"].with_suffix(".en.gz"), "target": two["target"].with_suffix(".de.bz2")}
    for path in packed.values():
        pack(path)
    again, same = only_train(packed)
    assert again.state() == made.state()
    assert rows_of(same.answers) == rows_of(train.answers)


def test_two_files_with_different_numbers_of_lines(two):
    with two["target"].open("a", encoding="utf-8") as file:
        file.write("noch eine\n")
    expected = rf"train\.en: has 3 lines and {two['target']} has 4: the lines of both files must belong together"
    with pytest.raises(DataError, match=expected):
        only_train(two)
    with pytest.raises(DataError, match=expected):
        only_train(two, skip_bad_rows=True)


def test_a_line_of_bad_bytes_takes_its_pair_with_it_and_no_other(two):
    two["source"].write_bytes(b"a house\n\xff\xfe cats\nthe end\n")
    with pytest.raises(DataError, match=r"train\.en:2: byte 0xff"):
        only_train(two)
    made, train = only_train(two, skip_bad_rows=True)
    assert train.references == [("ein Haus",), ("das Ende",)]
    assert made.notes[-1].startswith("rows left out: 1; the first: ")
    two["source"].write_bytes(b"a house\ntwo cats\n\xff\n")  # as the last line
    assert only_train(two, skip_bad_rows=True)[1].references == [("ein Haus",), ("zwei Katzen",)]
    two["target"].write_bytes(b"ein Haus\n\xff\ndas Ende\n")
    assert only_train(two, skip_bad_rows=True)[1].references == [("ein Haus",)]


@pytest.mark.parametrize(("side", "file"), [("source", "train.en"), ("target", "train.de")])
def test_an_empty_side(two, side, file):
    lines = two[side].read_text(encoding="utf-8").splitlines()
    write(two[side], lines[0], " \t", lines[2])
    with pytest.raises(DataError, match=rf"{file}:2: the {side} is empty"):
        only_train(two)
    made, train = only_train(two, skip_bad_rows=True)
    assert train.references == [("ein Haus",), ("das Ende",)]
    assert made.notes[-1].endswith(f"{file}:2: the {side} is empty")


def test_a_side_that_remove_or_the_mark_of_a_space_leaves_empty(tmp_path):
    path = write(tmp_path / "a.tsv", "source\ttarget", "abc\tx", "123\ty", "cab\tz")
    with pytest.raises(DataError, match=r"a\.tsv:3: the source is empty"):
        only_train(path, source={"remove": "[0-9]"})
    write(path, "source\ttarget", "abc\tx", "\u2581\ty", "cab\tz")
    pieces = {"units": "sentencepiece", "sentencepiece_size": 8}
    with pytest.raises(DataError, match=r"a\.tsv:3: the source is empty"):
        only_train(path, source=pieces)
    assert only_train(path, source=pieces, skip_bad_rows=True)[1].references == [("x",), ("z",)]


def test_root_counts_for_the_paths_of_two_files(tmp_path, two, monkeypatch):
    config = tmp_path / "config.yaml"
    config.write_text(
        "loader: pairs\nroot: texts\ntrain: {source: train.en, target: /de/train.de}\nvalid: {source: a, target: b}\n"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = read(config, PairsSettings)
    assert settings.train.source == tmp_path / "texts/train.en"
    assert settings.train.target == Path("/de/train.de")
    assert settings.valid.target == tmp_path / "texts/b"
    moved = read(config, PairsSettings, ["root=r", "valid.source=c"])
    assert moved.train.source == elsewhere / "r/train.en"
    assert (moved.valid.source, moved.valid.target) == (elsewhere / "c", elsewhere / "r/b")
    assert PairsSettings(**settings.model_dump()) == settings
    assert PairsSettings(**settings.model_dump(mode="json")) == settings
    with pytest.raises(ConfigError, match=r"train\.sorce: unknown key 'sorce'; did you mean 'source'"):
        read(config, PairsSettings, ["train={sorce: a, target: b}"])


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "parquet"])
def test_all_forms_of_tables_say_the_same(tmp_path, format):
    frame = pd.DataFrame({"n": [7, 8], "en": ['say "hi", you', "two"], "de": ["sag hallo", "zwei"]})
    path = tmp_path / f"train.{format}"
    match format:
        case "csv":
            frame.to_csv(path, index=False)
        case "tsv":
            frame.to_csv(path, sep="\t", index=False, quoting=3)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "parquet":
            frame.to_parquet(path)
    columns = {"source": {"column": "en"}, "target": {"column": "de"}}
    made, train = only_train(path, **columns)
    assert read_back(made, train) == [(["say", '"hi",', "you"], "sag hallo"), (["two"], "zwei")]
    [chunk] = restored(made).chunks(path, raising)
    assert chunk.rows[1] == {"n": "8", "en": "two", "de": "zwei"}
    with pytest.raises(DataError, match=r"has no column 'da' \(data\.target\.column\)"):
        only_train(path, source={"column": "en"}, target={"column": "da"})


def test_a_dictionary(tmp_path):
    path = write(
        tmp_path / "words.dict",
        ";;; a comment",
        "aalborg AO1 L B AO0 R G # place, danish",
        "aalborg(2) AA1 L B AO0 R G",
        "",
        "a(b) EY1",
        "'s  Z",
        "(1) W AH1 N",
    )
    made, train = only_train(path, source=CHARACTERS, target={"remove": "[0-9]"})
    assert ["".join(units) for units, _ in read_back(made, train)] == ["aalborg", "aalborg", "a(b)", "'s", "(1)"]
    assert train.references == [("AO L B AO R G",), ("AA L B AO R G",), ("EY",), ("Z",), ("W AH N",)]
    other = write(tmp_path / "words.txt", "aalborg X", "aalborg(12) Y", "b Z")
    test = restored(made)
    test.settings = made.settings.model_copy(update={"format": "dictionary", "several_references": True})
    assert test.labelled(other).references == [("X", "Y"), ("Z",)]
    write(path, "aalborg", "b B")
    with pytest.raises(DataError, match=r"words\.dict:1: the target is empty"):
        only_train(path, source=CHARACTERS)


@pytest.fixture
def folder(tmp_path):
    names = tmp_path / "names"
    names.mkdir()
    write(names / "Irish.txt", "Ó Brádaigh", "", "Kelly", "Nolan")
    write(names / "Thai.txt", "Somchai", "Anong", "Kelly")
    write(names / "README.md", "these are names")
    return names


def test_a_folder_of_classes(folder):
    made, train = only_train(folder, "one-to-many", source={"kind": "class"}, target=CHARACTERS)
    assert train.references == [("Ó Brádaigh",), ("Kelly",), ("Nolan",), ("Somchai",), ("Anong",), ("Kelly",)]
    assert train.inputs["class"].flat.tolist() == [2, 2, 2, 3, 3, 3]
    assert made.files == [folder / "Irish.txt", folder / "Thai.txt"]
    assert "left out of names: README.md" in made.notes
    few = loader(folder, "one-to-many", source={"kind": "class"}, split={"valid": 0, "test": 0})
    assert few.load(limit=3)["train"].references == [("Ó Brádaigh",), ("Somchai",), ("Kelly",)]
    with pytest.raises(ConfigError, match=r"folders and files say a class \(kind: class\), found text"):
        only_train(folder)


def test_a_folder_whose_folders_are_classes(tmp_path):
    for kind, name, text in (("ode", "1", "o sea\no sky"), ("ode", "2", "o"), ("joke", "1", "ha")):
        (tmp_path / "all" / kind).mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / kind / f"{name}.txt").write_text(text)
    _, train = only_train(tmp_path / "all", "one-to-many", source={"kind": "class"}, target=CHARACTERS)
    assert train.references == [("ha",), ("o sea\no sky",), ("o",)]


def test_what_is_predicted_of_two_files(two, tmp_path):
    made, _ = only_train(two)
    run = restored(made)
    for source in (write(tmp_path / "new", "a cat", "the"), io.BytesIO(b"a cat\nthe\n"), ["a cat", "the"]):
        [chunk] = run.chunks(source, raising)
        assert chunk.dataset.answers is None
        assert chunk.dataset.references is None
        assert chunk.dataset.batch(pd.RangeIndex(2).to_numpy()).targets is None
        entries = made.state()["sources"]["vocabulary"]
        assert [[entries[id] for id in row] for row in rows_of(chunk.dataset.inputs["tokens"])] == [
            ["a", "<unk>"],
            ["the"],
        ]
        written = list(run.written(chunk, [{"prediction": "eine Katze"}, {"prediction": "die"}]))
        assert written[0] == {"source": "a cat", "prediction": "eine Katze"}
    [chunk] = run.chunks(write(tmp_path / "new.csv", "id,source", "5,two"), raising)
    assert chunk.rows == [{"id": "5", "source": "two"}]
    [chunk] = run.chunks(pd.DataFrame({"source": ["the end"]}), raising)
    assert rows_of(chunk.dataset.inputs["tokens"]) == rows_of(run.labelled(two["source"]).inputs["tokens"])[2:]
    bad = []
    [chunk] = run.chunks(["the", " ", "a"], bad.append)
    assert [row["source"] for row in chunk.rows] == ["the", "a"]
    assert [str(each) for each in bad] == ["texts:2: the source is empty"]


def test_files_to_evaluate_beside_each_other(two, tmp_path):
    made, _ = only_train(two)
    run = restored(made)
    source = write(tmp_path / "later.en", "two")
    with pytest.raises(DataError, match=r"later\.de: no such file"):
        run.labelled(source)
    write(tmp_path / "later.de", "zwei")
    assert run.labelled(source).references == [("zwei",)]
    table = write(tmp_path / "later.tsv", "source\ttarget", "end\tEnde")
    assert run.labelled(table).references == [("Ende",)]
    with pytest.raises(
        DataError, match=r"later\.fr: is no table .* the training part is train\.en and train\.de; a name"
    ):
        run.labelled(tmp_path / "later.fr")


def test_what_is_predicted_of_a_dictionary(tmp_path):
    made, _ = only_train(write(tmp_path / "a.dict", "cab K AE1 B", "bc B"), source=CHARACTERS)
    run = restored(made)
    sources = (io.BytesIO(b"cab\nabc # x\n"), write(tmp_path / "new.txt", "cab X Y", "abc(2) Z"))
    for source in (*sources, write(tmp_path / "new.csv", "source", "cab", "abc"), ["cab", "abc"]):
        [chunk] = run.chunks(source, raising)
        assert [row["source"] for row in chunk.rows] == ["cab", "abc"]
        assert chunk.dataset.lengths.tolist() == [3, 3]


def test_what_is_predicted_of_classes(folder, tmp_path):
    made, _ = only_train(folder, "one-to-many", source={"kind": "class"}, target=CHARACTERS)
    run = restored(made)
    bad = []
    [chunk] = run.chunks(io.BytesIO(b"Thai\nIrsh\nIrish\n"), bad.append)
    assert chunk.dataset.inputs["class"].flat.tolist() == [3, 2]
    assert [row["source"] for row in chunk.rows] == ["Thai", "Irish"]
    [error] = bad
    assert str(error).startswith(
        "standard input:2: class 'Irsh' does not occur in the training part; did you mean 'Irish'"
    )
    [chunk] = run.chunks(write(tmp_path / "wanted.txt", "Irish"), raising)
    assert chunk.dataset.inputs["class"].flat.tolist() == [2]


def test_what_is_predicted_of_values(tmp_path):
    path = write(tmp_path / "a.csv", "x,y,target", "1,2,a", "3,4,b")
    made, train = only_train(path, "one-to-many", source={"kind": "values", "columns": ["x", "y"]})
    run = restored(made)
    bad = []
    [chunk] = run.chunks(io.BytesIO(b"y,x\n4,3\nz,1\n"), bad.append)
    assert chunk.dataset.inputs["values"].flat.tolist() == train.inputs["values"].flat[1:].tolist()
    assert str(bad[0]) == "standard input:3: column 'y' holds 'z' where a finite number is needed"
    with pytest.raises(UserError, match="plain texts have no columns"):
        list(run.chunks(["1"], raising))


def test_tables_without_a_header(tmp_path):
    path = write(tmp_path / "a.tsv", "one\teins", "two\tzwei")
    made, train = only_train(path, columns=["source", "target"])
    assert read_back(made, train)[1] == (["two"], "zwei")
    [chunk] = restored(made).chunks(io.BytesIO(b"two\n"), raising)
    assert chunk.rows == [{"source": "two"}]


def test_lines_alone_are_no_pairs(two):
    with pytest.raises(ConfigError, match="is read as lines, which hold no pairs; name the form of a table"):
        only_train(two["source"])
