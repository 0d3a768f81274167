"""The run directory: the only code that knows its file names.

run.json                format version of the directory, version of rnncli
config.yaml             the configuration, complete
fitted.json             what was fitted on the training part: vocabularies, scales, classes
weights.safetensors     the best weights so far
checkpoint/last.safetensors   all that is needed to go on bit for bit
metrics.jsonl           one line an evaluation
summary.json            final figures, when the run is over
log.txt                 what was said on the way
lock                    held while the run is written
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import Tensor

import rnncli
from rnncli import config
from rnncli.errors import RunError
from rnncli.runs.config import RunConfig
from rnncli.runs.whole_files import read_json, read_tensors, write_json, write_tensors, write_whole

FORMAT = 1


class RunDirectory:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.weights_file = path / "weights.safetensors"
        self.checkpoint_file = path / "checkpoint" / "last.safetensors"
        self.summary_file = path / "summary.json"
        self._about = path / "run.json"
        self._config = path / "config.yaml"
        self._fitted = path / "fitted.json"
        self._metrics = path / "metrics.jsonl"
        self._log = path / "log.txt"

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """An existing run.

        Raises:
            RunError: no run, or one of a format that this version does not read.
        """
        directory = cls(path)
        if not path.is_dir():
            raise RunError(f"{path}: no such run directory")
        if not directory._about.exists():
            raise RunError(f"{path}: not a run directory (run.json is missing)")
        found = read_json(directory._about)
        version = found.get("format") if isinstance(found, dict) else None
        if version != FORMAT:
            by = found.get("rnncli", "an unknown version") if isinstance(found, dict) else "an unknown version"
            raise RunError(
                f"{path}: the run has format {version}, written by rnncli {by}; "
                f"this is rnncli {rnncli.__version__}, which reads format {FORMAT}"
            )
        return directory

    @property
    def begun(self) -> bool:
        return self._about.exists() and self._config.exists()

    def create(self, force: bool) -> None:
        """Makes the directory, empty.

        Raises:
            RunError: something stands there already; with `force` only what is no run is refused.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            if not force:
                raise RunError(
                    f"{self.path}: exists already; --resume goes on with it, --force begins anew, --out names another"
                )
            if not self._about.exists():
                raise RunError(f"{self.path}: is not a run directory, so --force does not clear it")
            with self.locked():
                for entry in self.path.iterdir():
                    if entry.is_dir():
                        shutil.rmtree(entry)
                    elif entry.name != "lock":
                        entry.unlink()
        self.path.mkdir(parents=True, exist_ok=True)
        self.checkpoint_file.parent.mkdir(exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the run for writing; the lock dies with the process.

        Raises:
            RunError: another process holds it.
        """
        lock = FileLock(self.path / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise RunError(f"{self.path}: another process is writing this run") from error
        try:
            yield
        finally:
            lock.release()

    def write_config(self, settings: RunConfig) -> None:
        write_json(self._about, {"format": FORMAT, "rnncli": rnncli.__version__})
        write_whole(self._config, config.write(settings).encode())

    def read_config(self) -> RunConfig:
        if not self._config.exists():
            raise RunError(f"{self._config}: not there; the run directory is not complete")
        return config.read(self._config, RunConfig)

    def write_fitted(self, loader: Mapping[str, Any]) -> None:
        write_json(self._fitted, loader)

    def read_fitted(self) -> dict[str, Any]:
        fitted = read_json(self._fitted)
        if not isinstance(fitted, dict):
            raise RunError(f"{self._fitted}: damaged; restore it from a copy of the run")
        return fitted

    def fitted_is(self, loader: Mapping[str, Any]) -> bool:
        """Whether what a loader has fitted is what stands here. (JSON knows no tuples: texts are compared.)"""
        return json.dumps(loader, sort_keys=True) == json.dumps(self.read_fitted(), sort_keys=True)

    def fitted_hash(self) -> str:
        """Stands beside the weights too, so that weights and vocabulary can't be of different runs."""
        return hashlib.sha256(self._fitted.read_bytes()).hexdigest()

    def write_weights(self, tensors: Mapping[str, Tensor]) -> None:
        write_tensors(self.weights_file, tensors, {"fitted": self.fitted_hash()})

    def read_weights(self) -> dict[str, Tensor]:
        """The best weights.

        Raises:
            RunError: damaged, or trained with another vocabulary or scale than `fitted.json` has now.
        """
        tensors, about = read_tensors(self.weights_file)
        self._check_fitted(about, self.weights_file)
        return tensors

    def write_checkpoint(self, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
        write_tensors(self.checkpoint_file, tensors, {"about": json.dumps(about), "fitted": self.fitted_hash()})

    def read_checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, about = read_tensors(self.checkpoint_file)
        self._check_fitted(about, self.checkpoint_file)
        return tensors, json.loads(about["about"])

    def _check_fitted(self, about: Mapping[str, str], path: Path) -> None:
        if not self._fitted.exists():
            raise RunError(f"{self._fitted}: not there; the run directory is not complete")
        if about.get("fitted") != self.fitted_hash():
            raise RunError(
                f"{self._fitted}: changed since {path.name} was written; weights and vocabulary belong together"
            )

    def write_metrics(self, lines: list[dict[str, Any]]) -> None:
        write_whole(self._metrics, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def read_metrics(self) -> list[dict[str, Any]]:
        if not self._metrics.exists():
            return []
        return [json.loads(line) for line in self._metrics.read_text(encoding="utf-8").splitlines()]

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        write_json(self.summary_file, summary)

    def read_summary(self) -> dict[str, Any]:
        summary = read_json(self.summary_file)
        return summary if isinstance(summary, dict) else {}

    def say(self, line: str) -> None:
        """Adds a line to the log."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
