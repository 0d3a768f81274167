"""The shipped configs and the samples they train on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from math import isfinite
from pathlib import Path
from typing import get_args

import pytest

from rnncli.config import read, schema
from rnncli.inputs.answer_settings import AnswerSettings
from rnncli.inputs.audio.settings import AudioTarget
from rnncli.inputs.captions.settings import CaptionSettings
from rnncli.inputs.catalogue import LOADER_SETTINGS
from rnncli.inputs.targets import TaskMode
from rnncli.inputs.text.settings import TextTarget
from rnncli.inputs.time_series.settings import SeriesTarget
from rnncli.runs.check import check_run
from rnncli.runs.config import RunConfig
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun
from rnncli.runs.train import train

ROOT = Path(__file__).parent.parent
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
BENCHMARKS = sorted((ROOT / "configs" / "benchmarks").glob("*.yaml"))
DATA = os.environ.get("RNNCLI_DATA")
ROOT_OPTION = re.compile(r"--set data\.root=(\$RNNCLI_DATA/\S+)")


def named(path: Path) -> str:
    return path.stem


def small(path: Path, *overrides: str) -> RunConfig:
    """The config, cut down to a quick try."""
    overrides = ("training.epochs=1", "training.device=cpu", *overrides)
    # Rows of series are left whole: a split counts them, and the samples of series are small as they are.
    if read(path, RunConfig).data.loader != "time-series":
        overrides = (*overrides, "training.limit=100")
    return read(path, RunConfig, overrides)


def header(path: Path) -> str:
    """The comments before the first option."""
    return path.read_text().split("\ntask:")[0]


def test_samples_are_what_their_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "data" / "make_samples.py", tmp_path], check=True)
    written = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    ours = {".py", ".pyc", ".md"}
    kept = [path for path in (ROOT / "data").rglob("*") if path.is_file() and path.suffix not in ours]
    assert written == {path.relative_to(ROOT / "data"): path.read_bytes() for path in kept}
    assert sum(map(len, written.values())) < 1_600_000


def test_samples_are_all_explained_and_used() -> None:
    explained = (ROOT / "data" / "README.md").read_text()
    used = "".join(path.read_text() for path in CONFIGS)
    for path in (ROOT / "data").iterdir():
        if path.suffix in (".csv", ".txt", ".json", ".zip") or path.name in ("reviews", "entities"):
            assert f"`{path.name}" in explained
            assert f"../data/{path.name}" in used


def test_schema_for_editors_is_up_to_date() -> None:
    kept = json.loads((ROOT / "configs" / "schema.json").read_text())
    assert kept == schema(RunConfig), "write it anew: rnncli describe schema > configs/schema.json"


@pytest.mark.parametrize("path", CONFIGS + BENCHMARKS, ids=named)
def test_config_is_valid_and_says_how_it_is_used(path: Path) -> None:
    read(path, RunConfig)
    assert re.search(rf"^# rnncli train {path.relative_to(ROOT).as_posix()}( |$)", header(path), re.M)
    modeline = re.search(r"^# yaml-language-server: \$schema=(\S+)$", header(path), re.M)
    assert modeline is not None
    assert (path.parent / modeline[1]).resolve() == ROOT / "configs" / "schema.json"


def test_every_task_and_every_kind_of_target_of_each_loader_has_a_config() -> None:
    found = [read(path, RunConfig) for path in CONFIGS]
    assert {config.task for config in found} == set(get_args(TaskMode))
    assert {config.data.loader for config in found} == set(LOADER_SETTINGS)
    allowed = {("text", kind) for kind in get_args(TextTarget.model_fields["kind"].annotation)}
    allowed |= {("time-series", kind) for kind in get_args(SeriesTarget.model_fields["kind"].annotation)}
    allowed |= {("pairs", kind) for kind in get_args(AnswerSettings.model_fields["kind"].annotation)}
    allowed |= {("captions", kind) for kind in get_args(CaptionSettings.model_fields["kind"].annotation)}
    allowed |= {("audio", kind) for kind in get_args(AudioTarget.model_fields["kind"].annotation)}
    targets = ((config.data.loader, getattr(config.data, "target", None)) for config in found)
    assert {(loader, target.kind) for loader, target in targets if hasattr(target, "kind")} == allowed


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_config_trains_and_is_evaluated(path: Path, tmp_path: Path) -> None:
    for _ in train(small(path), tmp_path / "run"):
        pass
    found = evaluate_run(LoadedRun(tmp_path / "run"), None, "test")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert found.values.keys() == summary["test"].keys()
    for name, value in summary["test"].items():
        assert found.values[name] == pytest.approx(value, rel=1e-5), name
    assert summary["baseline"].keys() & summary["test"].keys()


@pytest.mark.skipif(DATA is None, reason="needs RNNCLI_DATA, the folder of real files")
@pytest.mark.parametrize("path", BENCHMARKS, ids=named)
def test_benchmark_begins(path: Path) -> None:
    root = ROOT_OPTION.search(header(path))
    assert root is not None
    found = check_run(small(path, f"data.root={os.path.expandvars(root[1])}"))
    assert {"train", "valid"} <= found.sizes.keys()
    assert min(found.sizes.values()) > 0
    assert isfinite(found.loss)
