"""What a run tells whoever watches it, beside the events of the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.training.events import Evaluation, Step


@dataclass(frozen=True)
class Begun:
    """Data are read and the model is built.

    Attributes:
        notes: what there is to say about data, model and machine.
        sizes: part -> how many `unit` (rows, windows, tokens).
        metric: what chooses the best epoch.
        epochs: how many there will be at most.
        step: updates already done, where a run goes on.
    """

    notes: list[str]
    sizes: dict[str, int]
    unit: str
    parameters: int
    engine: str
    engine_reason: str
    metric: str
    epochs: int
    device: str
    threads: int
    step: int


@dataclass(frozen=True)
class Finished:
    """The run is over; its summary is written."""

    summary: dict[str, Any]


RunEvent = Begun | Step | Evaluation | Finished


def lines(event: RunEvent) -> list[str]:
    """The event as plain text, for the log and for output that is no terminal; nothing for a step."""
    match event:
        case Begun():
            sizes = ", ".join(f"{part} {size:,}" for part, size in event.sizes.items())
            resumed = [f"going on after step {event.step:,}"] if event.step else []
            return [
                *event.notes,
                f"{event.unit}: {sizes}",
                f"model: {event.parameters:,} parameters; engine {event.engine} ({event.engine_reason}); "
                f"{event.device}, threads {event.threads}",
                *resumed,
            ]
        case Evaluation():
            values = "".join(f"{name} {value:.4g} " for name, value in event.values.items())
            return [
                f"epoch {event.epoch} step {event.step} train loss {event.train_loss:.4g} {values}"
                f"rate {event.learning_rate:.3g} {event.items_per_second:,.0f} items/s {event.seconds:.1f} s"
                + (" best" if event.best and event.values else "")
            ]
        case Finished(summary=summary):
            best = summary["valid"].get(summary["metric"])
            chosen = f", {summary['metric']} {best:.4g}" if best is not None else ""
            epochs = "1 epoch" if summary["epochs"] == 1 else f"{summary['epochs']} epochs"
            return [
                f"ended ({summary['ended']}) after {epochs}, {summary['seconds']['total']:.1f} s; "
                f"best epoch {summary['best_epoch']}{chosen}"
            ]
    return []
