import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from text_loading import CLASS, MANY, decoded, loader, table, write

from rnncli.errors import ConfigError, DataError, RunError
from rnncli.inputs.loader import LOADERS
from rnncli.inputs.text.loader import TextLoader


def raising(bad):
    raise bad


def restored(trained):
    again = TextLoader(trained.settings, trained.task)
    again.restore(json.loads(json.dumps(trained.state())))
    return again


@pytest.fixture
def splits(tmp_path):
    return {
        "train": write(tmp_path / "train.csv", table(["a b c,10", "b a,9", "b,10", "d b,9"])),
        "valid": write(tmp_path / "valid.csv", table(["c x a,9"])),
        "test": write(tmp_path / "test.csv", table(["x y,10", "a b,9", "B a b b,9"])),
    }


def test_the_loader_is_registered():
    assert LOADERS["text"] is TextLoader


def test_texts_with_a_class(splits):
    made = loader(**splits)
    data = made.load()
    assert list(data) == ["train", "valid", "test"]
    assert decoded(made, data["train"]) == [["a", "b", "c"], ["b", "a"], ["b"], ["d", "b"]]
    assert decoded(made, data["test"]) == [["<unk>", "<unk>"], ["a", "b"], ["<unk>", "a", "b", "b"]]
    assert made.target.kind == "class"
    assert made.target.names == ("9", "10")  # by their numbers, not their text
    assert made.target.counts == (2, 2)
    batch = data["test"].batch(np.array([2, 0]))
    assert batch.targets.tolist() == [0, 1]
    assert batch.targets.dtype == torch.int64
    assert batch.inputs["tokens"].lengths.tolist() == [4, 2]
    assert made.features["tokens"].size == 6
    assert made.files == list(splits.values())
    assert made.notes == ["unknown words: train 0.0 %, valid 33.3 %, test 37.5 %"]


def test_units_and_lowercase_and_limits(splits):
    made = loader(**splits, lowercase=True, max_length=3, min_count=2)
    data = made.load()
    assert decoded(made, data["test"]) == [["<unk>", "<unk>"], ["a", "b"], ["b", "a", "b"]]
    assert made.notes == [
        "unknown words: train 25.0 %, valid 66.7 %, test 28.6 %",
        "texts cut at max_length 3: train 0 of 4, valid 0 of 1, test 1 of 3",
    ]
    made = loader(**splits, units="character")
    assert decoded(made, made.load()["train"])[1] == ["b", " ", "a"]


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_all_forms_of_tables_say_the_same(tmp_path, format, packed):
    frame = pd.DataFrame({"label": ["x", "y", "x"], "text": ['say "hi", you', "two words", "third"]})
    path = tmp_path / f"train.{format}{packed}"
    match format:
        case "csv":
            frame.to_csv(path, index=False)
        case "tsv":
            write_options = {"sep": "\t", "index": False, "quoting": 3}
            frame.to_csv(path, **write_options)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case "parquet":
            path = path.with_name("train.parquet")
            frame.to_parquet(path)
    made = loader(path, split={"valid": 0, "test": 0})
    data = made.load()
    assert list(data) == ["train"]
    assert decoded(made, data["train"]) == [["say", '"hi",', "you"], ["two", "words"], ["third"]]
    assert data["train"].targets.tolist() == [0, 1, 0]
    found = list(restored(made).chunks(path, raising))
    assert decoded(made, found[0].dataset) == decoded(made, data["train"])
    assert found[0].rows[1] == {"label": "y", "text": "two words"}


def test_a_byte_order_mark_and_carriage_returns_change_nothing(tmp_path, splits):
    plain = loader(**splits)
    marked = {
        name: write(tmp_path / "dos" / path.name, path.read_text(), "utf-8-sig", "\r\n")
        for name, path in splits.items()
    }
    other = loader(**marked)
    for (name, data), same in zip(plain.load().items(), other.load().values(), strict=True):
        assert decoded(plain, data) == decoded(other, same), name
    assert plain.state() == other.state()


def test_parts_are_drawn_without_overlap_and_repeated_texts_stay_together(tmp_path):
    rows = MANY + MANY[:10]
    path = write(tmp_path / "a.csv", table(rows))
    made = loader(path, split={"valid": 0.2, "test": 0.2, "seed": 4})
    data = made.load()
    entries = {name: [" ".join(map(str, row)) for row in decoded(made, part)] for name, part in data.items()}
    assert sum(map(len, data.values())) == 50
    assert [len(data[name]) for name in ("valid", "test")] == [10, 10]
    # Words that only valid and test have are unknown; good and bad are known.
    assert all(text.startswith(("good", "bad")) for part in entries.values() for text in part)
    assert len(made.state()["vocabulary"]) == 2 + 2 + len({w for t in entries["train"] for w in t.split()[1:]})
    assert not any("<unk>" in text for text in entries["train"])
    again = loader(path, split={"valid": 0.2, "test": 0.2, "seed": 4})
    assert {name: part.inputs["tokens"].flat.tolist() for name, part in again.load().items()} == {
        name: part.inputs["tokens"].flat.tolist() for name, part in data.items()
    }
    for part in ("valid", "test"):
        assert abs(data[part].targets.float().mean() - 0.5) <= 0.1


def test_refit_joins_the_validation_part(tmp_path, splits):
    data = loader(**splits).load(refit=True)
    assert {name: len(part) for name, part in data.items()} == {"train": 5, "test": 3}
    path = write(tmp_path / "a.csv", table(MANY))
    drawn, refitted = loader(path).load(), loader(path).load(refit=True)
    assert len(refitted["train"]) == len(drawn["train"]) + len(drawn["valid"])
    assert len(refitted["test"]) == len(drawn["test"])


def test_limit_reads_so_many_rows_of_each_part(splits):
    data = loader(**splits).load(limit=2)
    assert {name: len(part) for name, part in data.items()} == {"train": 2, "valid": 1, "test": 2}


def test_sets_of_labels(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"t": "p q", "l": ["x", "y y"]}\n{"t": "q", "l": []}\n{"t": "p", "l": "x|z"}\n')
    made = loader(
        path,
        input="t",
        target={"kind": "labels", "column": "l", "separator": "|"},
        split={"valid": 0, "test": 0},
    )
    data = made.load()["train"]
    assert made.target.names == ("x", "y y", "z")
    assert made.target.counts == (2, 1, 1)
    assert data.targets.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 1]]
    assert data.targets.dtype == torch.float32


def test_values_are_scaled_and_say_how(tmp_path):
    path = write(tmp_path / "a.csv", table(["a,100", "b,130", "c d,160"]))
    test = write(tmp_path / "t.csv", table(["a,250"]))
    made = loader(path, test=test, valid=test, target={"kind": "value", "column": "label"})
    data = made.load()
    batch = data["train"].batch(np.array([2, 0]))
    assert batch.targets.shape == (2, 1)
    assert abs(data["train"].targets.mean()) < 1e-6
    torch.testing.assert_close(batch.targets * batch.scale + batch.center, torch.tensor([[160.0], [100.0]]))
    own = data["test"].batch(np.array([0]))
    torch.testing.assert_close(own.targets * own.scale + own.center, torch.tensor([[250.0]]))
    same = restored(made).labelled(test).batch(np.array([0]))
    torch.testing.assert_close(same.targets, own.targets)
    assert made.target.names == ("label",)


def test_saved_and_restored(splits, tmp_path):
    vectors = write(tmp_path / "vectors.txt", "b 1 2 3\nd 4 5 6\n")
    made = loader(**splits, vectors=vectors)
    data = made.load()
    table_of_vectors = made.features["tokens"].vectors
    assert table_of_vectors[2].tolist() == [1, 2, 3]  # b is the most frequent
    assert np.isnan(table_of_vectors[[0, 1, 3]]).all()
    assert vectors in made.files
    again = restored(made)
    assert again.target == made.target
    assert again.features["tokens"].size == made.features["tokens"].size
    assert again.features["tokens"].vectors.shape == table_of_vectors.shape
    test = again.labelled(splits["test"])
    assert decoded(again, test) == decoded(made, data["test"])
    assert test.targets.tolist() == data["test"].targets.tolist()
    assert again.notes == ["unknown words: 37.5 %"]


@pytest.mark.parametrize(
    "damage", [{"vocabulary": ["a"]}, {"target": None}, {"center": "x"}, {"sentencepiece": "AAAA"}]
)
def test_a_damaged_state(splits, damage):
    made = loader(**splits)
    made.load()
    with pytest.raises(RunError):
        TextLoader(made.settings, made.task).restore(made.state() | damage)
    with pytest.raises(RunError):
        TextLoader(made.settings, made.task).restore({})


def test_sentencepiece(tmp_path):
    path = write(tmp_path / "a.csv", table(MANY))
    settings = {"units": "sentencepiece", "sentencepiece_size": 40, "lowercase": True}
    made, same = loader(path, **settings), loader(path, **settings)
    data = made.load()
    same.load()
    assert made.state() == same.state()
    for name, part in data.items():
        for units in decoded(made, part):
            if "<unk>" not in units:
                text = "".join(units).replace("▁", " ").strip()
                assert text.split()[0] in ("good", "bad"), name
    pieces = [entry for entry in made.state()["vocabulary"] if entry != "<unk>"]
    assert len(pieces) <= 40
    rows = next(restored(made).chunks(["GOOD\u00a0\t word3 "], raising)).dataset
    assert "".join(decoded(made, rows)[0]) == "▁good▁word3"


# --- to predict ---


def test_predicting_from_every_source(splits, tmp_path):
    made = loader(**splits)
    made.load()
    texts = ["a b", "zz c"]
    expected = [["a", "b"], ["<unk>", "c"]]
    csv = b"id,text\n7,a b\n8,zz c\n"
    sources = {
        "texts": (texts, [{"text": text} for text in texts]),
        "frame": (
            pd.DataFrame({"n": [1, 2], "text": texts}),
            [{"n": str(n), "text": t} for n, t in ((1, "a b"), (2, "zz c"))],
        ),
        "pipe": (io.BytesIO(csv), [{"id": "7", "text": "a b"}, {"id": "8", "text": "zz c"}]),
        "lines": (write(tmp_path / "in.txt", "a b\nzz c\n"), [{"text": text} for text in texts]),
        "table": (write(tmp_path / "in.csv", csv.decode()), [{"id": "7", "text": "a b"}, {"id": "8", "text": "zz c"}]),
    }
    for name, (source, own) in sources.items():
        again = restored(made)
        (chunk,) = again.chunks(source, raising)
        assert decoded(made, chunk.dataset) == expected, name
        assert chunk.dataset.targets is None
        written = list(again.written(chunk, [{"prediction": "9"}, {"prediction": "10"}]))
        assert written == [{**own[0], "prediction": "9"}, {**own[1], "prediction": "10"}], name
        assert again.notes == ["unknown words: 25.0 %"]


def test_predicting_goes_on_behind_bad_rows(splits):
    made = loader(**splits)
    made.load()
    told = []
    (chunk,) = made.chunks(io.BytesIO(b"text,n\na b,1\n,2\nragged\nc,4\n\xff,5\n"), told.append)
    assert [row["n"] for row in chunk.rows] == ["1", "4"]
    assert decoded(made, chunk.dataset) == [["a", "b"], ["c"]]
    assert sorted(bad.line for bad in told) == [3, 4, 6]
    with pytest.raises(DataError, match="has no column 'text'"):
        list(made.chunks(io.BytesIO(b"txt\na\n"), told.append))


def test_chunks_are_bounded(splits):
    made = loader(**splits)
    made.load()

    def endless():
        yield b"text\n"
        while True:
            yield b"a b\n" * 100

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.source = endless()

        def readable(self):
            return True

        def readinto(self, buffer):
            data = next(self.source)
            buffer[: len(data)] = data
            return len(data)

    found = made.chunks(io.BufferedReader(Pipe()), raising)
    assert [len(next(found).dataset) for _ in range(3)] == [4096] * 3


def test_headerless_tables_without_their_target(tmp_path):
    train = write(tmp_path / "train.tsv", "a b\t1\nc\t0\nb c\t1\n")
    made = loader(train, columns=["text", "label"], split={"valid": 0, "test": 0})
    made.load()
    for name, content in {"labelled.tsv": "a\t1\nb\t0\n", "texts.tsv": "a\nb\n"}.items():
        (chunk,) = made.chunks(write(tmp_path / name, content), raising)
        assert decoded(made, chunk.dataset) == [["a"], ["b"]]
    with pytest.raises(DataError, match="has 1 field"):
        made.labelled(tmp_path / "texts.tsv")


# --- mistakes in the data ---


@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        (["a,x", "b,y", ",x"], CLASS, r"train\.csv:4: the text is empty"),
        (["a,x", "b,y", "   ,x"], CLASS, r"train\.csv:4: the text is empty"),
        (["a,x", "b,y", "c,"], CLASS, r"train\.csv:4: has no class in column 'label'"),
        (["a,x", "b,y", "c"], CLASS, r"train\.csv:4: has 1 field, the header has 2"),
        (["a,1", "b,2", "c,many"], {"kind": "value", "column": "label"}, r"train\.csv:4: column 'label' holds 'many'"),
        (["a,1", "b,2", "c,nan"], {"kind": "value", "column": "label"}, r"train\.csv:4: column 'label' holds 'nan'"),
        (["a,1", "b,2", "c,"], {"kind": "value", "column": "label"}, r"train\.csv:4: has no value"),
    ],
)
def test_bad_rows(tmp_path, rows, target, message):
    path = write(tmp_path / "train.csv", table(rows))
    split = {"valid": 0, "test": 0}
    with pytest.raises(DataError, match=message):
        loader(path, target=target, split=split).load()
    skipping = loader(path, target=target, split=split, skip_bad_rows=True)
    assert len(skipping.load()["train"]) == 2
    assert skipping.notes[-1].startswith("rows left out: 1; the first: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"train\.csv: is empty"),
        ("text,label\n", r"train\.csv: has no rows"),
        ("text,lable\na,x\n", r"train\.csv: has no column 'label' \(data\.target\.column\); did you mean 'lable'"),
        ("txt,label\na,x\n", r"train\.csv: has no column 'text' \(data\.input\); did you mean 'txt'"),
        (table([f"{k},x" for k in range(30)]), r"train\.csv: the training part has only one class, 'x'"),
        ("text,label\na,x\nb,y\n", r"train\.csv: too few examples .*: 2, 2 of them distinct"),
    ],
)
def test_bad_tables(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        loader(write(tmp_path / "train.csv", content)).load()


def test_nothing_left_of_a_part(tmp_path):
    path = write(tmp_path / "train.csv", table(["a,", "b,"]))
    with pytest.raises(DataError, match=r"no row that can be used; the first mistake: .*train\.csv:2"):
        loader(path, skip_bad_rows=True).load()
    path = write(tmp_path / "train.csv", table([",x", ",y", ",y"]))
    with pytest.raises(DataError, match=r"no row that can be used; the first mistake: .*train\.csv:2"):
        loader(path, skip_bad_rows=True, split={"valid": 0, "test": 0}).load()


def test_a_class_that_training_lacks(tmp_path, splits):
    valid = write(tmp_path / "v.csv", table(["a,9", "b,11"]))
    settings = splits | {"valid": valid}
    message = r"v\.csv:3: class '11' does not occur in the training part; .*it has 9, 10"
    with pytest.raises(DataError, match=message):
        loader(**settings).load()
    skipping = loader(**settings, skip_bad_rows=True)
    assert len(skipping.load()["valid"]) == 1
    with pytest.raises(DataError, match=message):
        made = loader(**splits)
        made.load()
        made.labelled(valid)


def test_bad_bytes(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes("text,label\nna\u00efve,x\nb,y\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"train\.csv:2: byte 0xef \(column 3\) is not utf-8"):
        loader(path).load()
    made = loader(path, encoding="latin-1", split={"valid": 0, "test": 0})
    assert decoded(made, made.load()["train"])[0] == ["na\u00efve"]


def test_very_long_words(tmp_path):
    long = "x" * 10_000
    path = write(tmp_path / "train.csv", table([f"{long} a,1", "a,2", f"{long} {long},2"]))
    made = loader(path, split={"valid": 0, "test": 0})
    assert decoded(made, made.load()["train"])[2] == [long, long]


def test_absent_files(tmp_path):
    write(tmp_path / "train.csv", table(MANY))
    for form in ("auto", "csv"):
        with pytest.raises(DataError, match=r"trian\.csv: no such file; the nearest in .* is train\.csv"):
            loader(tmp_path / "trian.csv", format=form).load()


# --- mistakes in the config ---


def test_one_to_one_reads_single_units(tmp_path):
    path = write(tmp_path / "train.csv", table(["a,x", "b,y", "b,y"]))
    made = loader(path, "one-to-one", split={"valid": 0, "test": 0})
    assert made.load()["train"].lengths.tolist() == [1, 1, 1]
    path = write(tmp_path / "train.csv", table(["a,x", "b c d,y"]))
    with pytest.raises(DataError, match=r"train\.csv:3: the text has 3 units .* many-to-one"):
        loader(path, "one-to-one", split={"valid": 0, "test": 0}).load()


@pytest.mark.parametrize(
    ("task", "kind"),
    [("many-to-many", "class"), ("many-to-many", "value"), ("many-to-one", "next"), ("one-to-one", "next")],
)
def test_tasks_that_texts_have_not(tmp_path, task, kind):
    target = {"kind": kind} if kind == "next" else {"kind": kind, "column": "label"}
    with pytest.raises(ConfigError, match=f"{kind} does not go with task: {task}"):
        loader(tmp_path / "a.csv", task, target=target)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": ["a", "b"], "format": "jsonl"}, "columns: names the columns of CSV and TSV alone"),
        ({"columns": ["a", "a"]}, "columns: a name stands twice"),
        ({"sentencepiece_size": 100}, "is for units: sentencepiece"),
        ({"target": {"kind": "next"}, "max_length": 3}, "cuts nothing"),
        ({"target": {"kind": "next", "column": "text"}}, "the text itself is the target"),
        ({"target": {"kind": "class", "separator": ","}}, "is for kind: labels"),
        ({"target": {"kind": "class", "column": "text"}}, "target.column: is data.input"),
        ({"valid": Path("v.csv"), "split": {"valid": 0.2}}, "split.valid: data.valid has files of its own"),
    ],
)
def test_options_that_would_do_nothing(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        loader(tmp_path / "a.csv", **settings)


def test_where_the_target_stands_must_be_said(tmp_path):
    with pytest.raises(ConfigError, match=r"data\.target\.column: is missing"):
        loader(write(tmp_path / "a.csv", table(MANY)), target={"kind": "class"}).load()
    with pytest.raises(ConfigError, match="read as lines, which hold texts without a class"):
        loader(write(tmp_path / "a.txt", "a\nb\n")).load()
    with pytest.raises(ConfigError, match=r"data\.columns: .* found jsonl"):
        loader(write(tmp_path / "a.jsonl", "{}\n"), columns=["text", "label"]).load()
