"""All that training would begin with, without training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.runs.assembly import assemble
from rnncli.runs.config import RunConfig


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        notes: what there is to say about the data.
        sizes: part -> how many `unit` (rows, windows, tokens).
        loss: of the first training batch, before any step.
    """

    notes: list[str]
    sizes: dict[str, int]
    unit: str
    parameters: int
    engine: str
    engine_reason: str
    loss: float


def check_run(config: RunConfig) -> Checked:
    """Reads the data, builds the model and passes one batch through it.

    Raises:
        UserError: something of it can't be used.
    """
    parts, settings = assemble(config), config.training
    model, train = parts.model, parts.data["train"]
    first = train.plan(settings.batch_size, np.random.default_rng(settings.seed), settings.bptt_steps)[0]
    loss, _, _ = model.loss(train.batch(first).to(parts.device), None)
    return Checked(
        list(parts.loader.notes),
        {name: len(part) for name, part in parts.data.items()},
        train.unit,
        model.parameter_count,
        model.engine,
        model.engine_reason,
        loss.item(),
    )
