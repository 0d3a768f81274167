"""The loader on the files of RNNCLI_DATA, against the counts that their README files give."""

import os
import re
from collections import defaultdict
from pathlib import Path

import pytest
from pairs_loading import CHARACTERS, loader, rows_of

ROOT = os.environ.get("RNNCLI_DATA")
pytestmark = pytest.mark.skipif(ROOT is None, reason="RNNCLI_DATA is not set")
DATA = Path(ROOT or "")


def test_multi30k():
    parts = {"valid": "val", "test": "test_2016_flickr"}
    files = {
        part: {side: DATA / f"multi30k/{name}.{language}.gz" for side, language in (("source", "en"), ("target", "de"))}
        for part, name in parts.items()
    }
    made = loader(files["test"], valid=files["valid"], split={"test": 0})
    data = made.load()
    assert [len(data[name]) for name in ("train", "valid")] == [1000, 1014]
    assert [int(data[name].lengths.sum()) for name in ("train", "valid")] == [11_877, 12_167]
    assert [int(data[name].answers.lengths.sum()) for name in ("train", "valid")] == [10_905, 11_568]


def test_cmudict():
    path = DATA / "cmudict/cmudict.dict"
    made = loader(
        path,
        source=CHARACTERS,
        target={"remove": "[0-9]"},
        several_references=True,
        split={"valid": 0.05, "test": 0.1},
    )
    data = made.load()
    phones = {line.split()[0] for line in (DATA / "cmudict/cmudict.phones").read_text().splitlines()}
    assert set(made.target.names[2:]) == phones
    expected = defaultdict(set)
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *rest = line.partition(" #")[0].split()
        expected[re.sub(r"\(\d\)$", "", word)].add(re.sub("[0-9]", "", " ".join(rest)))
    assert len(expected) == 126_052
    entries = made.state()["sources"]["vocabulary"]

    def words(part):
        return ["".join(entries[id] for id in row) for row in rows_of(part.inputs["tokens"])]

    found = {name: words(part) for name, part in data.items()}
    assert (
        len(found["train"]) + sum(len(expected[word]) for name in ("valid", "test") for word in found[name]) <= 135_166
    )
    assert set.union(*map(set, found.values())) == set(expected)
    assert sum(len(set(words)) for words in found.values()) == len(expected)  # no word stands in two parts
    for word, references in zip(found["test"], data["test"].references, strict=True):
        assert set(references) == expected[word]


def test_names():
    made = loader(DATA / "names", "one-to-many", source={"kind": "class"}, target=CHARACTERS)
    data = made.load()
    assert sum(map(len, data.values())) == 20_050
    assert made.features["class"].size == 18 + 2
    assert not set(data["train"].references) & set(data["test"].references)
