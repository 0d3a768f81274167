"""A user's mistakes: one clear message, exit code 2, no traceback, nothing on standard output."""

from __future__ import annotations

import pytest

OPTION_MISTAKES = {
    "trian config.yaml": "did you mean 'train'?",
    "train": "missing argument 'config'",
    "train config.yaml --lmit 3": "--limit",
    "train config.yaml --limit three": "--limit",
    "train config.yaml --limit 0": "training.limit=0: must be at least 1",
    "train config.yaml --max-time 0": "training.max_time=0.0: must be greater than 0",
    "train config.yaml --set epochs": "--set epochs: expected key=value",
    "train config.yaml --set training.epoch=3": "did you mean 'epochs'?",
    "train config.yaml --resume --force": "give one of them",
    "train config.yaml --device cuad": "'cuad'",
    "train config.yaml --init-from nowhere": "nowhere: no such run directory",
    "train config.yaml --refit --set training.patience=2": "patience would do nothing",
    "train confg.yaml": "did you mean 'config.yaml'?",
    "train train.csv": "train.csv:1:1",
    "train . ": "add --resume",
    "train . --resume --out other": "a run goes on where it is",
    "train config.yaml --resume --out nowhere": "there is no run to resume",
    "train config.yaml --out train.csv": "train.csv",
    "train config.yaml --out train.csv/run": "train.csv",
    "check confg.yaml": "did you mean 'config.yaml'?",
    "check config.yaml --set data.train=trian.csv": "is train.csv",
    "check config.yaml --set data.target.column=lable": "did you mean 'label'?",
    "eval nowhere": "nowhere: no such run directory",
    "eval .": "not a run directory",
    "eval {run} --split tset": "did you mean 'test'?",
    "eval {run} test.csv --split test": "give one of them",
    "eval {run} tset.csv": "is test.csv",
    "eval {run} --threads 0": "--threads",
    "predict nowhere": "nowhere: no such run directory",
    "predict {run} tset.csv": "is test.csv",
    "predict {run} test.csv --out found.json": "did you mean '.jsonl'?",
    "predict {run} test.csv --out nowhere/found.csv": "nowhere",
    "predict {run} test.csv --out test.csv": "is the input itself",
    "predict {run} .": ".",
}


@pytest.mark.parametrize("command", OPTION_MISTAKES)
def test_mistake(rnncli, folder, trained, command):
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    code, out, err = rnncli(*(word.format(run=trained) for word in command.split()))
    assert (code, out) == (2, ""), err
    assert OPTION_MISTAKES[command].lower() in err.lower()
    assert len(err.splitlines()) <= 6
    assert {path: path.read_bytes() for path in before} == before, "the user's files are as they were"


def test_all_mistakes_of_a_config_at_once(rnncli, folder):
    (folder / "bad.yaml").write_text(
        "task: many-to-on\n"
        "data:\n"
        "  loader: text\n"
        "  trian: train.csv\n"
        "  target: {column: label, kind: clas}\n"
        "model:\n"
        "  cell: {type: lstm, hiden_size: 8}\n"
        "training: {epochs: three, batch_size: 0}\n"
    )
    code, out, err = rnncli("train", "bad.yaml", "--set", "training.learning_rate=fast")
    assert (code, out) == (2, "")
    for place in ("1:7: task", "4:3: data.trian", "5:33: data.target.kind", "7:22: model.cell.hiden_size"):
        assert f"bad.yaml:{place}" in err
    for nearest in ("many-to-one", "train", "class", "hidden_size"):
        assert f"did you mean {nearest!r}?" in err
    assert "training.epochs: expected a whole number, found 'three'" in err
    assert "training.batch_size: must be at least 1, found 0" in err
    assert "--set training.learning_rate=fast" in err
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"just words\n", "expected keys with values"),
        (b"- task\n- data\n", "a list"),
        (b"task: [many-to-one\n", "bad.yaml:2"),
        (b"task: many-to-one\ntask: one-to-one\n", "bad.yaml:2:1"),
        (b"\x80\x04pickle", "not UTF-8"),
    ],
)
def test_config_that_is_none(rnncli, folder, content, told):
    (folder / "bad.yaml").write_bytes(content)
    code, out, err = rnncli("check", "bad.yaml")
    assert (code, out) == (2, "") and told in err


def test_a_run_that_exists_is_refused(rnncli, folder, trained):
    weights = (trained / "weights.safetensors").read_bytes()
    code, out, err = rnncli("train", "config.yaml", "--out", trained)
    assert (code, out) == (2, "")
    assert all(option in err for option in ("--resume", "--force", "--out"))
    assert (trained / "weights.safetensors").read_bytes() == weights
