"""A process that trains one run after another, as it is told on standard input: `python -m rnncli.ablation.worker`.

A line in is a run, `{"config": path, "run": path, "watched": bool, "log": path or null}`; where a log is named,
standard error goes there. The lines out are what became of it: `{"event": "begun", "epochs"}`, `{"event": "evaluation",
"epoch", "step", "values"}` after each epoch, and `{"event": "ended", "state", "reason", "seconds"}`, or `{"event":
"broken", "reason"}` before an error that nobody foresaw ends the process. Where a run is watched, each evaluation waits
for a line `"go on"` or `"stop"`. The end of standard input ends the process, in the midst of a run too: its checkpoint
is then written.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from types import FrameType, TracebackType
from typing import Any

from rnncli.ablation.study import State
from rnncli.errors import Interrupted, RnncliError
from rnncli.runs.events import Begun
from rnncli.runs.process import keep_freed_memory, things_that_last
from rnncli.runs.reading import read_config
from rnncli.training.events import Evaluation

Told = Mapping[str, Any]
PATIENCE = 30.0
"""Seconds that a run waits for the process of an ablation that was killed to let go of it."""


def train_run(config: Path, run: Path, tell: Callable[[Told], bool]) -> tuple[State, str]:
    """Trains a run from its start, or goes on with it.

    Args:
        tell: is told what happens; False gives the run up.

    Returns:
        How it ended, and why.

    Raises:
        Interrupted: a signal asked to stop; the checkpoint is written.
    """
    from rnncli.runs.directory import RunDirectory  # a process begins to listen before it loads torch
    from rnncli.runs.train import train

    directory = RunDirectory(run)
    try:
        events = train(read_config(config), run, resume=run.is_dir(), patience=PATIENCE)
        for event in events:
            match event:
                case Begun():
                    tell({"event": "begun", "epochs": event.epochs})
                case Evaluation() if event.ends_epoch:
                    told = {"epoch": event.epoch, "step": event.step, "values": event.values}
                    if not tell({"event": "evaluation", **told}):
                        events.close()
                        reason = f"given up after epoch {event.epoch}, worse than the median of the trials before"
                        directory.write_failure("pruned", reason)
                        return "pruned", reason
    except Interrupted:
        raise
    except (RnncliError, OSError) as error:
        directory.write_failure("failed", str(error))
        return "failed", str(error)
    return "done", ""


class _Ablation:
    """The process of the ablation, at the other end of standard input and output.

    What other code reads and prints must not come between the lines: it finds an empty input, and prints to standard
    error.
    """

    def __init__(self) -> None:
        self._in = os.fdopen(os.dup(0), encoding="utf-8")
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._training = False
        self._nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(self._nothing, 0)
        os.dup2(2, 1)
        signal.signal(signal.SIGTERM, self._asked_to_end)
        sys.excepthook = self._broken
        threading.Thread(target=self._listen, daemon=True).start()

    def hear(self) -> str | None:
        """The next line; None at the end of them."""
        return self._lines.get()

    def say(self, told: Told) -> None:
        """Tells what has happened; where nobody listens any more, the end of standard input says so."""
        self._training = told["event"] in ("begun", "evaluation")
        try:
            self._out.write(json.dumps(told) + "\n")
            self._out.flush()
        except BrokenPipeError:
            os.dup2(self._nothing, self._out.fileno())  # or its closing would fail too

    def tell(self, told: Told) -> bool:
        """Tells of a run that is watched, and asks whether it goes on."""
        self.say(told)
        # At the end of standard input it goes on to the next step, where the signal stops it.
        return told["event"] != "evaluation" or self.hear() != '"stop"'

    def tell_only(self, told: Told) -> bool:
        self.say(told)
        return True

    def _listen(self) -> None:
        for line in self._in:
            self._lines.put(line.strip())
        # First the signal, so that a run that waits for its line knows of it when it goes on.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        self._lines.put(None)

    def _asked_to_end(self, number: int, frame: FrameType | None) -> None:
        """Where a run is trained, this is the second signal: of the first it knows, and is about to be saved."""
        if not self._training:
            os._exit(128 + number)

    def _broken(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        self.say({"event": "broken", "reason": f"{kind.__name__}: {error}".partition("\n")[0]})


def main() -> None:
    """Trains what standard input names."""
    ablation = _Ablation()
    keep_freed_memory()
    with things_that_last():
        import rnncli.runs.train  # noqa: F401 loads torch
    while (line := ablation.hear()) is not None:
        job = json.loads(line)
        if job["log"] is not None:
            _log_to(Path(job["log"]))
        tell = ablation.tell if job["watched"] else ablation.tell_only
        began = time.perf_counter()
        try:
            state, reason = train_run(Path(job["config"]), Path(job["run"]), tell)
        except Interrupted as error:
            sys.exit(error.exit_code)
        ablation.say({"event": "ended", "state": state, "reason": reason, "seconds": time.perf_counter() - began})


def _log_to(path: Path) -> None:
    """Standard error and output are added to a file."""
    with path.open("ab") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)


if __name__ == "__main__":
    main()
