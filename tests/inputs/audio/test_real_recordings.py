"""The free spoken digits."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rnncli.config import read
from rnncli.inputs.answered import Answered
from rnncli.inputs.audio.loader import AudioLoader
from rnncli.inputs.batches import Sequences
from rnncli.runs.assembly import new_loader
from rnncli.runs.config import RunConfig

pytestmark = pytest.mark.skipif("RNNCLI_DATA" not in os.environ, reason="RNNCLI_DATA names no folder of real files")
CONFIGS = Path(__file__).parents[3] / "configs" / "benchmarks"


def loader(name: str) -> AudioLoader:
    root = Path(os.environ["RNNCLI_DATA"]) / "fsdd"
    made = new_loader(read(CONFIGS / f"{name}.yaml", RunConfig, [f"data.root={root}"]))
    assert isinstance(made, AudioLoader)
    return made


def test_the_official_test_part_and_as_many_of_each_digit() -> None:
    made = loader("fsdd")
    data = made.load()
    assert {name: len(part) for name, part in data.items()} == {"train": 765, "valid": 135, "test": 300}
    test = data["test"]
    assert isinstance(test, Sequences)
    assert np.bincount(np.asarray(test.targets)).tolist() == [30] * 10
    assert made.target.names == tuple("0123456789") and max(made.target.counts) - min(made.target.counts) <= 1
    seconds = test.lengths * 0.01 + 0.015
    assert seconds.min() > 0.1 and 0.3 < seconds.mean() < 0.5  # the source says 0.44 on average
    assert not made.notes


def test_strings_of_three_digits() -> None:
    made = loader("fsdd_ctc")
    data = made.load(limit=50)
    for part in data.values():
        assert isinstance(part, Answered) and part.answers is not None and part.references is not None
        assert len(part) == 50 and set(part.answers.lengths) == {3}
        for row, (text,) in enumerate(part.references):
            ids = part.answers.flat[3 * row : 3 * row + 3].tolist()
            assert made.target.text(ids) == text and 0 not in ids
