"""Runs in processes of this machine, each of which trains one run after another."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from rnncli.ablation.launcher import LOOK, TRIES, Began, Job, Launcher, Over, RunTold, Source, Went
from rnncli.runs.signals import Asked


def local(jobs: int, threads: int, log: Path, ahead: list[Worker] | None = None) -> Launcher:
    """A launcher of so many processes at once.

    Args:
        threads: of each of them.
        log: takes what they write to standard error.
        ahead: processes that were started before; those that are needed are taken out.
    """

    def launch(source: Source, asked: Asked) -> Iterator[RunTold]:
        with log.open("ab") as errors:
            yield from _Team(jobs, lambda: Worker(threads, errors), log, [] if ahead is None else ahead, source).events(
                asked
            )

    return launch


@contextmanager
def started_ahead(jobs: int, threads: int) -> Iterator[list[Worker]]:
    """Processes that load torch while the plan of the ablation is still being made.

    Where they fail to, nobody is told: a process that is started in their place will say why.
    """
    workers = [Worker(threads, None) for _ in range(jobs)]
    try:
        yield workers
    finally:
        _end(workers)


class Worker:
    """One process, and the run that it is at.

    Args:
        errors: takes what it writes to standard error; None until it is told of a log.
    """

    def __init__(self, threads: int, errors: IO[bytes] | None) -> None:
        self.job: Job | None = None
        self.log: Path | None = None
        self.broken_by = ""
        self._unfinished = b""
        # It finds the modules that this process finds, and none that lie about where the command was given.
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rnncli.ablation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if errors is None else errors,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the ablation alone, which then asks its processes to save
        )

    @property
    def out(self) -> int:
        """The end of the pipe that it speaks into."""
        if self.process.stdout is None:
            raise ValueError("the process was started without a pipe")
        return self.process.stdout.fileno()

    def heard(self) -> list[bytes] | None:
        """The whole lines that it has said; None where it has ended."""
        said = os.read(self.out, 2**16)
        *lines, self._unfinished = (self._unfinished + said).split(b"\n")
        return lines if said else None

    def say(self, told: Any) -> None:
        """Tells it something; one that is no longer there will be noticed by its silence."""
        if self.process.stdin is None:
            raise ValueError("the process was started without a pipe")
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            self.process.stdin.flush()

    def take(self, job: Job) -> None:
        """Begins a run."""
        self.job = job
        log = None if self.log is None else str(self.log)
        self.say({"config": str(job.config), "run": str(job.run), "watched": job.watched, "log": log})

    def end(self) -> None:
        """Asks it to stop, by the end of its standard input; a run that it is at is saved."""
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def close(self) -> int:
        """Waits for its end: the exit code, or minus the signal that ended it."""
        self.end()
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def _end(workers: Sequence[Worker]) -> None:
    """Asks all to stop, and waits for them."""
    for worker in workers:
        worker.end()
    for worker in workers:
        worker.close()


class _Team:
    """The processes, as many as there is work for."""

    def __init__(self, size: int, new: Callable[[], Worker], log: Path, ahead: list[Worker], source: Source) -> None:
        self.size, self.new, self.log, self.ahead, self.source = size, new, log, ahead, source
        self.workers: list[Worker] = []
        self.again: list[Job] = []
        self.deaths: dict[str, int] = {}
        self.selector = selectors.DefaultSelector()

    def events(self, asked: Asked) -> Iterator[RunTold]:
        try:
            while asked.signal is None:
                self._give_work()
                if not any(worker.job for worker in self.workers):
                    return
                for key, _ in self.selector.select(LOOK):
                    yield from self._hear(key.data)
        finally:
            _end(self.workers)
            self.selector.close()

    def _give_work(self) -> None:
        while sum(worker.job is not None for worker in self.workers) < self.size:
            job = self.again.pop() if self.again else self.source.take()
            if job is None:
                return
            self._free_worker().take(job)

    def _free_worker(self) -> Worker:
        for worker in self.workers:
            if worker.job is None:
                return worker
        if self.ahead:
            worker = self.ahead.pop(0)
            worker.log = self.log
        else:
            worker = self.new()
        self.workers.append(worker)
        self.selector.register(worker.out, selectors.EVENT_READ, worker)
        return worker

    def _hear(self, worker: Worker) -> Iterator[RunTold]:
        lines = worker.heard()
        if lines is None:
            yield from self._gone(worker)
            return
        for line in lines:
            if worker.job is not None:
                yield from self._understand(worker, worker.job, json.loads(line))

    def _understand(self, worker: Worker, job: Job, told: dict[str, Any]) -> Iterator[RunTold]:
        match told["event"]:
            case "begun":
                yield Began(job, told["epochs"])
            case "evaluation":
                went = Went(job, told["epoch"], told["step"], told["values"])
                yield went
                if job.watched:
                    worker.say("go on" if self.source.goes_on(went) else "stop")
            case "ended":
                worker.job = None
                over = Over(job, told["state"], told["reason"], told["seconds"])
                self.source.ended(over)
                yield over
            case "broken":
                worker.broken_by = told["reason"]

    def _gone(self, worker: Worker) -> Iterator[RunTold]:
        """A process has ended in the midst of its run, which is tried once more, from its checkpoint."""
        self.selector.unregister(worker.out)
        self.workers.remove(worker)
        code, job = worker.close(), worker.job
        if job is None:
            return
        name = job.planned.name
        self.deaths[name] = self.deaths.get(name, 0) + 1
        if self.deaths[name] < TRIES:
            self.again.append(job)
            return
        from rnncli.runs.directory import RunDirectory  # needs torch, for which the first processes do not wait

        how = f"ended with {worker.broken_by}" if worker.broken_by else _how(code)
        reason = f"its process {how}, {TRIES} times; see log.txt of the ablation"
        RunDirectory(job.run).write_failure("failed", reason)
        over = Over(job, "failed", reason, None)
        self.source.ended(over)
        yield over


def _how(code: int) -> str:
    """How a process ended."""
    number = -code if code < 0 else code - 128
    if number not in {each.value for each in signal.Signals}:
        return f"ended with exit code {code}"
    memory = ", as the system does when memory runs out" if number == signal.SIGKILL else ""
    return f"was ended by {signal.Signals(number).name}{memory}"
