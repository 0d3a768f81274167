"""Options that change what is trained on, and what a finished run says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from rnncli.config import options
from rnncli.errors import UserError
from rnncli.runs import summary
from rnncli.runs.check import check_run
from rnncli.runs.config import RunConfig
from rnncli.runs.directory import RunDirectory
from rnncli.runs.events import Begun, Finished, lines
from rnncli.runs.train import train
from rnncli.training.events import Evaluation, Step

from .small import (
    config_of,
    series_config,
    story_config,
    texts_config,
    trained,
    write_series,
    write_story,
    write_texts,
)


def small(tmp_path: Path, *overrides: str, **training: object) -> RunConfig:
    return config_of(texts_config(write_texts(tmp_path / "texts.csv"), **training), tmp_path, *overrides)


def test_every_option_has_help() -> None:
    found = options(RunConfig)
    assert not [option.key for option in found if not option.help]
    assert {"training.optimizer.type", "training.schedule.type", "training.averaging.type"} <= {o.key for o in found}


def documented() -> set[str]:
    """The keys that the docstring of rnncli.runs.summary names, in the first column."""
    rows = [line for line in (summary.__doc__ or "").splitlines() if re.match(r"[a-z_, ]+?  +\S", line)]
    return {key for row in rows for key in re.split(r"  +", row)[0].split(", ")}


@pytest.mark.parametrize("kind", ["texts", "story", "series"])
def test_summary_has_the_documented_keys(kind: str, tmp_path: Path) -> None:
    write = {"texts": write_texts, "story": write_story, "series": write_series}[kind]
    config = {"texts": texts_config, "story": story_config, "series": series_config}[kind]
    found = trained(config_of(config(write(tmp_path / f"{kind}.csv")), tmp_path), tmp_path / "run")
    assert set(found) == documented()
    assert found == json.loads((tmp_path / "run" / "summary.json").read_text())
    assert found["metric"] in found["valid"]
    assert found["test"].keys() == found["valid"].keys()
    assert found["baseline"].keys() & found["test"].keys()
    assert found["best_epoch"] in (1, 2) and found["epochs"] == 2 and found["ended"] == "epochs"
    assert sum(found["seconds"]["per_epoch"]) <= found["seconds"]["total"]
    assert len(found["data"]) == 1 and all(len(value) == 64 for value in found["data"].values())
    assert found["versions"]["torch"] == torch.__version__


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    config = small(tmp_path, epochs=6, learning_rate=0.1)
    weights, best = {}, 0
    for event in train(config, tmp_path / "run"):
        if isinstance(event, Evaluation):
            best = event.epoch if event.best else best
            weights[event.epoch] = (tmp_path / "run" / "weights.safetensors").read_bytes()
        if isinstance(event, Finished):
            found = event.summary
    assert found["best_epoch"] == best < 6, "later epochs were no better"
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == weights[best]
    metrics = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert found["valid"] == pytest.approx(metrics[best - 1]["values"])
    assert [line["epoch"] for line in metrics] == list(range(1, 7))


def test_a_metric_may_choose(tmp_path: Path) -> None:
    found = trained(small(tmp_path, metric="nll", patience=1, epochs=40, learning_rate=0.1), tmp_path / "run")
    assert found["metric"] == "nll" and found["ended"] == "patience"
    assert found["epochs"] == found["best_epoch"] + 1 < 40


def test_time_is_limited(tmp_path: Path) -> None:
    found = trained(small(tmp_path, max_time=1e-6, epochs=100), tmp_path / "run")
    assert (found["ended"], found["steps"], found["epochs"]) == ("time", 1, 0)
    assert found["test"]
    more = trained(config_of(texts_config(tmp_path / "texts.csv", epochs=2), tmp_path), tmp_path / "run", resume=True)
    assert (more["ended"], more["steps"]) == ("epochs", 16)


def test_rows_are_limited(tmp_path: Path) -> None:
    assert sum(trained(small(tmp_path, limit=20), tmp_path / "run")["sizes"].values()) == 20


def test_refit_trains_on_the_validation_part_too(tmp_path: Path) -> None:
    apart = trained(small(tmp_path), tmp_path / "apart")
    together = trained(small(tmp_path, refit=True), tmp_path / "together")
    assert together["sizes"]["train"] == apart["sizes"]["train"] + apart["sizes"]["valid"]
    assert "valid" not in together["sizes"] and together["valid"] == {}
    assert together["sizes"]["test"] == apart["sizes"]["test"]
    assert together["best_epoch"] == 2 and together["test"]


def test_a_warm_start_from_the_same_data(tmp_path: Path) -> None:
    trained(small(tmp_path), tmp_path / "first")
    source = load_file(tmp_path / "first" / "weights.safetensors")
    config = small(tmp_path, init_from=str(tmp_path / "first"), learning_rate=1e-12, seed=9)
    found = trained(config, tmp_path / "second")
    assert f"{len(source)} of {len(source)} tensors start from {tmp_path / 'first'}" in found["notes"]
    torch.testing.assert_close(load_file(tmp_path / "second" / "weights.safetensors"), source)


def test_a_warm_start_from_other_words_takes_only_what_means_the_same(tmp_path: Path) -> None:
    trained(small(tmp_path), tmp_path / "first")
    other = write_texts(tmp_path / "other.csv", seed=2)
    plain = texts_config(other, init_from=str(tmp_path / "first"), learning_rate=1e-12, seed=9)
    trained(config_of(plain, tmp_path), tmp_path / "second")
    source = load_file(tmp_path / "first" / "weights.safetensors")
    found = load_file(tmp_path / "second" / "weights.safetensors")
    same = {
        name for name in source if source[name].shape == found[name].shape and torch.allclose(source[name], found[name])
    }
    assert same and all(name.startswith("stack.") for name in same)
    assert {name for name in source if name.startswith("stack.")} == same


def test_a_warm_start_that_would_take_nothing_is_refused(tmp_path: Path) -> None:
    trained(small(tmp_path), tmp_path / "first")
    plain = texts_config(write_texts(tmp_path / "other.csv", seed=2), init_from=str(tmp_path / "first"))
    plain["model"]["cell"] = {"type": "gru", "hidden_size": 3}
    plain["model"]["layers"] = 1
    with pytest.raises(UserError, match="no weights of the names and shapes of this model"):
        trained(config_of(plain, tmp_path), tmp_path / "second")
    assert not (tmp_path / "second").exists()


def test_a_run_may_begin_anew_from_itself(tmp_path: Path) -> None:
    trained(small(tmp_path), tmp_path / "run")
    source = load_file(tmp_path / "run" / "weights.safetensors")
    trained(small(tmp_path, init_from=str(tmp_path / "run"), learning_rate=1e-12), tmp_path / "run", force=True)
    torch.testing.assert_close(load_file(tmp_path / "run" / "weights.safetensors"), source)


def test_an_average_is_kept_and_evaluated(tmp_path: Path) -> None:
    config = small(tmp_path, averaging={"type": "mean"}, epochs=1, evaluation_steps=None)
    trained(config, tmp_path / "run")
    tensors, _ = RunDirectory(tmp_path / "run").read_checkpoint()
    kept = load_file(tmp_path / "run" / "weights.safetensors")
    assert all(not torch.equal(kept[name], tensors[f"model.{name}"]) for name in kept)
    averages = [tensors[f"average.{number}"] for number in range(len(kept))]
    assert all(any(torch.equal(value, average) for average in averages) for value in kept.values())


def test_check_finds_what_training_begins_with(tmp_path: Path) -> None:
    config = small(tmp_path, seed=4)
    checked = check_run(config)
    events = list(train(config, tmp_path / "run"))
    begun, first = events[0], events[1]
    assert isinstance(begun, Begun) and isinstance(first, Step)
    assert (checked.sizes, checked.unit, checked.parameters) == (begun.sizes, begun.unit, begun.parameters)
    assert checked.notes == begun.notes and checked.engine == begun.engine
    assert 0.4 < checked.loss < 1.2


def test_the_log_says_what_the_screen_says(tmp_path: Path) -> None:
    said = [line for event in train(small(tmp_path), tmp_path / "run") for line in lines(event)]
    assert (tmp_path / "run" / "log.txt").read_text().splitlines() == said
    assert any("epoch 2 step 16 train loss" in line and "accuracy" in line for line in said)
