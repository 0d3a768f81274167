"""Small files of every kind and configs that train on them in a moment."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnncli.config import read
from rnncli.runs.config import RunConfig
from rnncli.runs.train import train

GOOD, BAD = ["fine", "great", "lovely", "bright", "warm"], ["poor", "dull", "cold", "sad", "grim"]
OTHER = ["the", "film", "was", "a", "story", "of", "some", "people", "in", "town"]


class Disk:
    """A disk that refuses writes.

    Attributes:
        room: how many writes it still takes.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room, self._fsync = 0, os.fsync
        monkeypatch.setattr(os, "fsync", self._write)

    def _write(self, descriptor: int) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._fsync(descriptor)


def write_texts(path: Path, count: int = 80, seed: int = 1) -> Path:
    """A table of texts of 1 to 12 words, with a class (good, bad), a number and labels."""
    draw = random.Random(seed)
    lines = ["text,label,grade,about"]
    for row in range(count):
        words = [draw.choice(OTHER) for _ in range(draw.randrange(10))]
        label = draw.choice(["good", "bad"])
        words += [draw.choice(GOOD if label == "good" else BAD), f"no{row}"]
        draw.shuffle(words)
        lines.append(f"{' '.join(words)},{label},{len(words)},{'film town' if 'film' in words else 'town'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_story(path: Path, lines: int = 60, seed: int = 1) -> Path:
    draw = random.Random(seed)
    text = [" ".join(draw.choice(OTHER + GOOD) for _ in range(draw.randrange(3, 9))) for _ in range(lines)]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def write_series(path: Path, steps: int = 120) -> Path:
    lines = [f"2024-01-{1 + step // 24:02d} {step % 24:02d}:00,{10 + step % 24 + step % 5}" for step in range(steps)]
    path.write_text("\n".join(["time,load", *lines]) + "\n", encoding="utf-8")
    return path


def texts_config(file: Path, **training: Any) -> dict[str, Any]:
    return {
        "task": "many-to-one",
        "data": {"loader": "text", "train": str(file), "target": {"kind": "class", "column": "label"}},
        "model": {"cell": {"type": "lstm", "hidden_size": 6}, "embedding_size": 5, "dropout": {"embedding": 0.1}},
        "training": {"epochs": 2, "batch_size": 8, "learning_rate": 0.02, "threads": 1, **training},
    }


def story_config(file: Path, **training: Any) -> dict[str, Any]:
    return {
        "task": "many-to-many",
        "data": {"loader": "text", "train": str(file), "format": "lines", "target": {"kind": "next"}},
        "model": {"cell": {"type": "lstm", "hidden_size": 6}, "embedding_size": 5},
        "training": {"epochs": 2, "batch_size": 4, "bptt_steps": 7, "threads": 1, **training},
    }


def series_config(file: Path, **training: Any) -> dict[str, Any]:
    target = {"kind": "forecast", "columns": "load"}
    return {
        "task": "many-to-many",
        "data": {
            "loader": "time-series", "train": str(file), "time": "time", "target": target, "context": 8, "horizon": 3
        },
        "model": {"cell": {"type": "gru", "hidden_size": 6}},
        "training": {"epochs": 2, "batch_size": 8, "threads": 1, **training},
    }  # fmt: skip


def write_config(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def config_of(plain: dict[str, Any], folder: Path, *overrides: str) -> RunConfig:
    return read(write_config(folder / "config.yaml", plain), RunConfig, overrides)


def trained(config: RunConfig, path: Path, **how: bool) -> dict[str, Any]:
    """The summary of a training."""
    *_, last = train(config, path, **how)
    return last.summary


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    before = contents(folder)
    yield
    assert contents(folder) == before, "something on disk has changed"
