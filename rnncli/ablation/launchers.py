"""The launchers by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from rnncli.ablation.launcher import Launcher
from rnncli.ablation.processes import local, started_ahead

if TYPE_CHECKING:
    from rnncli.ablation.directory import AblationDirectory

LauncherName = Literal["local", "ray"]
LauncherFor = Callable[["AblationDirectory"], Launcher]
"""The launcher of an ablation in its directory."""


def launcher_named(name: LauncherName, jobs: int, threads: int) -> LauncherFor:
    """The launcher of that name.

    Args:
        jobs: runs at the same time.
        threads: of each of them.

    Raises:
        MissingExtra: ray is not installed, and wanted.
    """
    if name == "local":
        return lambda directory: local(jobs, threads, directory.log)
    from rnncli.ablation.ray_cluster import on_ray

    launcher = on_ray(jobs, threads)
    return lambda directory: launcher


@contextmanager
def launcher_ready(name: LauncherName, jobs: int, threads: int, ahead: int) -> Iterator[LauncherFor]:
    """As `launcher_named`; of local processes so many are started at once, and ended with the context.

    Raises:
        MissingExtra: ray is not installed, and wanted.
    """
    if name != "local":
        yield launcher_named(name, jobs, threads)
        return
    with started_ahead(ahead, threads) as workers:
        yield lambda directory: local(jobs, threads, directory.log, workers)
