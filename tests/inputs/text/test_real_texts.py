"""The loader on the files of RNNCLI_DATA, against the counts that their README files give."""

import os
from pathlib import Path

import pytest
from text_loading import loader

ROOT = os.environ.get("RNNCLI_DATA")
pytestmark = pytest.mark.skipif(ROOT is None, reason="RNNCLI_DATA is not set")
DATA = Path(ROOT or "")
NEXT = {"target": {"kind": "next"}}


def test_sst2():
    made = loader(
        DATA / "sst2/train.tsv", valid=DATA / "sst2/dev.tsv", test=DATA / "sst2/test.tsv", columns=["text", "label"]
    )
    data = made.load()
    assert [len(data[name]) for name in ("train", "valid", "test")] == [6920, 872, 1821]
    assert data["train"].lengths.mean() == pytest.approx(18.5, abs=0.1)
    assert made.target.names == ("0", "1")
    shares = [float(data[name].targets.float().mean()) for name in ("train", "valid", "test")]
    assert shares == pytest.approx([0.522, 0.509, 0.499], abs=6e-4)


def test_names():
    made = loader(DATA / "names", target={"kind": "class"}, units="character")
    data = made.load()
    assert sum(map(len, data.values())) == 20_050
    assert [len(data[name]) for name in ("valid", "test")] == pytest.approx([2005, 2005], abs=5)
    assert len(made.target.names) == 18
    assert max(made.target.counts) / sum(made.target.counts) == pytest.approx(0.468, abs=2e-3)
    tokens = {name: part.inputs["tokens"] for name, part in data.items()}
    texts = {
        name: {tuple(ragged.flat[a:b].tolist()) for a, b in zip(ragged.offsets, ragged.offsets[1:], strict=False)}
        for name, ragged in tokens.items()
    }
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["valid"]


def test_ptb():
    parts = {name: DATA / f"ptb/ptb.{name}.txt" for name in ("train", "valid", "test")}
    made = loader(**parts, task="many-to-many", **NEXT)
    data = made.load()
    assert [len(data[name]) for name in parts] == [929_589, 73_760, 82_430]
    assert len(made.target.names) == 10_000 + 1  # and padding, which is never true
    plan = data["test"].plan(20, None, 35)
    assert sum(int(data["test"].batch(entry).inputs["tokens"].lengths.sum()) for entry in plan) == 82_430


def test_tiny_shakespeare():
    path = DATA / "tinyshakespeare/input.txt"
    made = loader(path, task="many-to-many", **NEXT, units="character", split={"valid": 0.1, "test": 0})
    data = made.load()
    assert len(made.target.names) == 65 + 2
    assert abs(len(data["train"]) - 1_003_854) <= 2
    assert abs(len(data["train"]) + len(data["valid"]) - 1_115_394) <= 1
