"""Training as a generator of events; the run directory holds everything that must survive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnncli.errors import Interrupted, RunError, UserError, unknown
from rnncli.inputs.batches import Dataset
from rnncli.inputs.loader import Loader, SplitName
from rnncli.metrics import METRICS
from rnncli.metrics.metric import given
from rnncli.metrics.scores import better
from rnncli.metrics.threshold import best_threshold
from rnncli.models.model import Model
from rnncli.runs.assembly import new_loader, new_model, put_weights, warm_start
from rnncli.runs.config import RunConfig
from rnncli.runs.differences import refuse_differences
from rnncli.runs.directory import RunDirectory
from rnncli.runs.events import Begun, Finished, RunEvent, lines
from rnncli.runs.signals import Asked, stop_between_steps
from rnncli.runs.summary import finite, hashes, versions
from rnncli.tasks.baselines import baseline
from rnncli.tasks.evaluation import choosing_metric, evaluate, outcomes
from rnncli.training.device import choose_device
from rnncli.training.events import CheckpointDue, Ended, Evaluation, Step
from rnncli.training.loop import Loop
from rnncli.training.progress import Progress


def train(config: RunConfig, path: Path, *, resume: bool = False, force: bool = False) -> Iterator[RunEvent]:
    """Trains into the directory `path`, from the start or from its checkpoint.

    Raises:
        UserError: config, data or directory can't be used.
        TrainingStopped: the loss is not finite or the disk is full.
        Interrupted: a signal asked to stop; the checkpoint is written.
    """
    directory = RunDirectory(path)
    if resume:
        config = _resumed_config(directory, config)
    else:
        directory.create(force)
    with directory.locked():
        if not directory.begun:
            directory.write_config(config)
        run = _Run(config, directory)
        with stop_between_steps() as asked:
            for event in run.events(asked):
                for line in lines(event):
                    directory.say(line)
                yield event


def _resumed_config(directory: RunDirectory, config: RunConfig) -> RunConfig:
    """The run's own config, with those changes that a run may go on with."""
    if not directory.path.exists():
        raise RunError(f"{directory.path}: there is no run to resume")
    if not directory.begun:
        directory.checkpoint_file.parent.mkdir(exist_ok=True)
        return config
    RunDirectory.open(directory.path)
    refuse_differences(directory.read_config(), config, directory.path)
    return config


class _Run:
    """The parts of one run, put together."""

    def __init__(self, config: RunConfig, directory: RunDirectory) -> None:
        self.config, self.directory = config, directory
        settings = config.training
        if settings.threads is not None:
            torch.set_num_threads(settings.threads)
        self.device = choose_device(settings.device, settings.mixed_precision)
        self.loader: Loader[Any] = new_loader(config)
        self.data: dict[SplitName, Dataset] = self.loader.load(settings.limit, settings.refit)
        self.notes = list(self.loader.notes)
        self.hashes = hashes(self.loader.files)
        self.model: Model = new_model(config, self.loader, self.device)
        self.metric = self._choosing_metric()
        self.loop = Loop(
            self.model,
            self.data["train"],
            settings,
            self.device,
            self._valid_values,
            self.metric,
            lambda new, old: better(self.metric, new, old),
        )
        self.lines = directory.read_metrics()
        if settings.init_from is not None and not directory.checkpoint_file.exists():
            self._start_from(settings.init_from)
        if directory.checkpoint_file.exists():
            self._restore()
        else:
            self.lines = []
            directory.write_fitted(self.loader.state())

    def events(self, asked: Asked) -> Iterator[RunEvent]:
        progress = self.loop.progress
        yield Begun(
            self.notes,
            {name: len(data) for name, data in self.data.items()},
            self.data["train"].unit,
            self.model.parameter_count,
            self.model.engine,
            self.model.engine_reason,
            self.metric,
            self.config.training.epochs,
            str(self.device),
            torch.get_num_threads(),
            progress.step,
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
                    summary = self._summary(event.reason)
                    self.directory.write_summary(summary)
                    yield Finished(summary)

    def _choosing_metric(self) -> str:
        metric = self.config.training.metric or choosing_metric(self.loader.target)
        if self.config.training.metric is not None:
            fitting = [name for name, part in METRICS.items() if self.loader.target.kind in part.kinds]
            if metric not in fitting:
                raise UserError("training.metric: " + unknown("metric for this target", metric, fitting))
        return metric

    def _valid_values(self) -> dict[str, float]:
        return self._values("valid") if "valid" in self.data else {}

    def _values(self, part: SplitName, threshold: float | None = None) -> dict[str, float]:
        size = self.config.training.batch_size
        return evaluate(self.model, self.loader.target, self.data[part], size, self.device, threshold).values()

    def _keep(self, event: Evaluation) -> None:
        """Writes the line of an evaluation and, where it is the best, the weights."""
        self.lines.append(asdict(event) | {"values": finite(event.values)})
        if event.best:
            with self.loop.chosen():
                self.directory.write_weights(self.model.state_dict())
        self.directory.write_metrics(self.lines)

    def _save(self) -> None:
        about = {
            "progress": self.loop.progress.to_json(),
            "evaluations": len(self.lines),
            "threads": torch.get_num_threads(),
            "device": str(self.device),
            "data": self.hashes,
        }
        self.directory.write_checkpoint(self.loop.tensors(), about)

    def _restore(self) -> None:
        """Goes on from the checkpoint.

        Raises:
            RunError: the data are no longer those the run began with.
        """
        tensors, about = self.directory.read_checkpoint()
        if sorted(about["data"].values()) != sorted(self.hashes.values()):
            changed = [name for name, value in self.hashes.items() if value not in about["data"].values()]
            raise RunError(f"{', '.join(changed) or 'a data file'}: changed since the run began; train anew")
        progress = Progress.from_json(about["progress"])
        if progress.ended == "epochs" and progress.epoch < self.config.training.epochs:
            progress.ended = None
        limit = self.config.training.max_time
        if progress.ended == "time" and (limit is None or progress.seconds < limit * 60):
            progress.ended = None
        self.loop.restore(tensors, progress)
        self.lines = self.lines[: about["evaluations"]]
        here = {"threads": torch.get_num_threads(), "device": str(self.device)}
        for name, now in here.items():
            if about[name] != now:
                self.notes.append(f"the run was begun with {name} {about[name]}, now {now}: bits may differ")

    def _start_from(self, path: Path) -> None:
        source = RunDirectory.open(path)
        weights = source.read_weights()
        if not source.fitted_is(self.loader.state()):
            # Another vocabulary: rows of embeddings and outputs would mean other words and classes.
            weights = {name: value for name, value in weights.items() if not name.startswith(("inputs.", "head."))}
        taken, of = warm_start(self.model, weights)
        self.notes.append(f"{taken} of {of} tensors start from {path}")

    def _stop_if(self, asked: Asked) -> None:
        if asked.signal is None:
            return
        self._save()
        raise Interrupted(
            f"stopped after step {self.loop.progress.step}, saved; go on with: "
            f"rnncli train {self.directory.path} --resume",
            asked.signal,
        )

    def _summary(self, reason: str) -> dict[str, Any]:
        """The final figures, with the best weights."""
        put_weights(self.model, self.directory.read_weights())
        progress, target = self.loop.progress, self.loader.target
        threshold = self._threshold()
        scores = {part: self._values(part, threshold) for part in self.data if part != "train"}
        compared = self.data.get("test", self.data.get("valid"))
        naive = (
            baseline(target, self.data["train"], compared, self.config.training.batch_size)
            if compared is not None
            else None
        )
        return {
            "task": self.config.task,
            "loader": self.config.data.loader,
            "target": target.kind,
            "valid": finite(scores.get("valid", {})),
            "test": finite(scores.get("test", {})),
            "baseline": finite(naive.scores) if naive else {},
            "baseline_name": naive.name if naive else None,
            "metric": self.metric,
            "best_epoch": progress.best_epoch,
            "best_step": progress.best_step,
            "epochs": progress.epoch,
            "steps": progress.step,
            "ended": reason,
            "threshold": threshold,
            "engine": self.model.engine,
            "engine_reason": self.model.engine_reason,
            "parameters": self.model.parameter_count,
            "sizes": {name: len(data) for name, data in self.data.items()},
            "seconds": {"total": progress.seconds, "per_epoch": progress.epoch_seconds},
            "device": str(self.device),
            "threads": torch.get_num_threads(),
            "versions": versions(),
            "data": self.hashes,
            "notes": self.notes,
        }

    def _threshold(self) -> float | None:
        if not self.config.training.choose_threshold:
            return None
        if self.loader.target.kind != "class" or len(self.loader.target.names) != 2:
            raise UserError("training.choose_threshold: there is a threshold only between two classes")
        found = outcomes(self.model, self.data["valid"], self.config.training.batch_size, self.device)
        pairs = [(given(outcome.probabilities)[:, 1], given(outcome.target)) for _, outcome in found]
        positive, truth = (np.concatenate(each) for each in zip(*pairs, strict=True))
        return best_threshold(positive, truth)
