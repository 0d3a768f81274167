"""Configs: the user's own, and those of runs, whose code may be someone else's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnncli import config
from rnncli.runs.config import RunConfig

ABOUT = "run.json"
"""The file that every run directory has."""


def read_config(path: Path, overrides: Sequence[str] = (), *, allow_code: bool = False) -> RunConfig:
    """The config in a file or a run directory, with overrides on top.

    Args:
        allow_code: execute the code of a run's own cell, whoever trained it. That of a config that belongs to no run is
            executed in any case.

    Raises:
        ConfigError: all mistakes.
        UserError: the config is of a run, and its code must be allowed first.
    """
    folder = path if path.is_dir() else path.parent
    if not path.is_dir() and not (folder / ABOUT).exists():
        return config.read(path, RunConfig, overrides)
    from rnncli.runs.directory import RunDirectory  # needs torch

    directory = RunDirectory.open(folder)
    if path.is_dir():
        return directory.read_config(overrides, allow_code=allow_code)
    with directory.executing(allow_code):
        return config.read(path, RunConfig, overrides)
