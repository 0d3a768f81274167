"""`rnncli predict --stream` as a process: pipes, signals, the state from one process to the next."""

from __future__ import annotations

import csv
import io
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rnncli.cli import main
from rnncli.runs.load import LoadedRun, refuse

from .test_processes import RNNCLI, environment

CONFIG = """\
task: many-to-many
data:
  loader: time-series
  train: steps.csv
  time: time
  covariates: [load]
  target: {columns: level, kind: class}
  split: {valid: 0, test: 0}
model: {cell: {type: gru, hidden_size: 6}}
training: {epochs: 1, batch_size: 4, threads: 1, device: cpu}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and the rows of `steps.csv`."""
    folder, draw = tmp_path_factory.mktemp("steps"), random.Random(2)
    loads = [draw.gauss(0, 1) for _ in range(40)]
    rows = [f"{number},{load:.3f},{'up' if load > 0 else 'down'}" for number, load in enumerate(loads)]
    (folder / "steps.csv").write_text("\n".join(["time,load,level", *rows]) + "\n", encoding="utf-8")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["rnncli", "train", f"{folder}/config.yaml", "--out", f"{folder}/run", "--quiet"])
        main()
    assert not ended.value.code
    return folder


class Talk:
    """A process that is spoken to line by line."""

    def __init__(self, home: Path, *more: object) -> None:
        command = [RNNCLI, "predict", str(home / "run"), "--stream", "--probabilities", *map(str, more)]
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self.process = subprocess.Popen(command, text=True, bufsize=1, env=environment(), **pipes)

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """How it ended, and what it told."""
        if number is not None:
            self.process.send_signal(number)
            assert self.process.stderr is not None
            told = self.process.stderr.read()
            return self.process.wait(60), told
        _, told = self.process.communicate(timeout=60)
        return self.process.returncode, told


def batch(home: Path, lines: list[str]) -> list[dict[str, str]]:
    source = io.BytesIO("".join(lines).encode())
    return [
        {key: str(value) for key, value in row.items()} for row in LoadedRun(home / "run").rows(source, refuse, True)
    ]


def assert_alike(heard: list[str], expected: list[dict[str, str]]) -> None:
    found = list(csv.DictReader(heard))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for key, value in other.items():
            assert (
                one[key] == value
                if not key.startswith("prob")
                else float(one[key]) == pytest.approx(float(value), abs=1e-5)
            )


def lines_of(home: Path) -> list[str]:
    return (home / "steps.csv").read_text(encoding="utf-8").splitlines(keepends=True)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow), (None, 0)]
)
def test_rows_are_answered_before_the_next_is_written(home, tmp_path, number, code):
    """Half of the rows in one process, which ends in this or that way, half in another."""
    state, lines = tmp_path / "state", lines_of(home)
    talk = Talk(home, "--state", state)
    talk.say(lines[0])
    heard = []
    for position, line in enumerate(lines[1:21]):
        talk.say(line)
        heard += [talk.hear()] if position else [talk.hear(), talk.hear()]
    ended, told = talk.end(number)
    assert ended == code and "Traceback" not in told
    assert number is None or f"stopped between two rows; what is carried is in {state}" in told
    assert {entry.name for entry in tmp_path.iterdir()} == {"state"}
    again = Talk(home, "--state", state)
    again.say("".join(lines[:1] + lines[21:]))
    out, _ = again.process.communicate(timeout=60)
    assert_alike([*heard, *out.splitlines(keepends=True)[1:]], batch(home, lines))


def test_a_pipe_that_is_closed_keeps_what_was_carried(home, tmp_path):
    state, lines = tmp_path / "state", lines_of(home)
    talk = Talk(home, "--state", state)
    talk.say("".join(lines[:3]))
    heard = [talk.hear(), talk.hear(), talk.hear()]
    assert talk.process.stdout is not None and talk.process.stdin is not None and talk.process.stderr is not None
    talk.process.stdout.close()
    talk.say(lines[3])
    told = talk.process.stderr.read()
    assert talk.process.wait(60) == 141 and not told
    done = subprocess.run(
        [RNNCLI, "predict", str(home / "run"), "--stream", "--probabilities", "--state", str(state)],
        input="".join(lines[:1] + lines[4:]), text=True, capture_output=True, env=environment(), check=True,
    )  # fmt: skip
    expected = batch(home, lines)
    assert_alike([*heard, *done.stdout.splitlines(keepends=True)[1:]], expected[:2] + expected[3:])


def test_bad_rows_in_a_stream(home, tmp_path):
    state, lines = tmp_path / "state", lines_of(home)
    spoilt = [*lines[:5], "4,much,up\n", *lines[5:8]]
    command = [RNNCLI, "predict", str(home / "run"), "--stream", "--state", str(state)]
    done = subprocess.run(command, input="".join(spoilt), text=True, capture_output=True, env=environment())
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 8
    assert "left out: standard input:6: column load holds 'much'" in done.stderr and "1 left out" in done.stderr
    state.unlink()
    done = subprocess.run(
        [*command, "--strict"], input="".join(spoilt), text=True, capture_output=True, env=environment()
    )
    assert done.returncode == 2 and len(done.stdout.splitlines()) == 5 and state.exists()
    assert "rnncli: standard input:6: column load holds 'much'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--state", "s"], "--state s: keeps what --stream carries from row to row; ask for --stream too"),
        (["--stream", "--out", "o.csv"], "--out o.csv: would be there only at the end"),
        (["--stream", "steps.csv"], "--stream: answers standard input, and steps.csv is a file; write `< steps.csv`"),
        (["--stream", "--state", "run"], "--state run: is a folder; name a file in it"),
    ],
)
def test_options_that_do_not_go_together(home, rnncli, monkeypatch, more, message):
    monkeypatch.chdir(home)
    ended = rnncli("predict", "run", *more, given=b"time,load\n1,2\n")
    assert ended.code == 2 and message in ended.err and not ended.out
    assert {entry.name for entry in home.iterdir()} == {"run", "steps.csv", "config.yaml"}
