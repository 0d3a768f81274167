"""Training as a generator of events; the run directory holds everything that must survive."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from rnncli.errors import Interrupted, RunError, UserError
from rnncli.inputs.batches import Dataset
from rnncli.metrics.scores import better
from rnncli.runs.assembly import Assembled, assemble, evaluation_size, put_weights, warm_start
from rnncli.runs.config import RunConfig
from rnncli.runs.differences import refuse_differences
from rnncli.runs.directory import RunDirectory
from rnncli.runs.events import Begun, Finished, RunEvent, lines
from rnncli.runs.own_code import own_source
from rnncli.runs.signals import Asked, stop_between_steps
from rnncli.runs.summary import finite, hashes, summarise
from rnncli.runs.trusted import trust
from rnncli.tasks.evaluation import evaluate
from rnncli.training.events import CheckpointDue, Ended, Evaluation, Step
from rnncli.training.loop import Loop
from rnncli.training.progress import Progress

_OF_THE_DATA = frozenset({"inputs", "others", "embedding", "head"})
"""Modules, wherever they stand in a model, whose parameters go by the entries of a vocabulary or by columns."""


def train(
    config: RunConfig,
    path: Path,
    *,
    resume: bool = False,
    force: bool = False,
    allow_code: bool = False,
    patience: float = 0,
) -> Generator[RunEvent, None, None]:
    """Trains into the directory `path`, from the start or from its checkpoint.

    Nothing is written, and with `force` nothing cleared, before data are read and the model is built.

    Args:
        allow_code: execute the code of a run that is resumed, also where it was begun elsewhere.
        patience: seconds to wait for another process to let go of the directory.

    Raises:
        UserError: config, data or directory can't be used.
        TrainingStopped: the loss is not finite or the disk is full.
        Interrupted: a signal asked to stop; the checkpoint is written.
    """
    directory = RunDirectory(path)
    if not resume:
        directory.refuse_what_stands(force)
    elif not path.is_dir():
        raise RunError(f"{path}: there is no run to resume; without --resume one begins")
    with directory.locked(patience):
        directory.forget_failure()
        goes_on = resume and directory.begun
        if goes_on:
            RunDirectory.open(path)
            refuse_differences(directory.read_config(allow_code=allow_code), config, path)
            directory.refuse_other_code(config)
        run = _Run(assemble(config), directory)
        if goes_on:
            run.resume()
        else:
            run.begin()
        with stop_between_steps() as asked:
            for event in run.events(asked):
                for line in lines(event):
                    directory.say(line)
                yield event


class _Run:
    """A training and the directory it is kept in."""

    def __init__(self, parts: Assembled, directory: RunDirectory) -> None:
        self.parts, self.directory = parts, directory
        self.settings = parts.config.training
        self.hashes = hashes(parts.loader.files)
        self.notes = list(parts.loader.notes)
        self.lines: list[dict[str, Any]] = []
        self.loop = Loop(
            parts.model,
            parts.data["train"],
            self.settings,
            parts.device,
            self._valid_values,
            parts.metric,
            lambda new, old: better(parts.metric, new, old),
        )

    def begin(self) -> None:
        """From the start."""
        if self.settings.init_from is not None:
            self._start_from(self.settings.init_from)
        self._trust_own_code()
        self.directory.begin(self.parts.config, self.parts.loader.state(), self.hashes)

    def resume(self) -> None:
        """From the checkpoint; where there is none yet, from the start.

        Raises:
            RunError: the data are no longer those the run began with, or the checkpoint is of no use.
        """
        was = self.directory.data_hashes()
        if list(was.values()) != list(self.hashes.values()):
            changed = [name for name, value in self.hashes.items() if value not in was.values()]
            raise RunError(f"{', '.join(changed) or 'a data file'}: changed since the run began; train anew")
        if not self.directory.checkpoint_file.exists():
            self.begin()
            return
        tensors, about = self.directory.read_checkpoint()
        try:
            self.loop.restore(tensors, Progress.from_json(about["progress"]))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise RunError(
                f"{self.directory.checkpoint_file}: is of another model than config.yaml describes; "
                "restore either from a copy of the run"
            ) from error
        self.lines = self.directory.read_metrics(about["evaluations"])
        self.directory.write_config(self.parts.config)
        self._trust_own_code()
        for name, now in self._machine().items():
            if about.get(name, now) != now:  # an older version kept less
                self.notes.append(f"the run was begun with {name} {about[name]}, now {now}: bits may differ")

    def events(self, asked: Asked) -> Iterator[RunEvent]:
        model, data = self.parts.model, self.parts.data
        yield Begun(
            self.notes,
            {name: len(dataset) for name, dataset in data.items()},
            data["train"].unit,
            model.parameter_count,
            model.engine,
            model.engine_reason,
            self.parts.metric,
            self.settings.epochs,
            str(self.parts.device),
            torch.get_num_threads(),
            self.loop.progress.step,
        )
        for event in self.loop.events():
            match event:
                case Step():
                    yield event
                    self._stop_if(asked)
                case Evaluation():
                    self._keep(event)
                    yield event
                    self._stop_if(asked)
                case CheckpointDue():
                    self._save()
                case Ended():
                    put_weights(model, self.directory.read_weights())
                    summary = summarise(self.parts, self.loop.progress, event.reason, self.hashes, self.notes)
                    self.directory.write_summary(summary)
                    yield Finished(summary)

    def _trust_own_code(self) -> None:
        source = own_source(self.parts.config)
        note = None if source is None else trust(source.sha256)
        if note:
            self.notes.append(note)

    def _valid_values(self) -> dict[str, float]:
        valid: Dataset | None = self.parts.data.get("valid")
        if valid is None:
            return {}
        parts = self.parts
        size = evaluation_size(parts.config, parts.loader)
        decoding = parts.config.decoding.greedily
        return evaluate(parts.model, parts.loader.target, valid, size, parts.device, decoding=decoding).values()

    def _keep(self, event: Evaluation) -> None:
        """Writes the line of an evaluation and, where it is the best, the weights."""
        self.lines.append(asdict(event) | {"values": finite(event.values)})
        if event.best:
            with self.loop.chosen():
                self.directory.write_weights(self.parts.model.state_dict())
        self.directory.write_metrics(self.lines)

    def _save(self) -> None:
        progress = {"progress": self.loop.progress.to_json(), "evaluations": len(self.lines)}
        self.directory.write_checkpoint(self.loop.tensors(), progress | self._machine())

    def _machine(self) -> dict[str, Any]:
        """What bits depend on beside config and data."""
        return {
            "threads": torch.get_num_threads(),
            "device": str(self.parts.device),
            "engine": self.parts.model.engine,
        }

    def _start_from(self, path: Path) -> None:
        source = RunDirectory.open(path)
        weights = source.read_weights()
        if not source.fitted_is(self.parts.loader.state()):
            # Another vocabulary: rows of embeddings and outputs would mean other words and classes.
            weights = {name: value for name, value in weights.items() if _OF_THE_DATA.isdisjoint(name.split("."))}
        taken, of = warm_start(self.parts.model, weights)
        if taken == 0:
            raise UserError(f"training.init_from: {path} has no weights of the names and shapes of this model")
        self.notes.append(f"{taken} of {of} tensors start from {path}")

    def _stop_if(self, asked: Asked) -> None:
        if asked.signal is None:
            return
        self._save()
        raise Interrupted(
            f"stopped after step {self.loop.progress.step}, saved; go on with: "
            f"rnncli train {shlex.quote(str(self.directory.path))} --resume",
            asked.signal,
        )
