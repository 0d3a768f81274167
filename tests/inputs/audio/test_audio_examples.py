"""Texts, examples of several recordings, and normalised numbers."""

import json

import numpy as np
import pytest
import scipy.io.wavfile
from audio_loading import CLASS, NAME, TEXT, features, loader, restored, same, spoken, texts, tone, write

BY_NAME = {"name": NAME, "target": CLASS | {"column": "word"}}
PLAIN = {"normalization": "none", "split": {"valid": 0, "test": 0}}


def test_texts(tmp_path):
    made = loader(spoken(tmp_path), name=NAME, target=TEXT, split={"valid": 0, "test": {"word": ["high"]}})
    data = made.load()
    assert made.target.kind == "sequence" and made.target.units == "character"
    assert made.target.names == ("<pad>", "<unk>", "l", "o", "w") and made.target.counts == (0, 0, 10, 10, 10)
    batch = data["test"].batch(np.array([0]))
    assert batch.targets.tolist() == [[1, 1, 1, 1]] and batch.references == [("high",)]
    assert made.notes == ["unknown characters: train 0.0 %, test 100.0 %"]


@pytest.mark.parametrize(
    ("units", "lowercase", "wanted"),
    [
        ("word", True, ["é", "two"]),
        ("word", False, ["É", "TWO"]),
        ("character", False, ["É", " ", "T", "W", "O"]),
        ("grapheme", False, ["É", " ", "T", "W", "O"]),
    ],
)
def test_units_of_texts(tmp_path, units, lowercase, wanted):
    write(tmp_path / "a.wav", tone(400))
    manifest = tmp_path / "m.jsonl"
    manifest.write_text(json.dumps({"file": "a.wav", "text": "  E\u0301\n TWO "}))
    target = {"kind": "sequence", "column": "text", "units": units, "lowercase": lowercase}
    made = loader(manifest, target=target, **PLAIN)
    batch = made.load()["train"].batch(np.array([0]))
    assert [made.target.names[id] for id in batch.targets[0].tolist()] == wanted
    assert batch.references == [("é two" if lowercase else "É TWO",)]


def test_what_is_taken_out_of_a_text(tmp_path):
    write(tmp_path / "a.wav", tone(400))
    write(tmp_path / "b.wav", tone(700))
    manifest = tmp_path / "m.csv"
    manifest.write_text("file,text\na.wav,T1 UW1\nb.wav,12\n")
    target = {"kind": "sequence", "column": "text", "units": "word", "remove": "[0-9]"}
    made = loader(manifest, target=target, skip_bad_rows=True, **PLAIN)
    train = made.load()["train"]
    assert train.references == [("T UW",)]
    assert any("once target.remove has been taken out" in note for note in made.notes)


def test_joined_recordings(tmp_path):
    spoken(tmp_path)
    join = {"recordings": 3, "train": 40, "valid": 5, "test": 7, "seed": 4}
    options = {"name": NAME, "target": TEXT, "normalization": "none"}
    split = {"split": {"valid": {"speaker": ["bob"], "index": [0, 1]}, "test": {"speaker": ["ann"], "index": [4]}}}
    data = loader(tmp_path, **options, **split, join=join).load()
    assert {name: len(part) for name, part in data.items()} == {"train": 40, "valid": 5, "test": 7}
    samples = {word: len(scipy.io.wavfile.read(tmp_path / f"{word}_ann_4.wav")[1]) for word in ("low", "high")}
    for text, heard in zip(texts(data["test"]), features(data["test"]), strict=True):
        words = text.replace("low", "low ").replace("high", "high ").split()
        assert len(words) == 3
        assert len(heard) == 1 + (sum(samples[word] for word in words) - 200) // 80  # windows reach over the joints
    assert texts(loader(tmp_path, **options, **split, join=join).load()["train"]) == texts(data["train"])
    assert texts(loader(tmp_path, **options, **split, join=join | {"seed": 5}).load()["train"]) != texts(data["train"])
    few = loader(tmp_path, **options, **split, join=join).load(limit=6)
    assert {name: len(part) for name, part in few.items()} == {"train": 6, "valid": 5, "test": 6}
    worded = loader(tmp_path, **options | {"target": TEXT | {"units": "word"}}, **split, join=join).load()["test"]
    assert all(len(text.split(" ")) == 3 for text in texts(worded))


def test_each_recording_is_joined_as_often_as_any_other(tmp_path):
    for number in range(7):
        path = tmp_path / f"{number}.npy"
        np.save(path, np.full((1, 1), number))
    rows = "".join(f"{number}.npy,{number}\n" for number in range(7))
    (tmp_path / "m.csv").write_text("file,text\n" + rows)
    join = {"recordings": 2, "train": 7, "valid": 1, "test": 1}
    target = {"kind": "sequence", "column": "text"}
    data = loader(tmp_path / "m.csv", target=target, join=join, **PLAIN).load()["train"]
    assert sorted("".join(texts(data))) == sorted("0123456" * 2)
    assert ["".join(str(int(step[0])) for step in one) for one in features(data)] == texts(data)


def test_normalization(tmp_path):
    spoken(tmp_path)
    options = BY_NAME | {"split": {"valid": 0, "test": {"speaker": ["bob"]}}}
    raw = loader(tmp_path, **options, normalization="none").load()
    alone = loader(tmp_path, **options, normalization="utterance").load()
    together = loader(tmp_path, **options, normalization="training")
    fitted = together.load()
    whole = np.concatenate(features(raw["train"])).astype(np.float64)
    for part in ("train", "test"):
        for plain, own, common in zip(*(features(data[part]) for data in (raw, alone, fitted)), strict=True):
            np.testing.assert_allclose(own, (plain - plain.mean(0)) / plain.std(0), atol=1e-3)
            np.testing.assert_allclose(common, (plain - whole.mean(0)) / whole.std(0), atol=1e-3)
    (chunk,) = restored(together).chunks(tmp_path, pytest.fail)
    ann, bob = features(fitted["train"]), features(fitted["test"])
    for one, other in zip(features(chunk.dataset), ann[:5] + bob[:5] + ann[5:] + bob[5:], strict=True):
        np.testing.assert_array_equal(one, other)
    same(restored(together).labelled(tmp_path), chunk.dataset)


def test_a_number_that_never_changes_is_normalised_to_zero(tmp_path):
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / name).mkdir()
        table = np.random.default_rng(seed).normal(size=(5, 2))
        table[:, 1] = 0.1
        np.save(tmp_path / name / "x.npy", table)
    for heard in features(loader(tmp_path, split={"valid": 0, "test": 0}).load()["train"]):
        np.testing.assert_allclose(heard[:, 1], 0, atol=1e-6)
        assert abs(heard[:, 0].std() - 1) < 1e-5
