"""The parameters of a cell as a layer of torch.nn or Keras has them: whole blocks, and two biases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnncli.cells.cell import CELLS, CellSettings
from rnncli.cells.weights import CellWeights
from rnncli.engines.torch_kernels import OPEN
from rnncli.errors import UserError
from rnncli.layers.recurrent import Stack


class Layout(NamedTuple):
    """The blocks of a kind of layer in torch's order, and those that a cell lacks: gates that are always 1."""

    blocks: tuple[str, ...]
    open_gates: tuple[str, ...] = ()

    @property
    def kept(self) -> list[int]:
        """The places of the blocks that the cell has."""
        return [place for place, block in enumerate(self.blocks) if block not in self.open_gates]


class Blocks(NamedTuple):
    """The parameters of one direction of one layer.

    Attributes:
        weight_ih: (blocks, hidden, input).
        weight_hh: (blocks, hidden, hidden).
        bias_ih: (blocks, hidden).
        bias_hh: (blocks, hidden); for a GRU the last one stands inside the reset.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor


def blocks_of(weights: CellWeights, layout: Layout) -> Blocks:
    """The parameters of a cell; a gate that is always open becomes zero weights with a large bias."""
    hidden, kept = weights.cell.hidden_size, layout.kept

    def whole(ours: Tensor, elsewhere: float) -> Tensor:
        blocks = ours.new_full((len(layout.blocks), hidden, *ours.shape[1:]), elsewhere)
        blocks[kept] = ours.detach().view(len(kept), *blocks.shape[1:])
        return blocks

    bias = weights.weight_ih.new_zeros(len(kept) * hidden) if weights.bias is None else weights.bias
    blocks = Blocks(whole(weights.weight_ih, 0), whole(weights.weight_hh, 0), whole(bias, OPEN), whole(0 * bias, 0))
    if "hn" in weights.vectors:
        blocks.bias_hh[-1] = weights.vectors["hn"].detach()
    return blocks


@torch.no_grad()
def fill(weights: CellWeights, layout: Layout, blocks: Blocks, where: str) -> None:
    """Give a cell these parameters; of two biases it takes the sum.

    Raises:
        UserError: they have a gate or a bias that the cell lacks.
    """
    name, kept = weights.cell.settings.type, layout.kept
    bias = blocks.bias_ih + blocks.bias_hh
    for place in set(range(len(layout.blocks))) - set(kept):
        if blocks.weight_ih[place].any() or blocks.weight_hh[place].any() or bool((bias[place] < OPEN).any()):
            raise UserError(
                f"{where}: gate {layout.blocks[place]} is not always open (zero weights, a bias of {OPEN:g} or more), "
                f"and {name} has no such gate"
            )
    if "hn" in weights.vectors:
        bias[-1] = blocks.bias_ih[-1]
        weights.vectors["hn"].copy_(blocks.bias_hh[-1])
    if weights.bias is not None:
        weights.bias.copy_(bias[kept].flatten())
    elif bias[kept].any():
        raise UserError(f"{where}: there is a bias that is not zero, and {name} has none")
    weights.weight_ih.copy_(blocks.weight_ih[kept].flatten(0, 1))
    weights.weight_hh.copy_(blocks.weight_hh[kept].flatten(0, 1))


def refuse_more_than_layers(stack: Stack, where: str) -> None:
    """See to it that a stack is nothing but layers of a cell, which start at zeros.

    Raises:
        UserError: it has connections or a learned state before the first step.
    """
    if len(stack.connections):
        raise UserError(f"the stack has connections around its layers; {where} has no layer with them")
    if len(stack.initial):
        raise UserError(f"the stack has learned its state before the first step; the layers of {where} start at zeros")


def each_of(stack: Stack) -> Iterator[CellWeights]:
    """The parameters of a stack, layer by layer, and in each layer forward before backward."""
    for weights in stack.weights:
        assert isinstance(weights, CellWeights)
        yield weights


def settings_of(options: Mapping[str, Any], hidden_size: int) -> CellSettings:
    """The settings of a cell with these options."""
    return CELLS[options["type"]].settings_type.model_validate({**options, "hidden_size": hidden_size})


def height_of(stack: Stack) -> int:
    """How many layers lie on each other."""
    return len(stack.weights) // stack.directions


def with_biases(parameters: Sequence[Tensor]) -> Blocks:
    """The two matrices, and the biases that there are, with zeros for the others."""
    zeros = torch.zeros_like(parameters[0][..., 0])
    return Blocks(*parameters, *[zeros] * (4 - len(parameters)))
