"""Runs whose cell is the user's own: its code stays with the run, and nobody's is executed unasked."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rnncli
from rnncli.cli import main
from rnncli.errors import ConfigError, RunError, TrainingStopped, UserError
from rnncli.runs.assembly import assemble
from rnncli.runs.config import RunConfig
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun
from rnncli.runs.reading import read_config
from rnncli.runs.train import train
from rnncli.runs.trusted import trust, trusted

from .small import Disk, config_of, contents, texts_config, trained, untouched, write_texts

CELL = """\
from rnncli.cells import Cell, sigmoid, tanh


class Mine(Cell):
    def step(self, x, state, U, p, gate):
        (h,) = state
        f = gate.f(sigmoid(x.f + U.f(h)), "keep")
        return (f * h + (1 - f) * tanh(x.n + U.n(h)),)
"""
TEXTS = ["a lovely film", "dull dull story", "some people"]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of what is trusted, empty at first."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "rnncli" / "trusted-cells"


def config_with(folder: Path, *overrides: str, **training: Any) -> RunConfig:
    """A config beside `mine.py`."""
    plain = texts_config(write_texts(folder / "texts.csv"), **training)
    plain["model"]["cell"] = {"file": "mine.py", "hidden_size": 5}
    if not (folder / "mine.py").exists():
        (folder / "mine.py").write_text(CELL)
    return config_of(plain, folder, *overrides)


@pytest.fixture(scope="module")
def trained_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        trained(config_with(folder), folder / "run")
    return folder


@pytest.fixture
def folder(trained_here: Path, tmp_path: Path) -> Path:
    """A folder with `mine.py`, `texts.csv`, `config.yaml` and the finished `run`; `elsewhere` is still another user."""
    place = tmp_path / "copy"
    shutil.copytree(trained_here, place)
    for config in (place / "config.yaml", place / "run" / "config.yaml"):
        config.write_text(config.read_text().replace(str(trained_here), str(place)))
    return place


def own_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on as the user who trained."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))


def predict(folder: Path, allow_code: bool = False) -> list[str]:
    return list(rnncli.load(folder / "run", allow_code=allow_code).predict(TEXTS)["prediction"])


def evaluate(folder: Path, allow_code: bool = False) -> None:
    evaluate_run(LoadedRun(folder / "run", allow_code=allow_code), None, "test")


def read(folder: Path, allow_code: bool = False) -> None:
    read_config(folder / "run", allow_code=allow_code)


def read_its_file(folder: Path, allow_code: bool = False) -> None:
    read_config(folder / "run" / "config.yaml", allow_code=allow_code)


def resume(folder: Path, allow_code: bool = False) -> None:
    list(train(config_with(folder, "training.epochs=3"), folder / "run", resume=True, allow_code=allow_code))


USES: list[Callable[..., Any]] = [predict, evaluate, read, read_its_file, resume]


def test_the_run_keeps_the_code(folder: Path) -> None:
    assert (folder / "run" / "cell.py").read_text() == CELL
    about = json.loads((folder / "run" / "run.json").read_text())
    assert about["cell"] == hashlib.sha256(CELL.encode()).hexdigest()
    assert "file: cell.py\n" in (folder / "run" / "config.yaml").read_text()
    assert (folder / "state" / "rnncli" / "trusted-cells").read_text() == about["cell"] + "\n"


def test_a_run_moves_and_the_original_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_state(folder, monkeypatch)
    before = predict(folder)
    (folder / "mine.py").write_text(CELL.replace("1 - f", "2 - f"))
    (folder / "other").mkdir()
    shutil.move(folder / "run", folder / "other" / "run")
    assert predict(folder / "other") == before
    evaluate(folder / "other")
    config = read_config(folder / "other" / "run", ["training.epochs=4"])
    assert trained(config, folder / "other" / "run", resume=True)["epochs"] == 4
    assert "file: cell.py\n" in (folder / "other" / "run" / "config.yaml").read_text()
    assert (folder / "other" / "run" / "cell.py").read_text() == CELL


def test_a_resumed_run_has_the_bits_of_one_that_was_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_state(folder, monkeypatch)
    trained(read_config(folder / "run", ["training.epochs=4"]), folder / "run", resume=True)
    trained(config_with(folder, "training.epochs=4"), folder / "whole")
    for name in ("weights.safetensors", "cell.py"):
        assert (folder / "run" / name).read_bytes() == (folder / "whole" / name).read_bytes()


def test_another_code_does_not_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_state(folder, monkeypatch)
    (folder / "mine.py").write_text(CELL.replace("1 - f", "2 - f"))
    with untouched(folder / "run"), pytest.raises(RunError, match=r"mine\.py: is not the code that .*run began with; "):
        resume(folder)
    registered = config_with(folder, "model.cell={type: mgu, hidden_size: 5}")
    with untouched(folder / "run"), pytest.raises(RunError, match=r"model\.cell\.type was None, now 'mgu'"):
        list(train(registered, folder / "run", resume=True))


def from_a_stranger(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run of someone else, whose code writes the file that is returned when it is executed."""
    mark = folder / "executed"
    code = f"from pathlib import Path\nPath({str(mark)!r}).touch()\n{CELL}"
    about = json.loads((folder / "run" / "run.json").read_text())
    (folder / "run" / "cell.py").write_text(code)
    about["cell"] = hashlib.sha256(code.encode()).hexdigest()
    (folder / "run" / "run.json").write_text(json.dumps(about))
    return mark


@pytest.mark.parametrize("use", USES)
def test_code_of_others_is_executed_only_where_it_is_allowed(
    use: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = from_a_stranger(folder, monkeypatch)
    for _ in range(2):
        with untouched(folder / "run"), pytest.raises(UserError, match=r"run/cell\.py: this Python code would be exec"):
            use(folder)
    assert not mark.exists()
    if use is resume:
        shutil.copy(folder / "run" / "cell.py", folder / "mine.py")
    use(folder, allow_code=True)
    assert mark.exists()


@pytest.mark.parametrize(
    "words",
    [
        ["train", "run", "--resume"],
        ["train", "run/config.yaml", "--out", "new"],
        ["check", "run/config.yaml"],
        ["check", "run"],
        ["eval", "run"],
        ["predict", "run", "texts.csv"],
        ["describe", "run"],
        ["describe", "cell", "run/cell.py"],
    ],
    ids=" ".join,
)
def test_commands_ask_for_leave(
    words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["rnncli", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    mark = from_a_stranger(folder, monkeypatch)
    monkeypatch.chdir(folder)
    assert ended(*words) == 2
    err = capsys.readouterr().err
    assert "cell.py: this Python code would be executed" in err and "--allow-code" in err
    assert len(err.splitlines()) == 1 and not mark.exists()
    assert ended(*words, "--allow-code") == 0
    assert mark.exists()


def test_training_with_code_is_trusting_it(folder: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    from_a_stranger(folder, monkeypatch)
    shutil.copy(folder / "run" / "cell.py", folder / "mine.py")
    evaluate(folder, allow_code=True)
    assert not state.exists(), "to look at a run is not to train with it"
    resume(folder, allow_code=True)
    predict(folder)
    assert state.read_text().split() == [json.loads((folder / "run" / "run.json").read_text())["cell"]]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("allow_code", [False, True])
def test_changed_code_is_damage(
    use: Callable[..., Any], allow_code: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_state(folder, monkeypatch)
    mark = folder / "executed"
    (folder / "run" / "cell.py").write_text(f"open({str(mark)!r}, 'w')\n{CELL}")
    with (
        untouched(folder / "run"),
        pytest.raises(RunError, match=r"cell\.py: damaged: it is not the code that the run"),
    ):
        use(folder, allow_code=allow_code)
    (folder / "run" / "cell.py").unlink()
    with untouched(folder / "run"), pytest.raises(RunError, match=r"cell\.py: not there"):
        use(folder, allow_code=allow_code)
    assert not mark.exists()


@pytest.mark.parametrize("kept", [True, False])
def test_a_config_can_name_no_other_code(kept: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither beside the code that run.json knows of, nor in a run that says it has none."""
    own_state(folder, monkeypatch)
    mark = folder / "executed"
    (folder / "run" / "evil.py").write_text(f"open({str(mark)!r}, 'w')\n{CELL}")
    config = folder / "run" / "config.yaml"
    config.write_text(config.read_text().replace("file: cell.py", "file: evil.py"))
    if not kept:
        about = json.loads((folder / "run" / "run.json").read_text())
        del about["cell"]
        (folder / "run" / "run.json").write_text(json.dumps(about))
    for use in USES:
        with pytest.raises(RunError, match=r"evil\.py: not executed: config\.yaml names it"):
            use(folder, allow_code=True)
    assert not mark.exists()


def test_no_write_is_one_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused at each write that a run begins with, it goes on, and ends as if nothing had been."""
    config = config_with(tmp_path, epochs=1)
    trained(config, tmp_path / "whole")
    disk = Disk(monkeypatch)
    for room in range(5):
        disk.room, run = room, tmp_path / f"run{room}"
        with pytest.raises(TrainingStopped):
            trained(config, run)
        assert (run / "cell.py").exists() or not (run / "config.yaml").exists()
        disk.room = 1000
        from_itself = read_config(run) if (run / "config.yaml").exists() else config
        trained(from_itself, run, resume=run.exists())
        whole = contents(tmp_path / "whole")
        for name in ("cell.py", "weights.safetensors", "config.yaml", "fitted.json"):
            assert contents(run)[name] == whole[name]


class Killed(BaseException):
    """As a kill: nobody catches it."""


def test_the_code_outlives_the_config_that_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at each of the files that --force clears."""
    own_state(folder, monkeypatch)
    unlink, left = Path.unlink, 0

    def dying(path: Path, missing_ok: bool = False) -> None:
        nonlocal left
        if path.parent.name.startswith("run") and path.exists() and path.name != "lock":
            left -= 1
            if left < 0:
                raise Killed
        unlink(path, missing_ok)

    kills = 0
    for deletions in range(20):
        run = folder / f"run{deletions}"
        shutil.copytree(folder / "run", run)
        config = config_with(folder)
        monkeypatch.setattr(Path, "unlink", dying)
        left = deletions
        try:
            next(train(config, run, force=True))
        except Killed:
            kills += 1
        finally:
            monkeypatch.setattr(Path, "unlink", unlink)
        assert (run / "cell.py").exists() or not (run / "config.yaml").exists()
        if left >= 0:
            break
    assert kills > 4


def test_where_nothing_can_be_kept_training_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    notes = trained(config_with(tmp_path, epochs=1), tmp_path / "run")["notes"]
    assert any("trusted-cells: can't be written" in note and "--allow-code will be needed" in note for note in notes)
    with pytest.raises(UserError, match="--allow-code"):
        rnncli.load(tmp_path / "run")


def test_what_is_trusted_is_kept_once_and_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.chdir(tmp_path)
    for digest in ("a" * 64, "b" * 64, "a" * 64):
        assert trust(digest) is None
    file = tmp_path / "home" / ".local" / "state" / "rnncli" / "trusted-cells"
    assert file.read_text().split() == ["a" * 64, "b" * 64]
    assert trusted("b" * 64) and not trusted("c" * 64) and not trusted("a" * 63)
    file.write_bytes(b"\xff\xfe")
    assert not trusted("a" * 64)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            CELL.replace("tanh(x.n", "np.tanh(x.n").replace("from", "import numpy as np\nfrom", 1),
            r"9: RuntimeError: Can't call numpy\(\) on Tensor that requires grad",
        ),
        (CELL + "\n    def starts(self):\n        return {'Q': 1.0}\n", "4: unknown parameter 'Q'; allowed: U, U_f, "),
    ],
    ids=["a function of numpy", "the start of what is not there"],
)
def test_what_works_on_symbols_alone_is_found_before_data_are_read(code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(code)
    config = config_with(tmp_path, f"data.train={tmp_path}/nowhere.csv")
    with pytest.raises(ConfigError, match=rf"model\.cell\.file: .*mine\.py:{said}"):
        assemble(config)
