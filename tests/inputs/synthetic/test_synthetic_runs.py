"""Synthetic data through training, evaluation and resumption."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from rnncli.config import read
from rnncli.errors import ConfigError, UserError
from rnncli.inputs.synthetic.forms import form_of
from rnncli.inputs.synthetic.settings import SyntheticSettings, TaskName
from rnncli.runs.config import RunConfig
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun
from rnncli.runs.train import train

BASELINES = {"value": "mean", "class": "majority class", "token": "unigram"}


def config_of(folder: Path, name: str, data: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    options = {"loader": "synthetic", "name": name, **(data or {})}
    plain = {
        "task": form_of(SyntheticSettings.model_validate(options)).mode,
        "data": options,
        "model": {"cell": {"type": "gru", "hidden_size": 9}},
        "training": {"epochs": 2, "batch_size": 4, "limit": 16, "threads": 1, **training},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(plain))
    return read(path, RunConfig)


def trained(config: RunConfig, path: Path, **how: bool) -> dict[str, Any]:
    *_, last = train(config, path, **how)
    return last.summary


@pytest.mark.parametrize("name", get_args(TaskName))
def test_a_run_is_evaluated_as_it_was_measured(name: str, tmp_path: Path) -> None:
    summary = trained(config_of(tmp_path, name), tmp_path / "run")
    run = LoadedRun(tmp_path / "run")
    for part in ("valid", "test"):
        found = evaluate_run(run, None, part)
        assert found.values == pytest.approx(summary[part], rel=1e-5)
    assert summary["data"] == {} and summary["loader"] == "synthetic"
    assert summary["baseline_name"] == BASELINES[summary["target"]]
    assert summary["baseline"].keys() == summary["test"].keys()
    assert all(value is not None for value in summary["baseline"].values())


def test_the_baseline_of_letters_by_chance(tmp_path: Path) -> None:
    sizes = {"sizes": {"train": 4000, "valid": 1, "test": 4000}}
    summary = trained(
        config_of(tmp_path, "memorization", sizes, limit=None, epochs=1, batch_size=500), tmp_path / "run"
    )
    assert summary["baseline"]["perplexity"] == pytest.approx(26, rel=0.01)
    assert summary["baseline"]["accuracy"] == pytest.approx(1 / 26, rel=0.1)
    assert summary["sizes"]["test"] == 4000 * 11


@pytest.mark.parametrize("name", ["copy", "arithmetic"])
def test_a_run_that_was_stopped_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    trained(config_of(tmp_path, name, epochs=3), tmp_path / "whole")
    trained(config_of(tmp_path, name, epochs=1), tmp_path / "parts")
    trained(config_of(tmp_path, name, epochs=3), tmp_path / "parts", resume=True)
    whole, parts = ((tmp_path / run / "weights.safetensors").read_bytes() for run in ("whole", "parts"))
    assert whole == parts


def test_a_network_learns_to_repeat_letters(tmp_path: Path) -> None:
    """Far above 1/26 in a few seconds: inputs, targets and carried state belong together."""
    data = {"length": 1, "sizes": {"train": 3000, "valid": 100, "test": 100}}
    config = config_of(tmp_path, "memorization", data, limit=None, epochs=4, learning_rate=0.02, batch_size=10)
    assert trained(config, tmp_path / "run")["test"]["accuracy"] > 0.9


def test_windows_that_ask_for_nothing_are_passed_through(tmp_path: Path) -> None:
    """Two steps of one column at a time: most windows lie within a question."""
    config = config_of(tmp_path, "arithmetic", batch_size=1, bptt_steps=2, epochs=1, limit=5)
    summary = trained(config, tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert 0 < lines[-1]["train_loss"] < 5
    assert 0 < summary["test"]["nll"] < 5


def test_a_part_without_any_examples_is_absent(tmp_path: Path) -> None:
    sizes = {"sizes": {"train": 8, "valid": 0, "test": 0}}
    summary = trained(config_of(tmp_path, "xml", sizes), tmp_path / "run")
    assert (summary["valid"], summary["test"], summary["baseline_name"]) == ({}, {}, None)


def test_files_can_not_be_measured_or_predicted(tmp_path: Path) -> None:
    trained(config_of(tmp_path, "adding", epochs=1), tmp_path / "run")
    run = LoadedRun(tmp_path / "run")
    with pytest.raises(UserError, match=r"adding .* come from no file"):
        evaluate_run(run, tmp_path / "config.yaml", "test")
    with pytest.raises(UserError, match=r"adding .* come from no file"):
        run.predict(tmp_path / "config.yaml")


def test_a_crf_needs_a_class_at_every_step(tmp_path: Path) -> None:
    def config(scored: str) -> RunConfig:
        plain = config_of(tmp_path, "copy", {"scored": scored, "length": 3}, epochs=1).model_dump(mode="json")
        plain["model"]["head"] = {"type": "crf"}
        return RunConfig.model_validate(plain)

    assert trained(config("all"), tmp_path / "all")["test"]["accuracy"] > 0
    with pytest.raises(ConfigError, match=r"model\.head\.type: crf needs a class at every step"):
        trained(config("recalled"), tmp_path / "recalled")
