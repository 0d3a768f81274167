"""Runs as tasks of Ray, on the machines of a cluster or on this one alone."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rnncli.ablation.launcher import LOOK, TRIES, Began, Job, Launcher, Over, RunTold, Source
from rnncli.ablation.study import State
from rnncli.ablation.worker import PATIENCE, train_run
from rnncli.errors import Interrupted, MissingExtra, UserError
from rnncli.runs.directory import RunDirectory
from rnncli.runs.process import keep_freed_memory
from rnncli.runs.reading import read_config
from rnncli.runs.signals import Asked

_ANSWER = 10.0
"""Seconds that the head node of a cluster has to answer."""


def on_ray(jobs: int, threads: int) -> Launcher:
    """A launcher of tasks of Ray.

    They run on the cluster that RAY_ADDRESS names, or else on one that `ray start` has begun on this machine, or else
    on this machine alone. On a cluster, the directory of the ablation, the data and rnncli must be found under the
    same paths on all nodes: on a file system that they share. A run tells when it begins and ends, not after each
    epoch, and can't be watched.

    Args:
        jobs: tasks at the same time.
        threads: of each of them, and CPUs that it takes.

    Raises:
        MissingExtra: ray is not installed.
    """
    _ray()

    def launch(source: Source, asked: Asked) -> Iterator[RunTold]:
        with _cluster(jobs, threads):
            yield from _Tasks(jobs, threads, source).events(asked)

    return launch


def _ray() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtra("ray", "ablate", "--launcher ray") from error
    return ray


@contextmanager
def _cluster(jobs: int, threads: int) -> Iterator[None]:
    """Within, this process is part of a cluster.

    Raises:
        UserError: the cluster can't be joined, or none of its nodes has enough CPUs.
    """
    ray = _ray()
    joined_before = ray.is_initialized()
    if not joined_before:
        _join(jobs * threads)
    try:
        most = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
        if most < threads:
            raise UserError(f"threads_per_run: {threads}, but no node of the Ray cluster has more than {most:g} CPUs")
        yield
    finally:
        if not joined_before:
            ray.shutdown()


def _join(cpus: int) -> None:
    """Joins the cluster that there is, or begins one with so many CPUs."""
    ray = _ray()
    address = os.environ.get("RAY_ADDRESS", "")
    if "://" in address:
        raise UserError(f"RAY_ADDRESS: {address}: a client can't be used here; expected host:port of a head node")
    host, colon, port = address.rpartition(":")
    if colon:
        try:  # Ray itself would try for minutes
            socket.create_connection((host.strip("[]"), port), _ANSWER).close()
        except OSError as error:
            raise UserError(f"RAY_ADDRESS: {address}: no Ray cluster answers there ({error})") from error
    # What Ray finds worth telling of a worker that died comes back as the reason of a run: it goes to standard output,
    # where the report is, and there is no public switch for it.
    ray._private.worker._worker_logs_enabled = False
    init = partial(ray.init, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        try:
            init(num_cpus=cpus)
        except ValueError:  # there is a cluster, whose CPUs are its own
            init()
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"RAY_ADDRESS: {address}" if address else "the Ray cluster of this machine"
        why = " ".join(str(error).split())
        raise UserError(f"{where}: can't be joined ({why}); unset RAY_ADDRESS and `ray stop` to do without") from error
    finally:
        # Ray has its own idea of what SIGTERM does.
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)


class _Tasks:
    """The tasks that run."""

    def __init__(self, size: int, threads: int, source: Source) -> None:
        self.size, self.source = size, source
        self.ray = _ray()
        # Ray would hide GPUs from a task that asks for none; runs share them, as they do without Ray.
        environment = {"OMP_WAIT_POLICY": "PASSIVE", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
        environment["OMP_NUM_THREADS"] = str(threads)
        own = {"num_cpus": threads, "max_retries": 0, "runtime_env": {"env_vars": environment}}
        self.task = self.ray.remote(_train).options(**own)
        self.running: dict[Any, Job] = {}
        self.again: list[Job] = []
        self.deaths: Counter[str] = Counter()

    def events(self, asked: Asked) -> Iterator[RunTold]:
        try:
            while asked.signal is None:
                yield from self._give_work()
                if not self.running:
                    return
                ready, _ = self.ray.wait(list(self.running), timeout=LOOK)
                for task in ready:
                    yield from self._ended(task, self.running.pop(task))
        finally:
            tasks = list(self.running)
            for task in tasks:
                self.ray.cancel(task)  # is a SIGINT to the run, which is then saved
            if tasks:
                self.ray.wait(tasks, num_returns=len(tasks), timeout=PATIENCE)

    def _give_work(self) -> Iterator[RunTold]:
        while len(self.running) < self.size:
            job = self.again.pop() if self.again else self.source.take()
            if job is None:
                return
            if job.watched:
                raise ValueError("a run on Ray can't be watched")
            self.running[self.task.remote(job.config.absolute(), job.run.absolute())] = job
            yield Began(job, read_config(job.config).training.epochs)

    def _ended(self, task: Any, job: Job) -> Iterator[RunTold]:
        try:
            state, reason, seconds = self.ray.get(task)
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, UserError):
                yield self._failed(job, str(cause))
                return
            what = str(error) if cause is None else f"{type(cause).__name__}: {cause}"
            yield from self._gone(job, what.partition("\n")[0])
            return
        if state == "waiting":
            yield from self._gone(job, reason)
            return
        over = Over(job, state, reason, seconds)
        self.source.ended(over)
        yield over

    def _gone(self, job: Job, why: str) -> Iterator[RunTold]:
        """A task has ended in the midst of its run, which is tried once more, from its checkpoint."""
        name = job.planned.name
        self.deaths[name] += 1
        if self.deaths[name] < TRIES:
            self.again.append(job)
        else:
            yield self._failed(job, f"its Ray task ended {TRIES} times before the run did; the last time: {why}")

    def _failed(self, job: Job, reason: str) -> Over:
        RunDirectory(job.run).write_failure("failed", reason)
        over = Over(job, "failed", reason, None)
        self.source.ended(over)
        return over


def _train(config: Path, run: Path) -> tuple[State, str, float]:
    """Does a run, in a process of Ray: how it ended, why, and its seconds; it is waiting where it was stopped.

    Raises:
        UserError: the config is not there.
    """
    if not config.is_file():
        raise UserError(
            f"{config}: not there on the node {socket.gethostname()}; the directory of an ablation must be on a file "
            "system that all nodes of the Ray cluster share"
        )
    keep_freed_memory()
    began = time.perf_counter()
    try:
        state, reason = train_run(config, run, lambda _: True)
    except Interrupted as error:
        state, reason = "waiting", str(error)
    return state, reason, time.perf_counter() - began
