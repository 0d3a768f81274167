"""From settings to torch optimizers."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn import Parameter
from torch.optim import ASGD, SGD, Adam, AdamW, Optimizer, RMSprop

from rnncli.training.settings import (
    AdamSettings,
    ASGDSettings,
    OptimizerSettings,
    RMSpropSettings,
    SGDSettings,
)


def build_optimizer(settings: OptimizerSettings, learning_rate: float, parameters: Iterable[Parameter]) -> Optimizer:
    """The optimizer over all parameters, in its fused form where torch has one: one pass over the weights a step."""
    weights = [parameter for parameter in parameters if parameter.requires_grad]
    decay = settings.weight_decay
    match settings:
        case SGDSettings():
            return SGD(
                weights,
                learning_rate,
                momentum=settings.momentum,
                nesterov=settings.nesterov,
                weight_decay=decay,
                fused=True,
            )
        case AdamSettings():
            adam = AdamW if settings.type == "adamw" else Adam
            return adam(
                weights, learning_rate, betas=settings.betas, eps=settings.epsilon, weight_decay=decay, fused=True
            )
        case RMSpropSettings():
            return RMSprop(
                weights,
                learning_rate,
                alpha=settings.alpha,
                eps=settings.epsilon,
                momentum=settings.momentum,
                weight_decay=decay,
                foreach=True,
            )
        case ASGDSettings():
            return ASGD(
                weights,
                learning_rate,
                lambd=settings.decay,
                t0=settings.start,
                weight_decay=decay,
                foreach=True,
            )
    raise TypeError(f"no optimizer for {type(settings).__name__}")


def set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


@torch.no_grad()
def clip(weights: list[Parameter], norm: float | None, value: float | None) -> float | None:
    """Shortens the gradients in place; first each element by `value`, then all together by `norm`.

    Returns:
        The norm of all gradients before the second, or None where no norm was asked for.
    """
    if value is not None:
        torch.nn.utils.clip_grad_value_(weights, value)
    if norm is None:
        return None
    return float(torch.nn.utils.clip_grad_norm_(weights, norm))
