"""Learning rates over the course of training, as factors on the first one."""

from __future__ import annotations

import math

from rnncli.training.settings import (
    CosineSettings,
    ExponentialSettings,
    HalvingSettings,
    PlateauSettings,
    ScheduleSettings,
    StepSettings,
)


def factor(settings: ScheduleSettings, epoch: int, done: float, reductions: int) -> float:
    """The factor on the learning rate at some moment.

    Args:
        epoch: from 0.
        done: share of all steps of the run that are done, 0 to 1.
        reductions: times that a plateau has reduced the rate so far.
    """
    match settings:
        case StepSettings():
            return settings.factor ** (epoch // settings.every)
        case ExponentialSettings():
            return settings.factor**epoch
        case CosineSettings():
            return settings.final + (1 - settings.final) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
        case HalvingSettings():
            return settings.factor ** max(0, epoch + 1 - settings.constant)
        case PlateauSettings():
            return settings.factor**reductions
    return 1.0


def warmup(steps: int, step: int) -> float:
    """The factor of the warm-up at a step, from 0."""
    return min(1.0, (step + 1) / steps) if steps else 1.0
