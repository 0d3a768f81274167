"""The parameters of one cell, as its graph asks for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rnncli.cells.cell import Cell
from rnncli.cells.drawing import Streams, draw
from rnncli.cells.initialization import by_block
from rnncli.cells.initializers import InitializerSettings, UniformSettings
from rnncli.cells.parameters import parameters, projects
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
        if projects(cell, input_size) and not cell.settings.project:
            raise ConfigError(
                [
                    f"model.cell.hidden_size: {cell.settings.type} reads the input itself, which has {input_size} "
                    f"features here, not {cell.hidden_size}; model.cell.project: true puts a matrix in between"
                ]
            )
        self._layout = parameters(cell, input_size)
        new = {each.name: nn.Parameter(torch.empty(each.shape)) for each in self._layout}
        self.weight_ih, self.weight_hh = new["weight_ih"], new["weight_hh"]
        self.bias, self.projection = new.get("bias"), new.get("projection")
        self.vectors = nn.ParameterDict({name: new[f"vectors.{name}"] for name in cell.graph.vectors})
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self, otherwise: InitializerSettings | None = None) -> None:
        """Draw each block from a stream of its own, as the settings of the cell say, or else as the cell starts, or
        else in the way `otherwise`, or where that is none or for matrices alone and the block is no matrix, from
        uniform(±1/sqrt(hidden)), as torch.nn does. Then add the bias shifts, but for a bias that the settings name by
        its block.

        So with the same seed a block starts the same in every cell that has one of that name, shape and way.
        """
        blocks, given, hidden = self.blocks(), self.cell.settings.initialization, self.cell.hidden_size
        ways = by_block(self.cell.starts(), self.cell.blocks) | by_block(given, self.cell.blocks)
        streams = Streams()
        for name, block in blocks.items():
            usual = otherwise if otherwise is not None and otherwise.suits(block.dim()) else UniformSettings()
            with streams.named(name):
                draw(block, ways.get(name, usual), hidden)
        for name, shift in self.cell.bias_shifts().items():
            if f"b_{name}" not in given:
                blocks[f"b_{name}"].add_(shift)

    @property
    def input_size(self) -> int:
        """Features of what it reads."""
        return (self.weight_ih if self.projection is None else self.projection).shape[1]

    def blocks(self) -> dict[str, Tensor]:
        """Each block of the parameters by its name in `Cell.blocks`, a view of (hidden, columns) or (hidden,)."""
        hidden = self.cell.hidden_size
        return {
            block: self.get_parameter(each.name)[place * hidden :][:hidden]
            for each in self._layout
            for place, block in enumerate(each.blocks)
        }

    def zero_state(self, batch: int) -> State:
        """The state before the first step where none is given: zeros, each (batch, hidden)."""
        return tuple(self.weight_hh.new_zeros(batch, self.cell.hidden_size) for _ in self.cell.states)
