"""All that training would begin with, without training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.runs.assembly import new_loader, new_model
from rnncli.runs.config import RunConfig
from rnncli.training.device import choose_device


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
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
    settings = config.training
    device = choose_device(settings.device, settings.mixed_precision)
    loader = new_loader(config)
    data = loader.load(settings.limit, settings.refit)
    model = new_model(config, loader, device)
    train = data["train"]
    first = train.plan(settings.batch_size, np.random.default_rng(settings.seed), settings.bptt_steps)[0]
    loss, _, _ = model.loss(train.batch(first).to(device), None)
    return Checked(
        list(loader.notes),
        {name: len(part) for name, part in data.items()},
        train.unit,
        model.parameter_count,
        model.engine,
        model.engine_reason,
        float(loss.detach()),
    )
