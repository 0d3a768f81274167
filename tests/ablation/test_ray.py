"""The launcher of Ray against that of local processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rnncli.ablation.ablate import ablate
from rnncli.ablation.collect import study
from rnncli.ablation.directory import AblationDirectory
from rnncli.ablation.launcher import Began, Launcher, Over
from rnncli.ablation.launchers import launcher_named
from rnncli.ablation.plan import Plan, read_ablation
from rnncli.ablation.processes import local
from rnncli.ablation.study import Row
from rnncli.cli.ablate import ablate as command
from rnncli.errors import MissingExtra, UserError

BASE = """
task: many-to-one
data:
  loader: synthetic
  name: adding
  length: 11
  sizes: {train: 300, valid: 60, test: 70}
model:
  cell: {type: lstm, hidden_size: 7}
training: {epochs: 2, batch_size: 20}
"""

ABLATION = """
base: base.yaml
variants:
  lstm: {}
  gru: {model.cell.type: gru, model.dropout: {recurrent: 0.3}}
  long: {training.epochs: 40}
  broken: {training.learning_rate: 1.0e+30}
seeds: 2
metric: test.mse
"""

PATIENCE = 120.0
"""Seconds that something may take to happen."""


def until(happened: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < ends
        time.sleep(0.02)


def holder(file: Path) -> int | None:
    """The process that has a file open, other than this one."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = any(entry.readlink() == file for entry in (process / "fd").iterdir())
        except OSError:  # not ours, or gone
            continue
        if held and process.name != str(os.getpid()):
            return int(process.name)
    return None


def kill(run: Path, times: int, killed: list[int]) -> None:
    """Kills the process of a run in its midst, and that which goes on with it."""
    until((run / "checkpoint/last.safetensors").exists)
    for _ in range(times):
        until(lambda: holder(run / "lock") not in (None, *killed))
        process = holder(run / "lock")
        if process is not None:
            os.kill(process, signal.SIGKILL)
            killed.append(process)


@dataclass
class Ablated:
    """An ablation that was run; run -> what was killed of it."""

    path: Path
    rows: Mapping[str, Row]
    began: list[str] = field(default_factory=list)
    killed: dict[str, list[int]] = field(default_factory=dict)

    def summary(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / "runs" / run / "summary.json").read_text())
        del found["seconds"]
        return found


def run(
    folder: Path, out: Path, launcher: Callable[[AblationDirectory], Launcher], kills: Mapping[str, int]
) -> Ablated:
    file = folder / "ablation.yaml"
    ablated = Ablated(out, {}, killed={name: [] for name in kills})
    threads = []
    for event in ablate(Plan(read_ablation(file, None, []), file), out, launcher):
        if isinstance(event, Began):
            name = event.job.planned.name
            ablated.began.append(name)
            if name in kills and ablated.began.count(name) == 1:
                arguments = (event.job.run, kills[name], ablated.killed[name])
                threads.append(threading.Thread(target=kill, args=arguments))
                threads[-1].start()
    for thread in threads:
        thread.join()
    ablated.rows = {row.path.removeprefix("runs/"): row for row in study(out).rows}
    return ablated


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    """No cluster that happens to be there is joined."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", "local")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ray")
    (folder / "base.yaml").write_text(BASE)
    (folder / "ablation.yaml").write_text(ABLATION)
    return folder


@pytest.fixture(scope="module")
def by_processes(folder: Path) -> Ablated:
    return run(folder, folder / "local", lambda directory: local(1, 1, directory.log), {})


@pytest.fixture(scope="module")
def by_ray(folder: Path) -> Ablated:
    pytest.importorskip("ray", reason="ray is not installed")
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    ablated = run(folder, folder / "ray", launcher_named("ray", 2, 1), {"long/seed-1": 1, "long/seed-2": 2})
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    return ablated


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lstm/seed-1", "lstm/seed-2", "gru/seed-1", "gru/seed-2", "long/seed-1"])
def test_figures_are_those_of_the_local_launcher(by_processes, by_ray, name):
    assert by_ray.summary(name) == by_processes.summary(name)
    assert by_ray.rows[name].curve == by_processes.rows[name].curve
    assert by_ray.rows[name].threads == 1


@pytest.mark.slow
def test_a_variant_that_fails_is_a_row_with_its_reason(by_processes, by_ray):
    for name in ("broken/seed-1", "broken/seed-2"):
        row = by_ray.rows[name]
        assert row.state == "failed" and "loss inf at step" in row.reason
        assert row.reason == by_processes.rows[name].reason
        assert by_ray.began.count(name) == 1


@pytest.mark.slow
def test_a_run_whose_process_is_killed_once_goes_on_where_it_was(by_ray):
    assert len(by_ray.killed["long/seed-1"]) == 1
    assert by_ray.rows["long/seed-1"].state == "done" and by_ray.began.count("long/seed-1") == 2
    assert "going on after step" in (by_ray.path / "runs/long/seed-1/log.txt").read_text()


@pytest.mark.slow
def test_a_run_that_takes_its_process_down_twice_has_failed(by_ray):
    row = by_ray.rows["long/seed-2"]
    assert len(set(by_ray.killed["long/seed-2"])) == 2
    assert row.state == "failed" and "2 times" in row.reason and "The worker died" in row.reason


@pytest.mark.slow
def test_a_node_that_does_not_see_the_directory(folder, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed")
    file = folder / "ablation.yaml"
    plan = Plan(read_ablation(file, None, ["seeds=1"]), file)
    events = ablate(plan, tmp_path / "out", launcher_named("ray", 1, 1))
    for event in events:
        if isinstance(event, Began) and event.job.planned.variant == "lstm":
            event.job.config.unlink()  # long before a process of Ray has started
        if isinstance(event, Over):
            events.close()
            break
    assert event.state == "failed" and "not there on the node" in event.reason and "share" in event.reason
    row = next(row for row in study(tmp_path / "out").rows if row.variant == "lstm")
    assert row.state == "failed" and row.reason == event.reason


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_runs_in_the_midst_of_an_epoch(folder, tmp_path, number, code):
    pytest.importorskip("ray", reason="ray is not installed")
    sizes = "data.sizes.train=100000"  # an epoch takes minutes
    options = ["--set", sizes, "--launcher", "ray", "--jobs", "2", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "rnncli", "ablate", str(folder / "ablation.yaml"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    runs = [tmp_path / "out/runs" / name / "seed-1" for name in ("lstm", "gru")]
    until(lambda: all((run / "log.txt").exists() for run in runs) or process.poll() is not None)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, err
    assert "go on with: rnncli ablate" in err and "Traceback" not in err and not out
    for each in runs:
        assert (each / "checkpoint/last.safetensors").exists() and not (each / "failed.json").exists()
        assert holder(each / "lock") is None


def test_a_pruner_is_refused(folder, tmp_path):
    file = tmp_path / "pruned.yaml"
    search = "search: {trials: 9, pruner: median, space: {training.clip_norm: log-uniform 0.1 10}}\n"
    file.write_text(ABLATION.replace("base.yaml", str(folder / "base.yaml")) + search)
    with pytest.raises(UserError, match=r"search\.pruner: median: .* --launcher local"):
        command(file, launcher="ray", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"--launcher ray needs the package ray: pip install 'rnncli\[ablate\]'"):
        launcher_named("ray", 2, 1)
