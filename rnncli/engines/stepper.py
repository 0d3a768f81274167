"""Single steps without gradients, as decoding takes them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import linear

from rnncli.cells.weights import CellWeights, State


class Stepper(ABC):
    """Runs single steps of a cell, with parameters that do not change as long as it is used."""

    def __init__(self, weights: CellWeights) -> None:
        self._projection = weights.projection
        self._input, self._hidden = weights.input_size, weights.cell.hidden_size
        self._states, self._dtype = weights.cell.states, weights.weight_hh.dtype

    def step(self, inputs: Tensor, state: State) -> State:
        """The new state, whose first tensor is the output, after inputs of (batch, input).

        Raises:
            ValueError: gradients are wanted, or a tensor has another shape than the others.
        """
        if torch.is_grad_enabled():
            raise ValueError("a stepper has no gradients; use it under torch.inference_mode()")
        batch = inputs.shape[0]
        shape = (batch, self._hidden)
        if inputs.shape != (batch, self._input) or not batch:
            raise ValueError(f"inputs: {tuple(inputs.shape)}, not (batch, {self._input})")
        for name, each in zip(self._states, state, strict=True):
            if each.shape != shape:
                raise ValueError(f"state {name}: {tuple(each.shape)}, not {shape}")
        if inputs.dtype != self._dtype:
            inputs = inputs.to(self._dtype)
        if self._projection is not None:
            inputs = linear(inputs, self._projection)
        return self._step(inputs, state)

    @abstractmethod
    def _step(self, inputs: Tensor, state: State) -> State:
        """As `step`, for tensors that fit; inputs are those that the cell reads, in the type of the parameters."""
