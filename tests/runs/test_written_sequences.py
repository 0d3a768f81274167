"""A run that writes sequences: its metrics with their signatures, and several answers to each input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from rnncli.decoding.settings import DecodingSettings
from rnncli.errors import MissingExtra
from rnncli.runs.config import RunConfig
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun
from rnncli.runs.train import train

from .small import config_of, trained
from .writing import write_pairs


def config(folder: Path) -> RunConfig:
    write_pairs(folder / "pairs.tsv", count=60)
    return config_of(
        {
            "task": "many-to-many",
            "data": {"loader": "pairs", "train": "pairs.tsv", "split": {"valid": 0.2, "test": 0.2}},
            "model": {"cell": {"type": "gru", "hidden_size": 8}, "embedding_size": 6, "decoder": {}},
            "training": {"epochs": 2, "batch_size": 8, "learning_rate": 0.02, "threads": 1},
        },
        folder,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sequences")
    trained(config(folder), folder / "run")
    return folder


def test_the_summary_has_the_signatures(folder: Path) -> None:
    summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["signatures"].keys() == {"bleu", "chrf"} <= summary["test"].keys()
    assert summary["signatures"]["bleu"].startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert summary["baseline_name"] == "constant answer"
    assert summary["baseline"].keys() == summary["test"].keys() - {"nll"}


@pytest.mark.parametrize("decoding", [{"max_length": 2}, {"max_length": 2, "method": "beam", "beam_size": 1}])
def test_each_epoch_is_compared_by_sequences_of_the_length_that_is_asked_for(
    tmp_path: Path, decoding: dict[str, object]
) -> None:
    summary = trained(config(tmp_path).model_copy(update={"decoding": DecodingSettings(**decoding)}), tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert summary["valid"] == next(line["values"] for line in lines if line["step"] == summary["best_step"])


def test_eval_shows_the_signatures(folder: Path) -> None:
    evaluated = evaluate_run(LoadedRun(folder / "run"), None, "test")
    shown = _eval(folder / "run").splitlines()
    assert shown[-2:] == [f"{name}: {signature}" for name, signature in evaluated.signatures.items()]
    assert json.loads(_eval(folder / "run", "--json"))["signatures"] == evaluated.signatures


def _eval(*arguments: object) -> str:
    command = [sys.executable, "-m", "rnncli", "eval", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("decoding", [{"method": "beam", "beam_size": 4}, {"method": "sample", "temperature": 2.0}])
def test_several_answers_are_rows_of_their_input(folder: Path, decoding: dict[str, object]) -> None:
    run = LoadedRun(folder / "run")
    run.decoding = DecodingSettings.model_validate({**decoding, "n_best": 3, "max_length": 8})
    table = pd.read_csv(folder / "pairs.tsv", sep="\t")
    found = run.predict(folder / "pairs.tsv")
    assert list(found.columns) == ["source", "target", "prediction", "rank", "score"]
    assert found["source"].tolist() == table["source"].repeat(3).tolist()
    assert found["rank"].tolist() == [1, 2, 3] * len(table)
    for _, several in found.groupby(found.index // 3):
        assert several["score"].is_monotonic_decreasing
    assert found["prediction"].nunique() > 3
    alone = run.predict(table[["source"]].iloc[[11]])
    if decoding["method"] == "beam":
        assert alone["prediction"].tolist() == found["prediction"][33:36].tolist()
        run.decoding = DecodingSettings.model_validate({**decoding, "max_length": 8})
        best = run.predict(folder / "pairs.tsv")
        assert list(best.columns) == ["source", "target", "prediction"]
        assert best["prediction"].tolist() == found["prediction"][::3].tolist()


def test_a_missing_package_is_told_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jiwer", None)
    with pytest.raises(MissingExtra, match="jiwer"):
        next(iter(train(config(tmp_path), tmp_path / "run")))
