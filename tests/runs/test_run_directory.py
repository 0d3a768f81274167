"""What a run directory bears: each mistake is one sentence, and nothing on disk is lost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch
from filelock import FileLock

import rnncli
from rnncli.config import read
from rnncli.errors import ConfigError, DataError, RunError, TrainingStopped, UserError
from rnncli.runs.config import RunConfig
from rnncli.runs.directory import RunDirectory
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun
from rnncli.runs.train import train

from .small import config_of, contents, texts_config, trained, untouched, write_texts

TEXTS = ["a lovely film", "dull dull story"]


def own_config(folder: Path, *overrides: str) -> RunConfig:
    return read(folder / "run" / "config.yaml", RunConfig, overrides)


def predict(folder: Path) -> None:
    rnncli.load(folder / "run").predict(TEXTS)


def evaluate(folder: Path) -> None:
    evaluate_run(LoadedRun(folder / "run"), None, "test")


def resume(folder: Path) -> None:
    list(train(config_of(texts_config(folder / "texts.csv", epochs=4), folder), folder / "run", resume=True))


def cut(name: str) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: len(content) // 2])

    return damage


def empty(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes(b"") and None


def remove(name: str) -> Callable[[Path], None]:
    return lambda run: (run / name).unlink()


def pickled(name: str) -> Callable[[Path], None]:
    return lambda run: torch.save({"weights": torch.ones(3)}, run / name)


def other_word(run: Path) -> None:
    fitted = (run / "fitted.json").read_text()
    assert '"lovely"' in fitted
    (run / "fitted.json").write_text(fitted.replace('"lovely"', '"ghastly"'))


def newer(run: Path) -> None:
    about = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(about | {"format": 99, "rnncli": "9.1"}))


def other_size(run: Path) -> None:
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("hidden_size: 6", "hidden_size: 7"))


def no_mapping(run: Path) -> None:
    (run / "fitted.json").write_text("[1, 2]")


def other_checkpoint(run: Path) -> None:
    shutil.copy(run / "weights.safetensors", run / "checkpoint" / "last.safetensors")


USING, RESUMING = [predict, evaluate], [resume]
CHECKPOINT = "checkpoint/last.safetensors"
DAMAGES = {
    "truncated weights": (cut("weights.safetensors"), USING, "weights.safetensors: damaged"),
    "empty weights": (empty("weights.safetensors"), USING, "weights.safetensors"),
    "no weights": (remove("weights.safetensors"), USING, "weights.safetensors: not there"),
    "pickle for weights": (pickled("weights.safetensors"), USING, "no safetensors file .*pickles are never loaded"),
    "truncated checkpoint": (cut(CHECKPOINT), RESUMING, "last.safetensors: damaged"),
    "pickle for checkpoint": (pickled(CHECKPOINT), RESUMING, "no safetensors file .*pickles are never loaded"),
    "weights for checkpoint": (other_checkpoint, RESUMING, "last.safetensors: is no checkpoint"),
    "truncated fitted": (cut("fitted.json"), USING + RESUMING, "fitted.json: changed since .* belong together"),
    "no mapping in fitted": (no_mapping, USING + RESUMING, "fitted.json: changed since"),
    "no fitted": (remove("fitted.json"), USING + RESUMING, "fitted.json: not there"),
    "changed vocabulary": (other_word, USING + RESUMING, "fitted.json: changed since .* belong together"),
    "truncated run.json": (cut("run.json"), USING + RESUMING, "run.json: damaged"),
    "no run.json": (remove("run.json"), USING + RESUMING, "not a run directory"),
    "newer version": (newer, USING + RESUMING, "run has format 99, written by rnncli 9.1; .* reads format 1"),
    "no config": (remove("config.yaml"), USING + RESUMING, "config.yaml: not there"),
    "other model": (other_size, USING, "do not fit the model that config.yaml describes: size mismatch"),
    "truncated metrics": (cut("metrics.jsonl"), RESUMING, "metrics.jsonl: (can't be read|has . lines)"),
    "no metrics": (remove("metrics.jsonl"), RESUMING, "metrics.jsonl: can't be read"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_one_sentence(name: str, folder: Path) -> None:
    damage, uses, message = DAMAGES[name]
    damage(folder / "run")
    for use in uses:
        with untouched(folder / "run"), pytest.raises(RunError, match=message) as caught:
            use(folder)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)


def test_resumed_with_a_config_edited_in_the_run(folder: Path) -> None:
    other_size(folder / "run")
    with untouched(folder / "run"), pytest.raises(RunError, match="is of another model than config"):
        list(train(own_config(folder), folder / "run", resume=True))


@pytest.mark.parametrize("name", ["nothing", "file", "folder"])
def test_no_run(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunError, match=f"{name}: (no such|not a) run directory"):
        LoadedRun(tmp_path / name)


def test_an_existing_run_is_refused(folder: Path) -> None:
    with untouched(folder / "run"), pytest.raises(RunError, match=r"exists already; --resume .* --force .* --out"):
        list(train(own_config(folder), folder / "run"))


def test_force_begins_anew(folder: Path) -> None:
    (folder / "run" / "more").mkdir()
    (folder / "run" / "more" / "left.txt").write_text("")
    before = contents(folder / "run")
    trained(own_config(folder, "training.seed=5"), folder / "run", force=True)
    after = contents(folder / "run")
    assert set(before) - set(after) == {"more/left.txt"}
    assert before["weights.safetensors"] != after["weights.safetensors"]


def test_force_leaves_what_is_no_run(folder: Path) -> None:
    other = folder / "photos"
    other.mkdir()
    (other / "cat.jpg").write_text("meow")
    with untouched(other), pytest.raises(RunError, match="not a run directory, so --force does not clear it"):
        list(train(own_config(folder), other, force=True))
    with pytest.raises(RunError, match="is a file; a run needs a directory"):
        list(train(own_config(folder), other / "cat.jpg", force=True))


@pytest.mark.parametrize(
    "mistakes",
    [
        ["data.train=missing.csv"],
        ["data.target.column=colour"],
        ["model.freeze_vectors=true"],
        ["training.metric=rmse"],
        ["training.init_from=missing"],
        ["training.device=cuda:77"],
    ],
)
def test_force_clears_nothing_before_all_is_well(mistakes: list[str], folder: Path) -> None:
    with untouched(folder / "run"), pytest.raises(UserError):
        list(train(own_config(folder, *mistakes), folder / "run", force=True))


def test_a_training_that_can_not_begin_leaves_nothing(folder: Path) -> None:
    with pytest.raises(DataError):
        list(train(own_config(folder, "data.train=missing.csv"), folder / "runs" / "new"))
    assert not (folder / "runs" / "new").exists()


def test_a_place_that_can_not_be_written(folder: Path) -> None:
    with pytest.raises(RunError, match=r"texts\.csv/run: can't be written: Not a directory"):
        list(train(own_config(folder), folder / "texts.csv" / "run"))


def test_locked_while_another_process_writes(folder: Path) -> None:
    with FileLock(folder / "run" / "lock"), untouched(folder / "run"):
        for how in ({"resume": True}, {"force": True}):
            with pytest.raises(RunError, match="another process is writing this run"):
                list(train(own_config(folder), folder / "run", **how))
        predict(folder)  # reading needs no lock


def test_a_run_that_was_moved(folder: Path) -> None:
    before = rnncli.load(folder / "run").predict(TEXTS)
    (folder / "elsewhere").mkdir()
    moved = folder / "elsewhere" / "other name"
    shutil.move(folder / "run", moved)
    run = rnncli.load(moved)
    pd.testing.assert_frame_equal(run.predict(TEXTS), before)
    assert evaluate_run(run, None, "test").values["accuracy"] == run.directory.read_summary()["test"]["accuracy"]
    config = read(moved / "config.yaml", RunConfig, ["training.epochs=5"])
    assert trained(config, moved, resume=True)["epochs"] == 5


def test_without_its_data_a_run_still_predicts(folder: Path) -> None:
    (folder / "texts.csv").unlink()
    predict(folder)
    with pytest.raises(DataError, match=r"texts\.csv"):
        evaluate(folder)


@pytest.mark.parametrize("use", [resume, evaluate])
def test_changed_data_are_refused(use: Callable[[Path], None], folder: Path) -> None:
    with (folder / "texts.csv").open("a") as file:
        file.write("a lovely film,good,3,film\n")
    with untouched(folder / "run"), pytest.raises(RunError, match="changed since"):
        use(folder)


def test_the_same_data_elsewhere_are_the_same_data(folder: Path) -> None:
    shutil.move(folder / "texts.csv", folder / "moved.csv")
    config = own_config(folder, f"data.train={folder / 'moved.csv'}", "training.epochs=5")
    assert trained(config, folder / "run", resume=True)["epochs"] == 5
    evaluate(folder)


def test_a_changed_config_is_refused_by_its_keys(folder: Path) -> None:
    config = own_config(folder, "training.learning_rate=0.5", "model.layers=2", "training.epochs=9")
    with untouched(folder / "run"), pytest.raises(RunError) as caught:
        list(train(config, folder / "run", resume=True))
    assert "model.layers was 1, now 2; training.learning_rate was 0.02, now 0.5" in str(caught.value)
    assert "training.epochs was" not in str(caught.value)


def test_epochs_may_grow_and_the_config_of_the_run_says_so(folder: Path) -> None:
    more = trained(own_config(folder, "training.epochs=6"), folder / "run", resume=True)
    assert (more["epochs"], len(more["seconds"]["per_epoch"])) == (6, 6)
    assert own_config(folder).training.epochs == 6
    whole = trained(own_config(folder), folder / "whole")
    assert (folder / "run/weights.safetensors").read_bytes() == (folder / "whole/weights.safetensors").read_bytes()
    assert whole["valid"] == more["valid"]


def test_other_threads_may_mean_other_bits(folder: Path) -> None:
    config = own_config(folder, "training.epochs=5", "training.threads=2")
    try:
        notes = trained(config, folder / "run", resume=True)["notes"]
    finally:
        torch.set_num_threads(1)
    assert "the run was begun with threads 1, now 2: bits may differ" in notes


def test_resume_needs_a_run(folder: Path) -> None:
    with pytest.raises(RunError, match="there is no run to resume"):
        list(train(own_config(folder), folder / "new", resume=True))
    assert not (folder / "new").exists()


def test_a_run_killed_before_its_first_checkpoint_begins_again(folder: Path) -> None:
    shutil.rmtree(folder / "run" / "checkpoint")
    weights = (folder / "run" / "weights.safetensors").read_bytes()
    trained(own_config(folder), folder / "run", resume=True)
    assert (folder / "run" / "weights.safetensors").read_bytes() == weights


def test_checkpoints_are_bounded(tmp_path: Path) -> None:
    config = config_of(texts_config(write_texts(tmp_path / "texts.csv"), epochs=5, checkpoint_steps=1), tmp_path)
    trained(config, tmp_path / "run")
    expected = "checkpoint/last.safetensors config.yaml fitted.json lock log.txt metrics.jsonl run.json summary.json"
    assert sorted(contents(tmp_path / "run")) == [*expected.split(), "weights.safetensors"]


def test_a_config_with_mistakes_for_the_data_names_all(folder: Path) -> None:
    mistakes = ["training.bptt_steps=3", "model.bidirectional=true", "training.metric=rmse"]
    with pytest.raises(ConfigError) as caught:
        list(train(own_config(folder, *mistakes), folder / "new"))
    assert len(caught.value.mistakes) == 2
    with pytest.raises(ConfigError, match="patience: there is no validation part") as caught:
        list(train(own_config(folder, "data.split.valid=0", "training.patience=2"), folder / "new"))


def test_the_lock_is_given_back(folder: Path) -> None:
    directory = RunDirectory(folder / "run")
    for _ in range(2):
        with directory.locked():
            pass
    with pytest.raises(TrainingStopped), directory.locked():
        raise TrainingStopped("over")
    with directory.locked():
        pass
