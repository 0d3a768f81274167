"""What an ablation asks of whoever runs its runs, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rnncli.ablation.plan import Planned
from rnncli.ablation.study import State
from rnncli.runs.signals import Asked

TRIES = 2
"""Times that a run may take its process down with it: the second is no accident."""
LOOK = 0.2
"""Seconds between two looks at whether a signal has come."""


@dataclass(frozen=True)
class Job:
    """One run to be done.

    Attributes:
        watched: whether it is asked after each epoch if it may go on.
    """

    planned: Planned
    config: Path
    run: Path
    watched: bool


@dataclass(frozen=True)
class Began:
    """A run is on its way; `epochs` is how many there will be at most."""

    job: Job
    epochs: int


@dataclass(frozen=True)
class Went:
    """An epoch of a run is over; the metrics are those of the validation part."""

    job: Job
    epoch: int
    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class Over:
    """A run has ended.

    Attributes:
        seconds: from its config to its summary; None where that is not known.
    """

    job: Job
    state: State
    reason: str
    seconds: float | None


RunTold = Began | Went | Over


class Source(Protocol):
    """Where jobs come from, in their order."""

    def take(self) -> Job | None:
        """The next job; None where there is none now. There may be more when one that runs has ended."""

    def ended(self, over: Over) -> None:
        """What has become of a job."""

    def goes_on(self, went: Went) -> bool:
        """Whether a job that is watched may go on."""


Launcher = Callable[[Source, Asked], Iterator[RunTold]]
"""Runs jobs until there are none, or a signal asks to stop: those that run are then stopped, saved."""
