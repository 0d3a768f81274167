"""Rows of every kind to stream, and runs that answer them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.errors import DataError
from rnncli.runs.load import LoadedRun, refuse
from rnncli.runs.streaming import answers

from .small import config_of, trained

Row = Mapping[str, Any]
NAMES = ("east", "north", "west")
COLUMNS = ["hour", "place", "load", "wind", "sky", "level", "marks", "rise", "kind"]
NUMBERS = ("load", "wind")
Ending = list[str]


def table(steps: int = 90, gaps: float = 0.0, seed: int = 3) -> list[str]:
    """Lines of a table whose three series are mixed, with targets for each step (level, marks, rise) and for each
    series (kind); the header first.

    Args:
        gaps: share of the numbers that are missing.
    """
    draw = np.random.default_rng(seed)
    now, state = dict.fromkeys(NAMES, datetime(2024, 1, 1)), dict.fromkeys(NAMES, 0.0)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _ in range(steps):
        name = NAMES[draw.choice(3, p=[0.5, 0.3, 0.2])]
        now[name] += timedelta(hours=1)
        state[name] = 0.8 * state[name] + draw.normal()
        load, wind = (f"{value:.3f}" if draw.random() >= gaps else "" for value in (state[name], draw.normal()))
        level = "high" if state[name] > 0.3 else "low"
        marks = " ".join(mark for mark in ("a", "b") if draw.random() < 0.5)
        writer.writerow(
            [f"{now[name]:%Y-%m-%d %H:%M}", name, load, wind, draw.choice(["clear", "grey"]), level, marks,
             f"{state[name] ** 2:.3f}", "coast" if name == "east" else "inland"]
        )  # fmt: skip
    return out.getvalue().splitlines(keepends=True)


def series_config(file: Path, target: Mapping[str, Any], task: str = "many-to-many", **more: Any) -> dict[str, Any]:
    """A config on `table`; what is not named among `data` goes to the model."""
    own = {key: more.pop(key) for key in tuple(more) if key in DATA}
    inputs = ["wind"] if target["kind"] in ("forecast", "next") else list(NUMBERS)
    return {
        "task": task,
        "data": {
            "loader": "time-series", "train": str(file), "valid": str(file), "test": str(file), "series": "place",
            "time": "hour", "covariates": inputs, "categories": ["sky"], "target": dict(target), **own,
        },
        "model": {"cell": {"type": "gru", "hidden_size": 6}, **more},
        "training": {"epochs": 1, "batch_size": 8, "learning_rate": 0.05, "threads": 1},
    }  # fmt: skip


DATA = {"missing", "scaling", "scaling_per_series", "context", "horizon", "layout", "split", "valid", "test", "format",
        "series", "time", "categories", "covariates"}  # fmt: skip


def loaded(plain: dict[str, Any], folder: Path) -> LoadedRun:
    """A run of that config, trained in a moment."""
    trained(config_of(plain, folder), folder / "run")
    return LoadedRun(folder / "run")


def told(
    run: LoadedRun, lines: list[str], state: Path | None = None, bad: list[DataError] | None = None
) -> list[dict[str, Any]]:
    """The answers to a stream of these lines."""
    source = io.BytesIO("".join(lines).encode())
    return [dict(row) for row in answers(run, source, refuse if bad is None else bad.append, True, state)]


def batch(run: LoadedRun, lines: list[str]) -> list[dict[str, Any]]:
    """The same without --stream."""
    return [dict(row) for row in run.rows(io.BytesIO("".join(lines).encode()), refuse, True)]


def assert_alike(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    """The same rows, numbers within 1e-5."""
    assert [list(row) for row in found] == [list(row) for row in expected]
    for one, other in zip(found, expected, strict=True):
        for key, value in other.items():
            if isinstance(value, float):
                np.testing.assert_allclose(one[key], value, atol=1e-5, rtol=1e-5, err_msg=key)
            else:
                assert one[key] == value


def in_halves(
    run: LoadedRun, lines: list[str], head: int, cut: int, state: Path, bad: list[DataError] | None = None
) -> list[dict[str, Any]]:
    """The answers of two streams, the second of which goes on from the state of the first; both begin with the first
    `head` lines. Each has a run of its own in memory, as two processes have."""
    found = told(LoadedRun(run.directory.path), lines[:cut], state, bad)
    return found + told(LoadedRun(run.directory.path), lines[:head] + lines[cut:], state, bad)
