"""Text written on from a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rnncli.errors import RunError
from rnncli.inputs.batches import Batch
from rnncli.runs.config import RunConfig
from rnncli.runs.generate import written_on
from rnncli.runs.load import LoadedRun
from rnncli.runs.train import train
from rnncli.sequences import Padded

SAMPLE = {"seed": 4}


def language_model(tmp_path: Path, units: str = "character", **options: Any) -> LoadedRun:
    text = "the cat sat on the mat\nthe dog ran to the cat\n" * 40
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    config = RunConfig.model_validate(
        {
            "task": "many-to-many",
            "data": {"loader": "text", "train": str(tmp_path / "text.txt"), "units": units, "target": {"kind": "next"}},
            "model": {"cell": {"type": "lstm", "hidden_size": 24}, "layers": 2, **options},
            "training": {"epochs": 3, "batch_size": 4, "bptt_steps": 30, "learning_rate": 0.02, "device": "cpu"},
        }
    )
    for _ in train(config, tmp_path / "run"):
        pass
    return LoadedRun(tmp_path / "run")


def test_each_token_is_what_the_whole_text_before_it_makes_likeliest(tmp_path: Path) -> None:
    run = language_model(tmp_path, learned_initial_state=True, connections="residual", dropout={"zoneout": 0.1})
    prompt = "the c"
    text = "".join(written_on(run, prompt, {"top_k": 1, "max_length": 30}))
    ids = [int(token) for token in run.loader.prompt(prompt)]
    names = run.loader.target.names
    with torch.inference_mode():
        for character in text:  # the whole text anew for each
            inputs = torch.tensor([ids])
            batch = Batch({"tokens": Padded(inputs, torch.tensor([len(ids)]))}, None, np.arange(1))
            logits = run.model.outputs(batch, None)[0][-1]
            logits[:2] = -torch.inf
            assert names[int(logits.argmax())] == character
            ids.append(int(logits.argmax()))


def test_the_same_seed_writes_the_same(tmp_path: Path) -> None:
    run = language_model(tmp_path)
    texts = ["".join(written_on(run, "the ", SAMPLE | {"max_length": 60})) for _ in range(2)]
    other = "".join(written_on(run, "the ", {"seed": 5, "max_length": 60}))
    assert texts[0] == texts[1] != other and len(other) == 60


def test_it_ends_after_a_stop(tmp_path: Path) -> None:
    run = language_model(tmp_path)
    whole = "".join(written_on(run, "the ", SAMPLE | {"max_length": 200}))
    stopped = "".join(written_on(run, "the ", SAMPLE | {"max_length": 200}, ["\nthe", "zzz"]))
    assert whole.startswith(stopped) and stopped.endswith("\nthe") and stopped.count("\nthe") == 1


@pytest.mark.parametrize("units", ["word", "sentencepiece"])
def test_words_and_pieces_are_joined_to_text(tmp_path: Path, units: str) -> None:
    run = language_model(tmp_path, units)
    text = "".join(written_on(run, "the cat", SAMPLE | {"max_length": 12}))
    assert {"the", "cat"} & set(text.split())
    assert "▁" not in text and "<" not in text
    if units == "word":
        assert set(text.split()) <= {"the", "cat", "sat", "on", "mat", "dog", "ran", "to"}


def test_characters_that_training_has_not_met_are_told_of(tmp_path: Path) -> None:
    run = language_model(tmp_path)
    text = "".join(written_on(run, "the €c", {"top_k": 1, "max_length": 5}))
    assert text == "".join(written_on(run, "the c", {"top_k": 1, "max_length": 5}))
    assert run.loader.notes[-1] == "not in the training text, left out: '€'"


def test_a_run_that_is_no_language_model_is_refused(tmp_path: Path) -> None:
    rows = "text,label\n" + "".join(f"day {number},{'yes' if number % 3 else 'no'}\n" for number in range(40))
    (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")
    config = RunConfig.model_validate(
        {
            "task": "many-to-one",
            "data": {
                "loader": "text",
                "train": str(tmp_path / "rows.csv"),
                "target": {"kind": "class", "column": "label"},
            },
            "model": {"cell": {"type": "gru", "hidden_size": 3}},
            "training": {"epochs": 1, "device": "cpu"},
        }
    )
    for _ in train(config, tmp_path / "run"):
        pass
    with pytest.raises(RunError, match="kind class"):
        written_on(LoadedRun(tmp_path / "run"), "a", SAMPLE)


def test_between_two_pieces_gradients_may_be_wanted(tmp_path: Path) -> None:
    pieces = written_on(language_model(tmp_path), "the ", SAMPLE)
    next(pieces)
    assert not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
