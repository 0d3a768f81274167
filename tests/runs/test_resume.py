"""A run that was killed at any moment ends with the bits of the run that was never killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
import torch

from rnncli.errors import TrainingStopped
from rnncli.runs.train import train

from .small import (
    Disk,
    config_of,
    contents,
    story_config,
    texts_config,
    trained,
    write_config,
    write_story,
    write_texts,
)


def language_model(folder: Path, **training: Any) -> dict[str, Any]:
    """Everything that must survive: dropout, carried state, plateau, averaging, momentum, places within an epoch."""
    options = {
        "epochs": 4,
        "learning_rate": 0.1,
        "schedule": {"type": "plateau", "patience": 0, "factor": 0.8},
        "averaging": {"type": "exponential", "decay": 0.9, "start": 2},
        "clip_norm": 0.3,
        "warmup_steps": 5,
        "checkpoint_steps": 3,
        "evaluation_steps": 7,
    }
    config = story_config(write_story(folder / "story.txt", lines=140), **(options | training))
    config["model"] |= {
        "layers": 2,
        "dropout": {"embedding": 0.1, "variational": 0.1, "between_layers": 0.2, "output": 0.1},
    }
    return config


def without_times(tree: Any) -> Any:
    if isinstance(tree, dict):
        timed = ("seconds", "items_per_second")
        return {key: without_times(value) for key, value in tree.items() if key not in timed}
    return tree


def figures(run: Path) -> dict[str, Any]:
    """All that two runs of the same config have in common, bit for bit."""
    metrics = (run / "metrics.jsonl").read_text().splitlines()
    return {
        "weights": (run / "weights.safetensors").read_bytes(),
        "metrics": [without_times(json.loads(line)) for line in metrics],
        "summary": without_times(json.loads((run / "summary.json").read_text())),
    }


PRELOADED = ["rnncli.cli.app", "rnncli.cli.screen", "rnncli.runs.train", "rnncli.inputs.text.loader", "torch._dynamo"]
"""What a training imports (torch._dynamo when the first optimizer is built)."""


def command(words: list[str], said: Path) -> None:
    """`rnncli` with these words; what it says goes to a file. Runs in a process of its own."""
    with said.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.argv = ["rnncli", *words]
    from rnncli.cli import main

    main()


def started(words: list[str], said: Path) -> ForkServerProcess:
    """The command in a real process, for which torch need not be loaded anew."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=command, args=(words, said))
    process.start()
    return process


def killed_and_resumed(config: Path, run: Path, kills: int, seconds: float, seed: int) -> int:
    """Trains, killed so many times within so many seconds of a start, until it ends; how often it was alive."""
    draw = random.Random(seed)
    sittings = 0
    while not (run / "summary.json").exists():
        resume = ["--resume"] if run.exists() else []
        process = started(["train", str(config), "--out", str(run), *resume], run.with_suffix(".said"))
        sittings += 1
        if sittings <= kills:
            process.join(draw.uniform(0.05, seconds))
            process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), run.with_suffix(".said").read_text()
    return sittings


def test_killed_at_random_moments(tmp_path: Path) -> None:
    config = write_config(tmp_path / "lm.yaml", language_model(tmp_path))
    assert killed_and_resumed(config, tmp_path / "whole", 0, 0, 0) == 1
    seconds = json.loads((tmp_path / "whole" / "summary.json").read_text())["seconds"]["total"]
    sittings = killed_and_resumed(config, tmp_path / "killed", kills=8, seconds=seconds / 4 + 0.2, seed=1)
    assert sittings > 1, "it was killed at least once"
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")
    reduced = {line["learning_rate"] for line in figures(tmp_path / "whole")["metrics"]}
    assert len(reduced) > 2, "the plateau was reached"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_killed_at_many_random_moments(seed: int, tmp_path: Path) -> None:
    config = write_config(tmp_path / "lm.yaml", language_model(tmp_path, checkpoint_steps=1, epochs=8))
    killed_and_resumed(config, tmp_path / "whole", 0, 0, 0)
    seconds = json.loads((tmp_path / "whole" / "summary.json").read_text())["seconds"]["total"]
    sittings = killed_and_resumed(config, tmp_path / "killed", kills=40, seconds=seconds / 8 + 0.2, seed=seed)
    assert sittings > 2, "it was killed more than once"
    assert figures(tmp_path / "killed") == figures(tmp_path / "whole")


def until(condition: Callable[[], bool]) -> None:
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise TimeoutError


def lines_in(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


def test_signals_save_and_say_how_to_go_on(tmp_path: Path) -> None:
    plain = language_model(tmp_path, epochs=8, checkpoint_steps=None)
    run, said = tmp_path / "my run", tmp_path / "said"
    words = ["train", str(write_config(tmp_path / "lm.yaml", plain)), "--out", str(run)]
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        known = lines_in(run / "metrics.jsonl")
        process = started(words, said)
        until(lambda known=known: lines_in(run / "metrics.jsonl") > known + 1)
        os.kill(process.pid, number)
        process.join()
        assert process.exitcode == code, said.read_text()
        assert "Traceback" not in said.read_text()
        assert not (run / "summary.json").exists()
        told = said.read_text().split("saved; go on with: ")[1]
        name, *words = shlex.split(told)
        assert name == "rnncli"
    process = started(words, said)
    process.join()
    assert "going on after step" in said.read_text()
    trained(config_of(plain, tmp_path), tmp_path / "whole")
    assert figures(run) == figures(tmp_path / "whole")


def test_stopped_at_every_event_the_run_writes_the_same_files(tmp_path: Path) -> None:
    config = config_of(texts_config(write_texts(tmp_path / "texts.csv"), evaluation_steps=3), tmp_path)
    count = sum(1 for _ in train(config, tmp_path / "whole"))
    events = train(config, tmp_path / "parted")
    for moment in range(1, count):
        list(islice(events, moment))
        events.close()  # as a kill between two events: what is not in a file is lost
        events = train(config, tmp_path / "parted", resume=True)
    list(events)
    assert figures(tmp_path / "parted") == figures(tmp_path / "whole")


def test_same_seed_same_bits_other_seed_other_bits(tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> bytes:
        plain = texts_config(write_texts(tmp_path / "texts.csv"), seed=seed)
        trained(config_of(plain, tmp_path), tmp_path / name)
        return (tmp_path / name / "weights.safetensors").read_bytes()

    first = weights("a", 1)
    assert first == weights("b", 1) != weights("c", 2)


def test_a_full_disk_at_any_write_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system refuses one write after another; each time the run says so and goes on from what was saved."""
    config = config_of(texts_config(write_texts(tmp_path / "texts.csv"), epochs=2, checkpoint_steps=5), tmp_path)
    trained(config, tmp_path / "whole")
    disk = Disk(monkeypatch)
    run, refusals = tmp_path / "run", 0
    for room in range(40):
        disk.room = room % 6  # begins with three files; an evaluation writes two, a checkpoint one
        kept = {name: content for name, content in contents(run).items() if name != "log.txt"} if run.exists() else {}
        try:
            trained(config, run, resume=run.exists())
            break
        except TrainingStopped as stopped:
            refusals += 1
            assert "the disk is full (No space left on device); what was saved before is whole" in str(stopped)
            assert kept.keys() <= (contents(run).keys() if run.exists() else set())
            assert not any("unfinished" in name for name in contents(run))
    assert refusals > 6
    assert figures(run) == figures(tmp_path / "whole")


def test_no_room_for_a_checkpoint_ends_with_a_sentence(tmp_path: Path) -> None:
    plain = texts_config(write_texts(tmp_path / "texts.csv"), epochs=1)
    config, run = config_of(plain, tmp_path), tmp_path / "run"
    trained(config, run)
    before = contents(run)

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    ended = subprocess.run(
        [sys.executable, "-m", "rnncli", "train", str(run), "--resume", "--set", "training.epochs=3"],
        capture_output=True, text=True, check=False, preexec_fn=little_room,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stderr
    assert "the disk is full" in ended.stderr and "Traceback" not in ended.stderr
    for name in ("checkpoint/last.safetensors", "weights.safetensors"):
        assert (run / name).read_bytes() == before[name]
    assert trained(config_of(plain, tmp_path, "training.epochs=3"), run, resume=True)["epochs"] == 3


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    plain = texts_config(write_texts(tmp_path / "texts.csv"), epochs=50, optimizer={"type": "sgd"}, learning_rate=4.0)
    plain["data"]["target"] = {"kind": "value", "column": "grade"}
    config, run = config_of(plain, tmp_path), tmp_path / "run"
    advice = r"(loss|weights) .*step \d+ \(epoch \d+\); norm of the last gradient .*training\.clip_norm.*kept"
    with pytest.raises(TrainingStopped, match=advice) as caught:
        trained(config, run)
    assert caught.value.exit_code == 1
    from rnncli.runs.directory import RunDirectory

    tensors, about = RunDirectory(run).read_checkpoint()
    assert about["progress"]["epoch"] >= 1
    assert all(bool(value.isfinite().all()) for value in tensors.values() if value.is_floating_point())
    weights = RunDirectory(run).read_weights()
    assert all(bool(torch.isfinite(value).all()) for value in weights.values())
