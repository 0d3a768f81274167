"""Single steps of a stack without gradients, as decoding takes them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnncli.cells.weights import State
from rnncli.engines.stepper import Stepper


class StackStepper:
    """Runs single steps of layers on layers in one direction, as in evaluation.

    Args:
        steppers: of each layer.
        initial: the states before the first step, each tensor (hidden,).
        connections: what joins input and output of a layer, by its number.
    """

    def __init__(self, steppers: Sequence[Stepper], initial: Sequence[State], connections: nn.ModuleDict) -> None:
        joined = dict(connections.items())
        self._layers = [(stepper, joined.get(str(layer))) for layer, stepper in enumerate(steppers)]
        self._initial = [torch.stack(state).detach() for state in initial]

    def begin(self, batch: int) -> tuple[State, ...]:
        """The state before the first step, the same for so many sequences."""
        return tuple(state.unsqueeze(1).repeat(1, batch, 1).unbind(0) for state in self._initial)

    def step(self, inputs: Tensor, state: tuple[State, ...] | None = None) -> tuple[Tensor, tuple[State, ...]]:
        """The output of the uppermost layer, (batch, size), and the new state.

        Args:
            inputs: (batch, input).
            state: the state after the step before; what `begin` gives where it is None.

        Raises:
            ValueError: gradients are wanted, or a tensor has another shape than the others.
        """
        state = self.begin(len(inputs)) if state is None else state
        current, new = inputs, []
        for (stepper, connection), old in zip(self._layers, state, strict=True):
            made = stepper.step(current, old)
            new.append(made)
            if connection is None:
                current = made[0]
            else:
                current = connection(current.unsqueeze(1), made[0].unsqueeze(1)).squeeze(1)
        return current, tuple(new)
