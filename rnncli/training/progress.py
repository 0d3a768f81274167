"""Where a training stands: with weights, optimizer and random state, all that is needed to go on bit for bit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Progress:
    """Counts and choices so far.

    Attributes:
        epoch: epochs done.
        batch: batches of the present epoch done.
        step: updates of the weights.
        evaluated: the step of the last evaluation.
        learning_rate: of the last step.
        best, best_epoch, best_step: value of the choosing metric at its best, and when; 0 where none was seen.
        waited: evaluations since the best one.
        reductions: times that a plateau reduced the learning rate.
        plateau_waited: evaluations since the best one or the last reduction.
        loss_sum, items: training loss times items, and items, since the last evaluation.
        training_seconds: of the steps since the last evaluation.
        seconds: of the run so far, evaluations included.
        epoch_began: `seconds` when the present epoch began.
        epoch_seconds: of each epoch done, evaluations included.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    evaluated: int = 0
    learning_rate: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    best_step: int = 0
    waited: int = 0
    reductions: int = 0
    plateau_waited: int = 0
    loss_sum: float = 0.0
    items: int = 0
    training_seconds: float = 0.0
    seconds: float = 0.0
    epoch_began: float = 0.0
    epoch_seconds: list[float] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Progress:
        return cls(**saved)
