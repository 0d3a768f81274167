"""The parameters of one cell, as its graph asks for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rnncli.cells.cell import Cell
from rnncli.errors import ConfigError

State = tuple[Tensor, ...]
"""What a cell carries from step to step: a tensor of (batch, hidden) for each of its states."""


class CellWeights(nn.Module):
    """The parameters of a cell that runs in one direction.

    Rows stand block by block, in the order of the graph: for an LSTM i, f, g, o, for a GRU r, z, n, as in torch.nn.

    Attributes:
        weight_ih: (input blocks * hidden, input).
        weight_hh: (recurrent blocks * hidden, hidden).
        bias: (input blocks * hidden,); one for each block, where torch.nn has two that are only ever added. None where
            the cell has none.
        vectors: the vector parameters, each (hidden,), by name.
        projection: (hidden, input) where the cell reads the input itself and that has another size, else None.

    Raises:
        ConfigError: the cell reads the input itself, that has another size, and `project` is not set.
    """

    def __init__(self, cell: Cell[Any], input_size: int) -> None:
        super().__init__()
        self.cell = cell
        graph, hidden = cell.graph, cell.hidden_size
        self.projection: nn.Parameter | None = None
        if graph.raw and input_size != hidden:
            if not cell.settings.project:
                raise ConfigError(
                    f"model.cell.hidden_size: {cell.settings.type} reads the input itself, so its size must be that of "
                    f"the input ({input_size}), not {hidden}; model.cell.project: true puts a matrix in between"
                )
            self.projection = nn.Parameter(torch.empty(hidden, input_size))
            input_size = hidden
        self.weight_ih = nn.Parameter(torch.empty(len(graph.inputs) * hidden, input_size))
        self.weight_hh = nn.Parameter(torch.empty(len(graph.recurrent) * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(len(graph.inputs) * hidden)) if cell.bias else None
        self.vectors = nn.ParameterDict({name: nn.Parameter(torch.empty(hidden)) for name in graph.vectors})
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all parameters from uniform(±1/sqrt(hidden)), as torch.nn does, and add the cell's bias shifts."""
        bound = self.cell.hidden_size**-0.5
        for parameter in self.parameters():
            parameter.uniform_(-bound, bound)
        if self.bias is not None:
            blocks = dict(zip(self.cell.graph.inputs, self.bias.chunk(len(self.cell.graph.inputs)), strict=True))
            for block, shift in self.cell.bias_shifts().items():
                blocks[block].add_(shift)

    def zero_state(self, batch: int) -> State:
        """The state before the first step where none is given: zeros, each (batch, hidden)."""
        return tuple(self.weight_hh.new_zeros(batch, self.cell.hidden_size) for _ in self.cell.states)
