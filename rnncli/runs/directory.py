"""The run directory: the only code that knows its file names.

run.json                format version of the directory, version of rnncli, SHA-256 of each data file and of cell.py
cell.py                 the code of a cell of the user's own, where the model has one
config.yaml             the configuration, complete; it names the cell.py beside it
fitted.json             what was fitted on the training part: vocabularies, scales, classes
weights.safetensors     the best weights so far
checkpoint/last.safetensors   all that is needed to go on bit for bit
metrics.jsonl           one line an evaluation
summary.json            final figures, when the run is over
failed.json             in an ablation: why it was given up
log.txt                 what was said on the way
lock                    held while the run is written
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import Tensor

import rnncli
from rnncli import config
from rnncli.config.overrides import Change
from rnncli.errors import RunError
from rnncli.runs.config import RunConfig
from rnncli.runs.own_code import executing, own_source, refuse_other_code, with_code_at
from rnncli.runs.reading import ABOUT
from rnncli.runs.whole_files import read_json, read_tensors, write_json, write_tensors, write_whole, writing

FORMAT = 1


class RunDirectory:
    """One run on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.weights_file = path / "weights.safetensors"
        self.checkpoint_file = path / "checkpoint" / "last.safetensors"
        self.summary_file = path / "summary.json"
        self._about = path / ABOUT
        self._cell = path / "cell.py"
        self._config = path / "config.yaml"
        self._fitted = path / "fitted.json"
        self._metrics = path / "metrics.jsonl"
        self._log = path / "log.txt"
        self._failed = path / "failed.json"
        self._lock = path / "lock"

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
            raise RunError(f"{path}: not a run directory ({ABOUT} is missing)")
        about = read_json(directory._about)
        if about.get("format") != FORMAT:
            raise RunError(
                f"{path}: the run has format {about.get('format')}, written by rnncli "
                f"{about.get('rnncli', 'of an unknown version')}; this is rnncli {rnncli.__version__}, which reads "
                f"format {FORMAT}"
            )
        return directory

    @property
    def begun(self) -> bool:
        """Whether a run stands here that could be lost: all it begins with is written, or some of what follows."""
        first = all(file.exists() for file in (self._about, self._config, self._fitted))
        return first or self.weights_file.exists() or self.checkpoint_file.exists()

    def refuse_what_stands(self, force: bool) -> None:
        """A new run needs a place where nothing is; with `force` only what is no run is refused.

        Raises:
            RunError: something stands there.
        """
        if not self.path.is_dir():
            if self.path.exists():
                raise RunError(f"{self.path}: is a file; a run needs a directory")
            return
        if all(entry == self._lock for entry in self.path.iterdir()):
            return
        if not force:
            raise RunError(
                f"{self.path}: exists already; --resume goes on with it, --force begins anew, --out names another"
            )
        if not self._about.exists():
            raise RunError(f"{self.path}: is not a run directory, so --force does not clear it")

    @contextmanager
    def locked(self, patience: float = 0) -> Iterator[None]:
        """Holds the run for writing, in a directory that is made for it; the lock dies with the process.

        Args:
            patience: seconds to wait for another process to let go of it.

        Raises:
            RunError: another process holds it, or the directory can't be written.
        """
        lock = FileLock(self._lock)
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=patience)
            except Timeout as error:
                raise RunError(f"{self.path}: another process is writing this run") from error
        try:
            yield
        finally:
            lock.release()
            if all(entry == self._lock for entry in self.path.iterdir()):  # nothing has come of it
                self._lock.unlink(missing_ok=True)
                self.path.rmdir()

    def begin(self, settings: RunConfig, fitted: Mapping[str, Any], data: Mapping[str, str]) -> None:
        """Clears what stands there and writes what a run begins with.

        Args:
            data: file -> SHA-256.
        """
        # run.json goes last and comes first, so that whatever is interrupted is known for a run. The code outlives the
        # config that names it, and that outlives what makes a run of it.
        others = [entry for entry in self.path.iterdir() if entry not in (self._lock, self._about)]
        kept_longest = [self._fitted, self._config, self._cell]
        for entry in sorted(others, key=lambda entry: kept_longest.index(entry) if entry in kept_longest else -1):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        about = {"format": FORMAT, "rnncli": rnncli.__version__, "data": data}
        source = own_source(settings)
        if source is None:
            write_json(self._about, about)
        else:
            write_json(self._about, about | {"cell": source.sha256})
            write_whole(self._cell, source.content)
        self.write_config(settings)
        write_json(self._fitted, fitted)
        with writing(self.path):
            self.checkpoint_file.parent.mkdir()

    def data_hashes(self) -> dict[str, str]:
        """File -> SHA-256 of the data that the run began with."""
        hashes = read_json(self._about).get("data")
        if not isinstance(hashes, dict):
            raise RunError(f"{self._about}: damaged (no data); restore it from a copy of the run")
        return hashes

    def write_config(self, settings: RunConfig) -> None:
        """Writes the config, which then names the run's own copy of the code, wherever the run is moved."""
        write_whole(self._config, config.write(with_code_at(settings, self._cell.name)).encode())

    def read_config(self, overrides: Sequence[str | Change] = (), *, allow_code: bool = False) -> RunConfig:
        """The config of the run.

        Raises:
            RunError: it is not there, or it is not the code that the run was trained with.
            UserError: the run has code that must be allowed first.
        """
        if not self._config.exists():
            raise RunError(f"{self._config}: not there; the run directory is not complete")
        with self.executing(allow_code):
            return config.read(self._config, RunConfig, overrides)

    def refuse_other_code(self, settings: RunConfig) -> None:
        """A config whose code is not the one the run began with.

        Raises:
            RunError: it is not.
        """
        refuse_other_code(settings, self._code_hash(), self.path)

    def _code_hash(self) -> str | None:
        found = read_json(self._about).get("cell")
        return None if found is None else str(found)

    def executing(self, allow_code: bool) -> AbstractContextManager[None]:
        """Within, the run's own code may be executed, and no other; raises as `read_config`."""
        return executing(self._cell, self._code_hash(), allow_code)

    def read_fitted(self) -> dict[str, Any]:
        return read_json(self._fitted)

    def fitted_is(self, loader: Mapping[str, Any]) -> bool:
        """Whether what a loader has fitted is what stands here. (JSON knows no tuples: texts are compared.)"""
        return json.dumps(loader, sort_keys=True) == json.dumps(self.read_fitted(), sort_keys=True)

    def fitted_hash(self) -> str:
        """Stands beside the weights too, so that weights and vocabulary can't be of different runs."""
        if not self._fitted.exists():
            raise RunError(f"{self._fitted}: not there; the run directory is not complete")
        return hashlib.sha256(self._fitted.read_bytes()).hexdigest()

    def identity(self) -> str:
        """A hash of the config, of what was fitted and of the weights: another run has another."""
        files = (self._config, self._fitted, self.weights_file)
        return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()

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
        """All that is needed to go on.

        Raises:
            RunError: damaged, or of another vocabulary or scale than `fitted.json` has now.
        """
        tensors, about = read_tensors(self.checkpoint_file)
        self._check_fitted(about, self.checkpoint_file)
        if "about" not in about:
            raise RunError(f"{self.checkpoint_file}: is no checkpoint; restore it from a copy of the run")
        return tensors, json.loads(about["about"])

    def _check_fitted(self, about: Mapping[str, str], path: Path) -> None:
        if about.get("fitted") != self.fitted_hash():
            raise RunError(
                f"{self._fitted}: changed since {path.name} was written; weights and vocabulary belong together"
            )

    def write_metrics(self, lines: list[dict[str, Any]]) -> None:
        write_whole(self._metrics, "".join(json.dumps(line) + "\n" for line in lines).encode())

    def read_metrics(self, count: int) -> list[dict[str, Any]]:
        """The first `count` lines.

        Raises:
            RunError: there are fewer, or they are damaged.
        """
        try:
            text = self._metrics.read_text(encoding="utf-8") if count else ""
            lines = [json.loads(line) for line in text.splitlines()[:count]]
        except (OSError, ValueError) as error:
            raise RunError(f"{self._metrics}: can't be read ({error}); restore it from a copy of the run") from error
        if len(lines) < count:
            raise RunError(f"{self._metrics}: has {len(lines)} lines, the checkpoint knows of {count}")
        return lines

    def read_all_metrics(self) -> list[dict[str, Any]]:
        """All lines that were written so far; none where there is no file yet.

        Raises:
            RunError: they are damaged.
        """
        count = len(self._metrics.read_bytes().splitlines()) if self._metrics.exists() else 0
        return self.read_metrics(count)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        write_json(self.summary_file, summary)

    def read_summary(self) -> dict[str, Any]:
        return read_json(self.summary_file)

    def write_failure(self, state: str, reason: str) -> None:
        """Writes why the run is given up; its directory is made where there is none yet."""
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        write_json(self._failed, {"state": state, "reason": reason})

    def read_failure(self) -> dict[str, Any] | None:
        """State and reason of a run that was given up."""
        return read_json(self._failed) if self._failed.exists() else None

    def forget_failure(self) -> None:
        """The run is begun anew, or goes on."""
        self._failed.unlink(missing_ok=True)

    def say(self, line: str) -> None:
        """Adds a line to the log."""
        with writing(self._log), self._log.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
