"""An ablation that is killed, in whole or in part, ends with the figures of one that never was."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from .small import ablation, children, figures, gone, holder, rows, started, until, write_ablation

LONG = {"epochs": 50, "checkpoint_steps": 5}
"""Some seconds a run: enough to be killed in its midst."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an ablation that was not disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    ended = ablation(write_ablation(folder, training=LONG), "--out", folder / "done", "--jobs", 2)
    assert ended.returncode == 0, ended.stderr
    return folder


def saved(out: Path) -> list[Path]:
    """The runs in whose midst a checkpoint was written."""
    places = (path.parent.parent for path in out.glob("runs/*/*/checkpoint/last.safetensors"))
    return [run for run in places if not (run / "summary.json").exists()]


def in_its_midst(whole: Path, out: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """An ablation of which something is done and two runs are on their way; and the processes of its runs."""
    process = started(whole / "ablation.yaml", "--out", out, "--jobs", 2)
    until(lambda: figures(out) and len(saved(out)) == 2)
    workers = children(process.pid)
    assert len(workers) == 2
    return process, workers


def goes_on(whole: Path, out: Path, words: list[str]) -> None:
    """The command goes on: what is done stays, what was begun is resumed, and the figures are those of the whole."""
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/*/*/summary.json")}
    resumed = saved(out)
    assert len(before) in (1, 2) and resumed
    ended = ablation(*words)
    assert ended.returncode == 0, ended.stderr
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert all("going on after step" in (run / "log.txt").read_text() for run in resumed)
    assert figures(out) == figures(whole / "done")
    assert len(figures(out)) == 4


@pytest.mark.slow
def test_the_ablation_is_killed(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process, workers = in_its_midst(whole, out)
    process.kill()
    process.communicate()
    until(lambda: all(gone(worker) for worker in workers))
    assert "Traceback" not in (log := (out / "log.txt").read_text()) and "event" not in log
    goes_on(whole, out, [str(whole / "ablation.yaml"), "--out", str(out), "--jobs", "2"])


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_all_of_the_group(number: int, code: int, whole: Path, tmp_path: Path) -> None:
    """As a terminal sends it, and as what manages processes does, which asks those of the runs too."""
    out = tmp_path / "an out"
    process, workers = in_its_midst(whole, out)
    os.killpg(process.pid, number)
    if number == signal.SIGTERM:
        for worker in workers:
            os.kill(worker, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code and "Traceback" not in said
    assert all(gone(worker) for worker in workers)
    assert (out / "log.txt").read_text() == ""
    for run in saved(out):  # by the signal: the last checkpoint lies between two of those that are due
        assert not (run / "failed.json").exists()
    told, *words = shlex.split(said.split("saved; go on with: ")[1])
    assert (told, words[0]) == ("rnncli", "ablate")
    goes_on(whole, out, words[1:])


@pytest.mark.slow
def test_a_second_signal_does_not_wait(whole: Path, tmp_path: Path) -> None:
    process, workers = in_its_midst(whole, tmp_path / "out")
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)  # these will not be done with saving
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode not in (0, None) and "Traceback" not in said
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    until(lambda: all(gone(worker) for worker in workers))
    goes_on(whole, tmp_path / "out", [str(whole / "ablation.yaml"), "--out", str(tmp_path / "out")])


@pytest.mark.slow
@pytest.mark.parametrize("times", [1, 2])
def test_a_process_of_its_runs_is_killed(times: int, whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process, _ = in_its_midst(whole, out)
    run, killed = saved(out)[0], set()
    while len(killed) < times:
        until(lambda: holder(run / "lock") not in (None, *killed))
        if (worker := holder(run / "lock")) is not None:
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    name = str(run.relative_to(out / "runs"))
    if times == 1:
        assert "going on after step" in (run / "log.txt").read_text()
    else:
        row = rows(out)[name]
        assert row["state"] == "failed" and "its process was ended by SIGKILL" in row["reason"]
        assert "2 times" in row["reason"] and "1 run has failed" in said
        others = {each: row["state"] for each, row in rows(out).items() if each != name}
        assert set(others.values()) == {"done"} and len(others) == 3
        ended = ablation(whole / "ablation.yaml", "--out", out, "--retry", "-q")
        assert ended.returncode == 0, ended.stderr
    assert figures(out) == figures(whole / "done")


@pytest.mark.slow
def test_a_watched_run_is_saved_and_not_given_up(tmp_path: Path) -> None:
    """A run that waits for a word of its ablation when that is killed was not given up by it."""
    space = {"training.learning_rate": [0.001, 0.002]}
    search = {"trials": 2, "pruner": "median", "space": space}
    file = write_ablation(tmp_path, training={"epochs": 60}, search=search, seeds=1)
    for moment in range(4):
        process = started(file, "--out", tmp_path / "out", "--jobs", 2)
        known = sum(lines(path) for path in tmp_path.glob("out/runs/*/*/*/metrics.jsonl"))
        until(lambda known=known: sum(lines(p) for p in tmp_path.glob("out/runs/*/*/*/metrics.jsonl")) > known + 7)
        workers = children(process.pid)
        os.kill(process.pid, signal.SIGSTOP if moment % 2 else signal.SIGTERM)  # a stopped one answers nobody
        if moment % 2:
            until(lambda workers=workers: all(asleep(worker) for worker in workers))
            process.kill()
        process.communicate(timeout=60)
        until(lambda workers=workers: all(gone(worker) for worker in workers))
        assert not list(tmp_path.rglob("failed.json")), moment
    ended = ablation(file, "--out", tmp_path / "out", "--jobs", 2)
    assert ended.returncode == 0, ended.stderr
    assert {row["state"] for row in rows(tmp_path / "out").values()} <= {"done", "pruned"}


def asleep(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "SZ"
    except OSError:
        return True


def lines(path: Path) -> int:
    return len([json.loads(line) for line in path.read_text().splitlines()])
