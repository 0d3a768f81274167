"""What the training loop tells whoever runs it; the loop itself prints nothing and writes nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One update of the weights.

    Attributes:
        step: updates so far in the run, this one included.
        batch, batches: batches of this epoch done, and in all.
        loss: mean over the items of the batch.
        items: sequences, steps or windows that the loss is the mean of.
        gradient_norm: before clipping; None where it was not measured.
    """

    epoch: int
    step: int
    batch: int
    batches: int
    loss: float
    items: int
    learning_rate: float
    gradient_norm: float | None


@dataclass(frozen=True)
class Evaluation:
    """The metrics of the validation part at some moment, and the mean training loss since the last one.

    Attributes:
        values: metric name -> value; empty where there is no validation part.
        best: whether the metric that chooses is better than ever before.
        ends_epoch: whether the epoch is over.
        items_per_second: items of training a second since the last evaluation.
    """

    epoch: int
    step: int
    train_loss: float
    learning_rate: float
    values: dict[str, float]
    best: bool
    ends_epoch: bool
    seconds: float
    items_per_second: float


@dataclass(frozen=True)
class CheckpointDue:
    """The loop stands between two steps and now is the time to save."""


@dataclass(frozen=True)
class Ended:
    """Training is over, and why: "epochs", "patience" or "time"."""

    reason: str


Event = Step | Evaluation | CheckpointDue | Ended
