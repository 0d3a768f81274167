"""CTC from a file of pairs to predictions."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from rnncli.errors import ConfigError
from rnncli.runs.check import check_run
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun

from .small import config_of, trained


def write_pairs(path: Path, count: int, seed: int, too_long: int = 0) -> Path:
    """Letters among dots, and the letters; the last `too_long` say nine letters in three."""
    draw, rows = random.Random(seed), ["source\ttarget"]
    for row in range(count):
        heard = "abc" if row >= count - too_long else "".join(draw.choice(".abc") + "." for _ in range(5)) + "b"
        rows.append(f"{heard}\t{heard.replace('.', '') * (3 if row >= count - too_long else 1)}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def config(folder: Path, too_long: int, **more: Any) -> dict[str, Any]:
    sides = {side: {"units": "character"} for side in ("source", "target")}
    parts = {
        name: str(write_pairs(folder / f"{name}.tsv", count, seed, too_long))
        for seed, (name, count) in enumerate({"train": 60, "valid": 12, "test": 9}.items())
    }
    return {
        "task": "many-to-many",
        "data": {"loader": "pairs", **parts, **sides},
        "model": {"cell": {"type": "gru", "hidden_size": 24}, "embedding_size": 8, "head": {"type": "ctc"}},
        "training": {"epochs": 20, "batch_size": 8, "learning_rate": 0.03, "threads": 1, "metric": "nll"},
        **more,
    }


def test_what_does_not_fit_is_told_before_training_and_the_rest_is_learnt(tmp_path: Path) -> None:
    beam = {"method": "beam", "beam_size": 4}
    plain = config(tmp_path, 2, decoding=beam)
    read = config_of(plain, tmp_path)
    notes = [note for note in check_run(read).notes if "under CTC" in note]
    assert [note.partition(" are longer")[0] for note in notes] == [
        "2 of 60 targets of train",
        "2 of 12 targets of valid",
        "2 of 9 targets of test",
    ]
    assert all("model.upsample: 3 would let them fit" in note and "'abcabcabc'" in note for note in notes)
    summary = trained(read, tmp_path / "run")
    assert set(notes) <= set(summary["notes"])
    assert summary["test"]["nll"] < 0.5
    run = LoadedRun(tmp_path / "run")
    evaluated = evaluate_run(run, tmp_path / "test.tsv", "test")
    assert evaluated.values == summary["test"]
    assert [note.partition(" are longer")[0] for note in evaluated.notes if "under CTC" in note] == [
        f"2 of 9 targets of {tmp_path / 'test.tsv'}"
    ]
    assert run.predict(["a...b.c.a.b", "c.b.b.b", "..c."])["prediction"].tolist() == ["abcab", "cbbb", "c"]


def test_where_nothing_fits_nothing_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no input of train has enough; model\.upsample: 3"):
        check_run(config_of(config(tmp_path, 99), tmp_path))


@pytest.mark.parametrize("decoding", [{"method": "sample"}, {"max_length": 20}])
def test_decoding_that_ctc_can_not_do_is_refused_before_training(tmp_path: Path, decoding: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"decoding.{next(iter(decoding))}: "):
        check_run(config_of(config(tmp_path, 0, decoding=decoding), tmp_path))
