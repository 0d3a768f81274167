import base64
import json
import sys

import numpy as np
import pytest
import torch
from pairs_loading import CHARACTERS, NONE_HELD_OUT, loader, only_train, read_back, restored, rows_of, write

from rnncli.errors import ConfigError, DataError, MissingExtra, RunError
from rnncli.inputs.features import Categories, Tokens, Values
from rnncli.inputs.loader import LOADERS
from rnncli.inputs.pairs.loader import PairsLoader
from rnncli.inputs.pieces import Pieces


@pytest.fixture
def splits(tmp_path):
    return {
        "train": write(tmp_path / "train.tsv", "source\ttarget", "a b a\tx", "b\ty x x", "a c\tz"),
        "valid": write(tmp_path / "valid.tsv", "source\ttarget", "c d\tx  w"),
        "test": write(tmp_path / "test.tsv", "source\ttarget", "b\tz", "d a\ty y", "b\tx"),
    }


def test_the_loader_is_registered():
    assert LOADERS["pairs"] is PairsLoader


def test_ids_targets_and_references(splits):
    made = loader(**splits)
    data = made.load()
    # Entries by how often they stand there: <pad> <unk> a b c, and <pad> <unk> x y z.
    assert rows_of(data["train"].inputs["tokens"]) == [[2, 3, 2], [3], [2, 4]]
    assert rows_of(data["train"].answers) == [[2], [3, 2, 2], [4]]
    assert made.features == {"tokens": Tokens(5)}
    target = made.target
    assert (target.kind, target.units, target.from_one, target.shared) == ("sequence", "word", False, False)
    assert target.names == ("<pad>", "<unk>", "x", "y", "z")
    assert target.counts == (0, 0, 3, 1, 1)
    batch = data["test"].batch(np.array([1, 0]))
    assert batch.inputs["tokens"].values[0].tolist() == [1, 2]
    assert batch.inputs["tokens"].lengths.tolist() == [2, 1]
    assert batch.targets[0].tolist() == [3, 3]
    assert batch.targets[1, 0] == 4
    assert batch.targets.dtype == torch.int64
    assert batch.target_lengths.tolist() == [2, 1]
    assert batch.references == [("y y",), ("z",)]
    # What words can't say, two spaces, is not asked of the reference either; what is unknown stands in it.
    assert data["valid"].references == [("x w",)]
    assert made.notes == [
        "unknown source words: train 0.0 %, valid 50.0 %, test 25.0 %",
        "unknown target words: train 0.0 %, valid 50.0 %, test 0.0 %",
    ]
    assert made.files == list(splits.values())


def test_several_references_are_one_example_but_not_in_the_training_part(splits):
    write(splits["train"], "source\ttarget", "a\tx", "a\ty", "a\tx")
    write(splits["valid"], "source\ttarget", "a\ty")
    write(splits["test"], "source\ttarget", "b\tz", "a\ty", "B\tw", "b\ty", "b\tz")
    made = loader(**splits, several_references=True, source={"lowercase": True})
    data = made.load()
    assert [len(data[name]) for name in ("train", "valid", "test")] == [3, 1, 2]
    assert data["train"].references == [("x",), ("y",), ("x",)]
    assert data["test"].references == [("z", "w", "y"), ("y",)]
    assert rows_of(data["test"].answers) == [[1], [3]]  # the first reference, z, is unknown
    assert made.notes[-1] == "rows of equal sources are one example: valid 1 rows are 1, test 5 rows are 2"
    again = restored(made).labelled(splits["test"])
    assert again.references == data["test"].references


def test_equal_sources_fall_into_one_part(tmp_path):
    rows = [f"w{k % 40}\tt{k}" for k in range(120)]
    path = write(tmp_path / "a.tsv", "source\ttarget", *rows)
    for merged in (False, True):
        made = loader(path, split={"valid": 0.2, "test": 0.2, "seed": 3}, several_references=merged)
        data = made.load()
        found = {name: {text for references in part.references for text in references} for name, part in data.items()}
        assert set.union(*found.values()) == {f"t{k}" for k in range(120)}
        sources = {name: {int(text[1:]) % 40 for text in texts} for name, texts in found.items()}
        assert [len(sources[name]) for name in ("train", "valid", "test")] == [24, 8, 8]
        assert not sources["train"] & sources["valid"] | sources["train"] & sources["test"]
        assert [len(data[name]) for name in ("train", "valid", "test")] == [72, *((8, 8) if merged else (24, 24))]


def test_what_is_longer_is_left_out_of_training_and_sources_elsewhere_are_cut(splits):
    write(splits["test"], "source\ttarget", "b a b\tx y z x")
    made = loader(**splits, source={"max_length": 2}, target={"max_length": 2})
    data = made.load()
    # Left are "a c" -> "z" alone: the others are longer on one side or the other, and do not count.
    assert read_back(made, data["train"]) == [(["a", "c"], "z")]
    assert made.target.names == ("<pad>", "<unk>", "z")
    assert read_back(made, data["test"]) == [(["<unk>", "a"], "<unk> <unk> z <unk>")]
    assert data["test"].references == [("x y z x",)]
    assert made.notes[0] == "pairs of the training part left out, longer than max_length (source 2, target 2): 2 of 3"
    assert made.notes[-1] == "sources cut at max_length 2: valid 0 of 1, test 1 of 1"
    assert rows_of(restored(made).labelled(splits["test"]).answers) == rows_of(data["test"].answers)
    with pytest.raises(DataError, match=r"train\.tsv: all 3 pairs of the training part are longer than max_length"):
        loader(**splits, target={"max_length": 1}, source={"max_length": 1} | CHARACTERS).load()


def test_min_count_lowercase_and_remove(tmp_path):
    path = write(tmp_path / "a.tsv", "source\ttarget", "Ab\tAH0 B", "aB\tEH1 B", "C\tEH2 K")
    made, train = only_train(
        path, source={"units": "character", "lowercase": True, "min_count": 2}, target={"remove": "[0-2]"}
    )
    assert read_back(made, train) == [(["a", "b"], "AH B"), (["a", "b"], "EH B"), (["<unk>"], "EH K")]
    assert train.references == [("AH B",), ("EH B",), ("EH K",)]


def test_a_vocabulary_for_both_sides(tmp_path):
    path = write(tmp_path / "a.tsv", "source\ttarget", "b a\tc a", "a\td c c c")
    made, train = only_train(path, shared_vocabulary=True)
    assert made.target.names == ("<pad>", "<unk>", "c", "a", "b", "d")
    assert made.target.counts == (0, 0, 4, 1, 0, 1)
    assert made.features == {"tokens": Tokens(6)}
    assert made.target.shared
    assert rows_of(train.inputs["tokens"]) == [[4, 3], [3]]
    assert rows_of(train.answers) == [[2, 3], [5, 2, 2, 2]]
    write(path, "source\ttarget", "one two three\tun deux trois", "four five\tquatre cinq")
    pieces = {"units": "sentencepiece", "sentencepiece_size": 30}
    made, train = only_train(path, source=pieces, target=pieces, shared_vocabulary=True)
    assert [text for _, text in read_back(made, train)] == ["un deux trois", "quatre cinq"]
    assert made.state()["sources"] == made.state()["answers"]
    of_both = Pieces.train(["one two three", "four five", "un deux trois", "quatre cinq"], 30)
    assert base64.b64decode(made.state()["answers"]["sentencepiece"]) == of_both.model
    apart = only_train(path, source=pieces, target=pieces)[0].state()
    assert apart["sources"]["sentencepiece"] != apart["answers"]["sentencepiece"]


def test_texts_are_in_one_form_of_unicode(tmp_path):
    # é and க + ொ, in one code point and in two; NFC has one each.
    apart, whole = "cafe\u0301 \u0b95\u0bc6\u0bbe", "caf\u00e9 \u0b95\u0bca"
    path = write(tmp_path / "a.tsv", "source\ttarget", f"{apart}\t{whole}", f"{whole}\t{apart}")
    made, train = only_train(path, source=CHARACTERS, target=CHARACTERS)
    assert train.references == [(whole,), (whole,)]
    assert read_back(made, train) == [(list(whole), whole)] * 2
    assert rows_of(restored(made).labelled(path).answers) == rows_of(train.answers)


def test_pieces_spell_the_targets_again(tmp_path):
    # NFKC, which sentencepiece would go by itself, writes 2 for ², 1⁄2 for ½, ... for …, and drops the last two.
    said = ["x² + ½", "ﬁn …", "Ａ：Ｂ", "க்\u200d ஷ", "a\u200bb", "a\u2581b\tc\u00a0d"]
    path = write(tmp_path / "a.csv", "source,target", *(f"{k},{text}" for k, text in enumerate(said)))
    made, train = only_train(path, target={"units": "sentencepiece", "sentencepiece_size": 60})
    assert [text for (text,) in train.references] == [*said[:-1], "a b c d"]
    assert [made.target.text(row) for row in rows_of(train.answers)] == [text for (text,) in train.references]


def test_too_few_pieces_for_the_characters(tmp_path):
    path = write(tmp_path / "a.csv", "source,target", "abcdefghij,k", "lmno,p")
    with pytest.raises(DataError, match="their characters alone are 18 pieces, sentencepiece_size is 9"):
        only_train(path, source={"units": "sentencepiece", "sentencepiece_size": 9})


def test_graphemes(tmp_path):
    tamil = ["நி", "க", "ழ்", "ச்", "சி"]  # five letters to a reader, eight code points
    family, flag = "👨\u200d👩\u200d👧", "🇮🇳"
    text = "".join(tamil) + family + flag + "e\u0323\u0301"
    path = write(tmp_path / "a.tsv", "source\ttarget", f"{text}\t{text}")
    made, train = only_train(path, source={"units": "grapheme"}, target={"units": "grapheme"})
    [(units, back)] = read_back(made, train)
    assert units == [*tamil, family, flag, "ẹ\u0301"]
    assert (back,) == train.references[0]
    assert made.notes[0] == "unknown source graphemes: train 0.0 %"


@pytest.mark.parametrize(("units", "package"), [("grapheme", "regex"), ("sentencepiece", "sentencepiece")])
def test_a_package_that_is_missing(splits, monkeypatch, units, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"needs the package {package}: pip install 'rnncli\[text\]'"):
        loader(**splits, target={"units": units}).load()


def test_classes_are_read_in_one_step_and_drawn_each_on_its_own(tmp_path):
    rows = [f"{name},{name}{k % 20}" for name, count in (("xa", 60), ("yb", 30)) for k in range(count)]
    path = write(tmp_path / "a.csv", "source,target", *rows)
    settings = {"source": {"kind": "class"}, "target": CHARACTERS, "split": {"valid": 0.1, "test": 0.2, "seed": 2}}
    made = loader(path, "one-to-many", **settings)
    data = made.load()
    assert made.features == {"class": Categories(4)}
    assert made.target.from_one
    ids = {name: part.inputs["class"].flat for name, part in data.items()}
    assert [int((ids[name] == 2).sum()) for name in ("train", "valid", "test")] == pytest.approx([42, 6, 12], abs=3)
    assert [int((ids[name] == 3).sum()) for name in ("train", "valid", "test")] == pytest.approx([21, 3, 6], abs=3)
    texts = {name: set(part.references) for name, part in data.items()}
    assert not texts["train"] & texts["valid"] | texts["train"] & texts["test"]  # equal targets stay together
    batch = data["test"].batch(np.arange(len(data["test"])))
    assert batch.inputs["class"].lengths.tolist() == [1] * len(data["test"])
    for id, (text,) in zip(batch.inputs["class"].values[:, 0].tolist(), batch.references, strict=True):
        assert text[:2] == {2: "xa", 3: "yb"}[id]
    other = write(tmp_path / "b.csv", "source,target", "xa,x", "xaa,x")
    with pytest.raises(
        DataError, match=r"b\.csv:3: class 'xaa' does not occur in the training part; did you mean 'xa'"
    ):
        restored(made).labelled(other)


def test_values_are_scaled_by_the_training_part(tmp_path):
    generator = np.random.default_rng(4)
    numbers = generator.normal([3, -50], [0.5, 20], (7, 2))
    lines = [f"{a!r},{b!r},t{k}" for k, (a, b) in enumerate(numbers.tolist())]
    train = write(tmp_path / "train.csv", "a,b,target", *lines[:5])
    test = write(tmp_path / "test.csv", "a,b,target", *lines[5:])
    source = {"kind": "values", "columns": ["b", "a"]}
    made = loader(train, "one-to-many", source=source, test=test, split={"valid": 0})
    data = made.load()
    assert made.features == {"values": Values(2)}
    expected = (numbers - numbers[:5].mean(0)) / numbers[:5].std(0)
    batch = data["test"].batch(np.array([1, 0]))
    assert batch.inputs["values"].values.shape == (2, 1, 2)
    np.testing.assert_allclose(batch.inputs["values"].values[:, 0], expected[[6, 5]][:, ::-1], rtol=1e-5)
    again = restored(made).labelled(test)
    assert torch.equal(again.inputs["values"].flat, data["test"].inputs["values"].flat)
    write(test, "a,b,target", "1,2,x", "1,inf,y")
    with pytest.raises(DataError, match=r"test\.csv:3: column 'b' holds 'inf' where a finite number is needed"):
        restored(made).labelled(test)


@pytest.mark.parametrize("kind", ["text", "class", "values"])
@pytest.mark.parametrize("units", ["word", "character", "grapheme", "sentencepiece"])
def test_the_state_is_json_and_brings_all_back(tmp_path, kind, units):
    path = write(tmp_path / "a.csv", "source,target", "3,one two", "-4,two three", "0.5,three")
    cut = {"units": units} | ({"sentencepiece_size": 20} if units == "sentencepiece" else {})
    source = {"text": cut, "class": {"kind": "class"}, "values": {"kind": "values", "columns": ["source"]}}[kind]
    made, train = only_train(path, "many-to-many" if kind == "text" else "one-to-many", source=source, target=cut)
    again = restored(made)
    assert again.features == made.features
    assert again.target == made.target
    assert json.dumps(again.state()) == json.dumps(made.state())
    same = again.labelled(path)
    assert rows_of(same.answers) == rows_of(train.answers)
    assert [rows_of(each) for each in same.inputs.values()] == [rows_of(each) for each in train.inputs.values()]
    assert [made.target.text(row) for row in rows_of(same.answers)] == ["one two", "two three", "three"]


@pytest.mark.parametrize(
    "damage", [{"sources": {}}, {"answers": None}, {"counts": [1]}, {"sources": {"vocabulary": ["a"]}}]
)
def test_a_damaged_state_is_refused(splits, damage):
    made = loader(**splits)
    made.load()
    with pytest.raises(RunError, match="damaged"):
        PairsLoader(made.settings, made.task).restore(made.state() | damage)


def test_refit_joins_validation_to_training(splits):
    made = loader(**splits, several_references=True)
    data = made.load(refit=True)
    assert list(data) == ["train", "test"]
    assert data["train"].references == [("x",), ("y x x",), ("z",), ("x w",)]
    made = loader(splits["train"], split=NONE_HELD_OUT)
    assert made.load(limit=2)["train"].references == [("x",), ("y x x",)]


@pytest.mark.parametrize(
    ("kind", "task"), [("text", "one-to-many"), ("class", "many-to-many"), ("values", "many-to-one")]
)
def test_a_task_of_another_shape_is_refused(kind, task):
    columns = ["a"] if kind == "values" else None
    with pytest.raises(ConfigError, match=f"data.source.kind: {kind} does not go with task: {task}"):
        loader("a.csv", task, source={"kind": kind, "columns": columns})
