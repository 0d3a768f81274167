"""From settings to optimizers, and how gradients are clipped.

The classes of torch.optim load torch's compiler when they are first used, which takes half as long as torch itself.
These call the functions beneath, and keep what must be saved as plain named tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from rnncli.training.settings import (
    AdamSettings,
    ASGDSettings,
    OptimizerSettings,
    RMSpropSettings,
    SGDSettings,
)

S = TypeVar("S", bound=OptimizerSettings)


class Optimizer(ABC, Generic[S]):
    """Changes weights by their gradients; those that have none stay as they are.

    Attributes:
        state: name -> what is remembered of each weight, in their order.
    """

    def __init__(self, settings: S, weights: Sequence[Parameter]) -> None:
        self.settings, self.weights = settings, list(weights)
        self.state: dict[str, list[Tensor]] = {}

    def remember(self, *names: str) -> None:
        """Zeros in the shape of each weight."""
        for name in names:
            self.state[name] = [torch.zeros_like(weight, requires_grad=False) for weight in self.weights]

    def count_steps(self) -> None:
        """A count for each weight, as torch's functions want it."""
        self.state["step"] = [torch.zeros((), device=weight.device) for weight in self.weights]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """One update with the gradients that the weights have."""
        trained = [number for number, weight in enumerate(self.weights) if weight.grad is not None]
        weights: list[Tensor] = [self.weights[number] for number in trained]
        gradients = [gradient for weight in weights if (gradient := weight.grad) is not None]
        state = {name: [of_weights[number] for number in trained] for name, of_weights in self.state.items()}
        self._step(weights, gradients, state, learning_rate)

    @abstractmethod
    def _step(
        self, weights: list[Tensor], gradients: list[Tensor], state: dict[str, list[Tensor]], rate: float
    ) -> None:
        """The update of those weights that have gradients."""

    def tensors(self) -> dict[str, Tensor]:
        """`optimizer.<weight number>.<name>` -> tensor."""
        return {
            f"optimizer.{number}.{name}": tensor
            for name, of_weights in self.state.items()
            for number, tensor in enumerate(of_weights)
        }

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Puts back what `tensors` gave.

        Raises:
            KeyError, RuntimeError: they are of another optimizer or of other weights.
        """
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])


class SGD(Optimizer[SGDSettings]):
    """As torch.optim.SGD, whose learning rate may be multiplied by 1 - momentum."""

    def __init__(self, settings: SGDSettings, weights: Sequence[Parameter]) -> None:
        super().__init__(settings, weights)
        if settings.momentum:
            self.remember("momentum")

    def _step(
        self, weights: list[Tensor], gradients: list[Tensor], state: dict[str, list[Tensor]], rate: float
    ) -> None:
        settings = self.settings
        sgd(
            weights,
            gradients,
            [*state.get("momentum", [None] * len(weights))],
            fused=True,
            weight_decay=settings.weight_decay,
            momentum=settings.momentum,
            lr=rate * (1 - settings.momentum) if settings.rescale_learning_rate else rate,
            dampening=0.0,
            nesterov=settings.nesterov,
            maximize=False,
        )


class Adam(Optimizer[AdamSettings]):
    """As torch.optim.Adam and AdamW."""

    def __init__(self, settings: AdamSettings, weights: Sequence[Parameter]) -> None:
        super().__init__(settings, weights)
        self.remember("mean", "square")
        self.count_steps()

    def _step(
        self, weights: list[Tensor], gradients: list[Tensor], state: dict[str, list[Tensor]], rate: float
    ) -> None:
        settings = self.settings
        function = adamw if settings.type == "adamw" else adam
        function(
            weights,
            gradients,
            state["mean"],
            state["square"],
            [],
            state["step"],
            fused=True,
            amsgrad=False,
            beta1=settings.betas[0],
            beta2=settings.betas[1],
            lr=rate,
            weight_decay=settings.weight_decay,
            eps=settings.epsilon,
            maximize=False,
        )


class RMSprop(Optimizer[RMSpropSettings]):
    """As torch.optim.RMSprop."""

    def __init__(self, settings: RMSpropSettings, weights: Sequence[Parameter]) -> None:
        super().__init__(settings, weights)
        self.remember("square", *(["momentum"] if settings.momentum else []))
        self.count_steps()

    def _step(
        self, weights: list[Tensor], gradients: list[Tensor], state: dict[str, list[Tensor]], rate: float
    ) -> None:
        settings = self.settings
        rmsprop(
            weights,
            gradients,
            state["square"],
            [],
            state.get("momentum", []),
            state["step"],
            foreach=True,
            lr=rate,
            alpha=settings.alpha,
            eps=settings.epsilon,
            weight_decay=settings.weight_decay,
            momentum=settings.momentum,
            centered=False,
        )


class ASGD(Optimizer[ASGDSettings]):
    """As torch.optim.ASGD, but that a learning rate counts from its own step on and not from the next.

    Attributes:
        averages: of the weights, in their order.
    """

    def __init__(self, settings: ASGDSettings, weights: Sequence[Parameter]) -> None:
        super().__init__(settings, weights)
        self.averages = self.state["average"] = [weight.detach().clone() for weight in weights]
        self.count_steps()

    def _step(
        self, weights: list[Tensor], gradients: list[Tensor], state: dict[str, list[Tensor]], rate: float
    ) -> None:
        decay, done = self.settings.decay, int(state["step"][0])
        eta = rate / (1 + decay * rate * done) ** 0.75
        if self.settings.weight_decay:
            torch._foreach_add_(gradients, weights, alpha=self.settings.weight_decay)
        torch._foreach_mul_(weights, 1 - decay * eta)
        torch._foreach_add_(weights, gradients, alpha=-eta)
        torch._foreach_lerp_(state["average"], weights, 1 / max(1, done - self.settings.start))
        torch._foreach_add_(state["step"], 1)


def build_optimizer(settings: OptimizerSettings, weights: Sequence[Parameter]) -> Optimizer[Any]:
    """The optimizer of these weights."""
    match settings:
        case SGDSettings():
            return SGD(settings, weights)
        case AdamSettings():
            return Adam(settings, weights)
        case RMSpropSettings():
            return RMSprop(settings, weights)
        case ASGDSettings():
            return ASGD(settings, weights)
    raise TypeError(f"no optimizer for {type(settings).__name__}")


@torch.no_grad()
def clip(weights: Sequence[Parameter], norm: float | None, value: float | None) -> float | None:
    """Shortens the gradients in place; first each element by `value`, then all together by `norm`.

    Returns:
        The norm of all gradients before the second, or None where no norm was asked for.
    """
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if value is not None:
        torch._foreach_clamp_min_(gradients, -value)
        torch._foreach_clamp_max_(gradients, value)
    if norm is None:
        return None
    found = gradient_norm(gradients)
    if found > norm:
        torch._foreach_mul_(gradients, norm / found)
    return found


def gradient_norm(gradients: list[Tensor]) -> float:
    """The norm of all gradients together."""
    return float(torch.stack(torch._foreach_norm(gradients)).norm())
