"""The directory of an ablation: the only code that knows its file names.

plan.json        format version, what is compared by what, and every run that is planned
ablation.yaml    the settings, complete
configs/         the complete config of each run that was begun: `rnncli train` makes the run again
runs/            run directories: <task>/<variant>/<trial>/<seed>, as far as there are several
log.txt          what the processes of the runs wrote to standard error
lock             held while the ablation is run
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

import rnncli
from rnncli import config
from rnncli.ablation.settings import AblationSettings
from rnncli.errors import RunError
from rnncli.runs.config import RunConfig
from rnncli.runs.whole_files import read_json, write_json, write_whole, writing

FORMAT = 1


class AblationDirectory:
    """One ablation on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs = path / "runs"
        self.log = path / "log.txt"
        self._plan = path / "plan.json"
        self._settings = path / "ablation.yaml"
        self._lock = path / "lock"

    @property
    def begun(self) -> bool:
        """Whether an ablation stands here."""
        return self._plan.exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the ablation, in a directory that is made for it; the lock dies with the process.

        Raises:
            RunError: another process holds it, the directory can't be written or holds something else.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunError(f"{self.path}: is a file; an ablation needs a directory")
        if self.path.is_dir() and not self.begun and not all(self._comes_first(each) for each in self.path.iterdir()):
            raise RunError(f"{self.path}: holds something else than an ablation; --out names another place")
        lock = FileLock(self._lock)
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise RunError(f"{self.path}: another process is running this ablation") from error
        try:
            yield
        finally:
            lock.release()
            if self.path.is_dir() and all(entry == self._lock for entry in self.path.iterdir()):  # nothing came of it
                self._lock.unlink(missing_ok=True)
                self.path.rmdir()

    def _comes_first(self, entry: Path) -> bool:
        """Whether it may stand there before the plan does, when an ablation was killed as it began."""
        return entry == self._lock or entry.name.startswith(f".{self._plan.name}.")

    def run(self, name: str) -> Path:
        """The run directory of a run."""
        return self.runs / name

    def config(self, name: str) -> Path:
        """The config of a run."""
        return self.path / "configs" / f"{name}.yaml"

    def write_config(self, name: str, settings: RunConfig) -> None:
        """Writes the complete config of a run."""
        path = self.config(name)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, config.write(settings).encode())

    def write_plan(self, settings: AblationSettings, plan: Mapping[str, Any]) -> None:
        """Writes what is to be done, and by which settings."""
        write_json(self._plan, {"format": FORMAT, "rnncli": rnncli.__version__, **plan})  # it makes an ablation of it
        write_whole(self._settings, config.write(settings).encode())

    def read_plan(self) -> dict[str, Any]:
        """What is to be done.

        Raises:
            RunError: there is no ablation, or one of another format.
        """
        if not self.path.is_dir():
            raise RunError(f"{self.path}: no such directory of an ablation")
        if not self.begun:
            raise RunError(f"{self.path}: not the directory of an ablation ({self._plan.name} is missing)")
        found = read_json(self._plan)
        if found.get("format") != FORMAT:
            raise RunError(
                f"{self.path}: the ablation has format {found.get('format')}, written by rnncli "
                f"{found.get('rnncli', 'of an unknown version')}; this is rnncli {rnncli.__version__}, which reads "
                f"format {FORMAT}"
            )
        return found

    def relative(self, path: Path) -> str:
        """A path as a plan keeps it, so that an ablation can be moved with its configs."""
        return os.path.relpath(path, self.path)
