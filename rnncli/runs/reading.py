"""Configs: the user's own, and those of runs, whose code may be someone else's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rnncli import config
from rnncli.config.overrides import Change
from rnncli.runs.config import RunConfig

ABOUT = "run.json"
"""The file that every run directory has."""


def read_config(path: Path, overrides: Sequence[str | Change] = (), *, allow_code: bool = False) -> RunConfig:
    """The config in a file or a run directory, with overrides on top.

    Args:
        allow_code: execute the code of a run's own cell, whoever trained it. That of a config that belongs to no run is
            executed in any case.

    Raises:
        ConfigError: all mistakes.
        UserError: the config is of a run, and its code must be allowed first.
    """
    if path.is_dir():
        from rnncli.runs.directory import RunDirectory  # needs torch

        return RunDirectory.open(path).read_config(overrides, allow_code=allow_code)
    with code_beside(path, allow_code):
        return config.read(path, RunConfig, overrides)


def code_beside(path: Path, allow_code: bool) -> AbstractContextManager[None]:
    """Within, what may be executed of the code beside a file: all, but in a run directory only the run's own.

    Raises:
        UserError: it is a run's, and must be allowed first.
    """
    if not (path.parent / ABOUT).exists():
        return nullcontext()
    from rnncli.runs.directory import RunDirectory  # needs torch

    return RunDirectory.open(path.parent).executing(allow_code)
