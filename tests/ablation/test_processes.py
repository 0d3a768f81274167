"""An ablation in local processes: its figures, its files, what it refuses and what it says."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from rnncli.cli import main

from .small import RNNCLI, ablation, figures, rows, write_ablation

Said = tuple[int, str]
REPORT = ("results.csv", "summary.json", "table.md", "table.tex", "report.html", "figures")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of an ablation `done` one run at a time, and what it said on the way."""
    folder = tmp_path_factory.mktemp("first")
    ended = ablation(write_ablation(folder), "--out", folder / "done", "--jobs", 1)
    assert ended.returncode == 0, ended.stderr
    return folder, ended.stderr


@pytest.fixture
def folder(first: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of it; also moved, thereby."""
    return Path(shutil.copytree(first[0], tmp_path / "copy"))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`rnncli ablate` in this process: its exit code and all that it says."""

    def run(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["rnncli", "ablate", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr()
        assert "Traceback" not in said.out + said.err
        return int(ended.value.code or 0), said.out + said.err

    return run


def times(ablated: Path) -> dict[str, tuple[int, bytes]]:
    """Of each file of the runs when it was written, and its bytes."""
    files = [path for path in (ablated / "runs").rglob("*") if path.is_file() and path.name != "lock"]
    return {str(path.relative_to(ablated)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def change(file: Path, key: str, value: Any) -> None:
    """Changes an option of a YAML file, by its dotted key."""
    content = yaml.safe_load(file.read_text())
    *above, last = key.split(".")
    place = content
    for each in above:
        place = place.setdefault(each, {})
    place[last] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def test_two_at_once_give_the_same_figures(first: tuple[Path, str]) -> None:
    folder, _ = first
    ended = ablation(folder / "ablation.yaml", "--out", folder / "two", "--jobs", 2, "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert figures(folder / "two") == figures(folder / "done")
    assert len(figures(folder / "done")) == 4
    assert {summary["threads"] for summary, _ in figures(folder / "two").values()} == {1}
    assert (folder / "done/log.txt").read_text() == ""


def test_a_line_a_run_where_there_is_no_terminal(first: tuple[Path, str]) -> None:
    said = first[1]
    runs = re.findall(r"^\[(\d)/4\] (\S+) done \d+\.\d s$", said, re.MULTILINE)
    assert runs == [("1", "lstm/seed-1"), ("2", "gru/seed-1"), ("3", "lstm/seed-2"), ("4", "gru/seed-2")]
    assert said.isprintable() or set(re.findall(r"[^ -~–−]", said)) == {"\n"}


def test_what_is_done_stays_and_more_seeds_are_run(folder: Path) -> None:
    before = times(folder / "done")
    ended = ablation(folder / "ablation.yaml", "--out", folder / "done", "--set", "seeds=3")
    assert ended.returncode == 0, ended.stderr
    assert "runs: 6; 4 done, 2 left" in ended.stderr
    after = times(folder / "done")
    assert {name: after[name] for name in before} == before
    assert {name.split("/")[2] for name in after.keys() - before.keys()} == {"seed-3"}
    assert {row["state"] for row in rows(folder / "done").values()} == {"done"}


CELL = """\
import json, sys
from rnncli.cells import Cell, sigmoid, tanh

print(json.dumps({"event": "ended", "state": "done", "reason": "", "seconds": 0}))
assert sys.stdin.read() == ""
if BROKEN and sys.argv[0].endswith("worker.py"):
    raise KeyboardInterrupt("no more")  # what nobody foresees


class Mine(Cell):
    def step(self, x, state, U, p, gate):
        (h,) = state
        f = gate.f(sigmoid(x.f + U.f(h)), "keep")
        return (f * h + (1 - f) * tanh(x.n + U.n(h)),)
"""


def test_what_fails_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    """One that diverges, one whose code breaks, one that prints what looks like an event; a metric of other data."""
    (tmp_path / "prints.py").write_text(CELL.replace("BROKEN", "False"))
    (tmp_path / "breaks.py").write_text(CELL.replace("BROKEN", "True"))
    sgd = {"training.optimizer": {"type": "sgd"}, "training.learning_rate": 1e9, "training.clip_norm": None}
    gru = {"model.cell": {"type": "gru", "hidden_size": 4}}
    variants = {
        "gru": gru,
        "diverges": {**gru, **sgd},
        "prints": {},
        "breaks": {"model.cell.file": "breaks.py"},
    }
    search = {"sampler": "grid", "space": {"training.metric": ["mse", "accuracy"]}}
    file = write_ablation(tmp_path, vary=None, variants=variants, search=search, seeds=1)
    change(tmp_path / "base.yaml", "model.cell", {"file": "prints.py", "hidden_size": 4})
    ended = ablation(file, "--out", tmp_path / "out", "--jobs", 2)
    assert ended.returncode == 0, ended.stderr
    found = rows(tmp_path / "out")
    assert {name for name, row in found.items() if row["state"] == "done"} == {
        "gru/trial-001/seed-1",
        "prints/trial-001/seed-1",
    }
    reasons = {name: row["reason"] for name, row in found.items() if row["state"] == "failed"}
    assert "loss inf at step" in reasons.pop("diverges/trial-001/seed-1")
    for trial in ("trial-001", "trial-002"):
        assert "ended with KeyboardInterrupt: no more, 2 times; see log.txt" in reasons.pop(f"breaks/{trial}/seed-1")
    assert len(reasons) == 3 and all("training.metric" in reason for reason in reasons.values())
    assert "6 runs have failed" in ended.stderr and "--retry" in ended.stderr
    log = (tmp_path / "out/log.txt").read_text()
    assert '{"event": "ended"' in log and "Traceback" in log
    again = ablation(file, "--out", tmp_path / "out", "--quiet")
    assert (again.returncode, again.stderr) == (0, "") and (tmp_path / "out/log.txt").read_text() == log


def test_a_damaged_run_is_a_row_until_it_is_tried_again(folder: Path, command: Callable[..., Said]) -> None:
    out, before = folder / "done", figures(folder / "done")
    (out / "runs/gru/seed-2/summary.json").write_text("{")
    (out / "runs/lstm/seed-1/summary.json").write_text('{"test": {"rmse": 1.0}}')
    code, _ = command(out, "--report", "-q")
    states = {name: row["state"] for name, row in rows(out).items()}
    assert code == 0 and states == {
        "gru/seed-1": "done", "gru/seed-2": "failed", "lstm/seed-1": "failed", "lstm/seed-2": "done"
    }  # fmt: skip
    assert "summary.json: damaged" in rows(out)["gru/seed-2"]["reason"]
    ended = ablation(folder / "ablation.yaml", "--out", out, "--retry", "-q")
    assert ended.returncode == 0, ended.stderr
    assert figures(out) == before


def test_the_report_is_made_of_the_runs_alone(folder: Path, command: Callable[..., Said]) -> None:
    out = folder / "done"
    kept = {path.relative_to(out): path.read_bytes() for name in REPORT for path in files(out / name)}
    assert len(kept) > 6
    for name in (*REPORT, "ablation.yaml", "configs", "log.txt", "lock"):
        shutil.rmtree(out / name) if (out / name).is_dir() else (out / name).unlink()
    (folder / "base.yaml").unlink()
    code, said = command(out, "--report")
    assert code == 0 and "report.html" in said and "lstm has a mean test.rmse" in said
    assert {path: (out / path).read_bytes() for path in kept} == kept


def files(path: Path) -> Iterator[Path]:
    yield from path.iterdir() if path.is_dir() else [path]


def test_the_report_of_what_is_not_done(folder: Path, command: Callable[..., Said]) -> None:
    out = folder / "done"
    (out / "runs/gru/seed-2/summary.json").unlink()
    shutil.rmtree(out / "runs/lstm/seed-2")
    assert command(out, "--report", "--quiet") == (0, "")
    states = {name: row["state"] for name, row in rows(out).items()}
    assert states.pop("gru/seed-2") == states.pop("lstm/seed-2") == "waiting"
    assert set(states.values()) == {"done"}
    shutil.rmtree(out / "runs")
    assert command(out, "--report", "--quiet") == (0, "")
    assert {row["state"] for row in rows(out).values()} == {"waiting"}


def test_options_that_a_report_has_no_use_for(folder: Path, command: Callable[..., Said]) -> None:
    for words in (["--jobs", 2], ["--set", "seeds=3"], ["--out", "x"], ["--retry"], ["--launcher", "ray"]):
        code, said = command(folder / "done", "--report", *words)
        assert code == 2 and f"{words[0]}: --report runs nothing" in said
    code, said = command(folder / "ablation.yaml", "--report")
    assert code == 2 and "takes the directory of an ablation" in said
    assert command(folder, "--report")[0] == 2
    (folder / "done/plan.json").write_text('{"format": 1, "tasks": [{}]}')
    code, said = command(folder / "done", "--report")
    assert code == 2 and "plan is damaged" in said


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    yield
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_it_refuses(folder: Path, command: Callable[..., Said]) -> None:
    file, out = folder / "ablation.yaml", folder / "done"

    def refused(out: object = out) -> str:
        with untouched(folder):
            code, said = command(file, "--out", out)
        assert code == 2, said
        return said

    with FileLock(out / "lock"):
        assert f"{out}: another process is running this ablation" in refused()
    assert "is a file" in refused(file)
    assert "holds something else than an ablation; --out names another place" in refused(folder)
    assert "can't be written" in refused("/proc/nowhere/out")
    lstm = {"model.cell.type": "lstm", "training.learning_rate": 0.5}
    variants = {"lstm": lstm, "gru": {"model.cell.type": "gru"}}
    write_ablation(folder, vary=None, variants=variants)
    assert "the run lstm/seed-1 had training.learning_rate None when the ablation began, now it is 0.5" in refused()
    change(folder / "base.yaml", "training.batch_size", 25)
    assert (
        "base.yaml" in (said := refused())
        and "had training.batch_size 20 when the ablation began, now it is 25" in said
    )


def test_killed_before_its_plan_was_written(tmp_path: Path, command: Callable[..., Said]) -> None:
    file = write_ablation(tmp_path, training={"learning_rate": -1})
    (tmp_path / "out").mkdir()
    for name in ("lock", ".plan.json.unfinished"):
        (tmp_path / "out" / name).touch()
    code, said = command(file, "--out", tmp_path / "out")
    assert code == 2 and "holds something else" not in said and "learning_rate" in said


@pytest.mark.slow
def test_no_room_on_the_disk(tmp_path: Path) -> None:
    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    ended = ablation(write_ablation(tmp_path, seeds=1), "--out", tmp_path / "out", preexec_fn=little_room)
    assert ended.returncode == 1 and "disk is full" in ended.stderr and "Traceback" not in ended.stderr
    again = ablation(tmp_path / "ablation.yaml", "--out", tmp_path / "out", "--retry")
    assert again.returncode == 0 and len(figures(tmp_path / "out")) == 2, again.stderr


def test_no_run_is_done(tmp_path: Path) -> None:
    sgd = {"optimizer": {"type": "sgd"}, "learning_rate": 1e9, "clip_norm": None}
    ended = ablation(write_ablation(tmp_path, training=sgd, seeds=1), "--out", tmp_path / "out")
    assert ended.returncode == 1 and "no run is done" in ended.stderr
    assert len(rows(tmp_path / "out")) == 2


@pytest.mark.slow
def test_the_screen_of_a_terminal(tmp_path: Path) -> None:
    """Long names are cut; nothing is wider than the terminal."""
    variants = {f"a very long name of a variant that no terminal has room for, number {n}": {} for n in (1, 2)}
    file = write_ablation(tmp_path, training={"epochs": 60}, vary=None, variants=variants, seeds=1)
    child, terminal = pty.fork()
    if child == 0:
        more = {"COLUMNS": "80", "LINES": "30", "TERM": "xterm-256color"}
        os.execve(RNNCLI, [RNNCLI, "ablate", str(file), "--out", str(tmp_path / "o"), "-j2"], {**os.environ, **more})
    written = b""
    try:
        while piece := os.read(terminal, 2**16):
            written += piece
    except OSError:
        pass  # how a terminal ends
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, written.decode()
    lines = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written.decode()).replace("\r", "\n").split("\n")
    table = [line for line in lines if re.search(r"…  +\d+/60 ", line)]
    assert table and all(len(line) <= 80 for line in table)
    assert any("0 of 2 runs are over, 2 left" in line for line in lines)
    assert any(re.search(r"rmse 0\.\d+ +\d+ s", line) for line in table)


def test_the_plan_names_no_place_of_this_machine_but_its_base(folder: Path) -> None:
    plan = json.loads((folder / "done/plan.json").read_text())
    assert {run["name"] for run in plan["runs"]} == set(rows(folder / "done"))
    assert plan["tasks"][0]["base"] == "../base.yaml"
