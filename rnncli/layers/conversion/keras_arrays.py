"""Weights from and to the layers LSTM, GRU and SimpleRNN of Keras, as lists of arrays. Keras itself is not needed.

As in Keras 3 (keras.io/api/layers/recurrent_layers, and its source): a layer has a kernel (input, blocks * units), a
recurrent kernel (units, blocks * units) and a bias. Blocks stand in the order i, f, c, o for an LSTM, and z, r, h for a
GRU, whose z keeps the old state: h' = z * h + (1 - z) * hh. A GRU with `reset_after` has the two biases of torch's,
(2, 3 * units); all others have one. `unit_forget_bias` is how that starts and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from rnncli.cells.cell import Cell, make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.torch_kernels import KERNEL_BLOCKS
from rnncli.errors import UserError
from rnncli.layers.conversion.blocks import (
    Blocks,
    Layout,
    blocks_of,
    each_of,
    fill,
    height_of,
    refuse_more_than_layers,
    settings_of,
    with_biases,
)
from rnncli.layers.recurrent import Stack

Arrays = Sequence[np.ndarray]
"""What `get_weights()` of a layer gives; of Bidirectional, the arrays of both directions, forward first."""

_WITHOUT_TWIN = ({"type": "gru", "reset": "before"}, {"type": "rnn", "activation": "identity"})
"""The cells that Keras has and torch has not."""

_ORDER = {4: [0, 1, 2, 3], 3: [1, 0, 2], 1: [0]}
"""By the number of blocks, which of torch's each of Keras' is; and the other way round."""


def from_keras(layers: Sequence[Arrays], activation: Literal["tanh", "relu", "identity"] = "tanh") -> Stack:
    """A stack that computes the same as layers of Keras, one on the other.

    Args:
        layers: the arrays of each layer. Outputs of both directions must stand side by side (`merge_mode="concat"`).
        activation: of SimpleRNN, whose weights don't show it. The gated ones must have sigmoid and tanh.

    Raises:
        UserError: these are not the weights of such layers, or don't fit on each other.
    """
    _check_nesting(layers)
    shapes = [array.shape for array in layers[0]]
    if len(shapes) not in (2, 3, 4, 6) or len(shapes[0]) != 2 or len(shapes[1]) != 2:
        raise UserError(f"layer 0 has arrays of shapes {shapes}, not a kernel, a recurrent kernel and a bias")
    hidden, columns = shapes[1]
    bias = shapes[2] if len(shapes) in (3, 6) else None
    if bias is None and columns == 3 * hidden:
        raise UserError("a GRU without a bias does not show its reset_after; make a stack and use load_keras")
    cells: dict[int, dict[str, Any]] = {
        4 * hidden: {"type": "lstm"},
        3 * hidden: {"type": "gru", "reset": "after" if bias == (2, columns) else "before"},
        hidden: {"type": "rnn", "activation": activation},
    }
    if columns not in cells:
        raise UserError(
            f"the recurrent kernel of layer 0 is {shapes[1]}; LSTM has (n, 4n), GRU (n, 3n), SimpleRNN (n, n)"
        )
    if activation != "tanh" and columns != hidden:
        raise UserError(f"activation {activation} is for SimpleRNN; these are the weights of another layer")
    both = len(shapes) in (4, 6)
    stack = Stack(settings_of(cells[columns], hidden), shapes[0][0], layers=len(layers), bidirectional=both)
    load_keras(stack.to(torch.as_tensor(layers[0][0]).dtype), layers)
    return stack


def load_keras(stack: Stack, layers: Sequence[Arrays]) -> None:
    """Give a stack the weights of layers of Keras.

    Raises:
        UserError: Keras has no counterpart of the cell, or an array has not the shape that the stack needs.
    """
    _check_nesting(layers)
    layout = _layout(stack.cell)
    if len(layers) != height_of(stack):
        raise UserError(f"these are weights of {len(layers)} layers; the stack has {height_of(stack)}")
    found: list[tuple[Blocks, str]] = []
    for place, weights in enumerate(each_of(stack)):
        layer, backward = divmod(place, stack.directions)
        arrays, where = layers[layer], f"layer {layer}{' backward' if backward else ''}"
        if len(arrays) not in (2 * stack.directions, 3 * stack.directions):
            ways = "both directions have 6" if stack.directions == 2 else "one direction has 3"
            raise UserError(f"layer {layer} has {len(arrays)} arrays; {ways} (without a bias {2 * stack.directions})")
        count = len(arrays) // stack.directions
        found.append((_read(arrays[backward * count :][:count], weights, len(layout.blocks), where), where))
    for weights, (blocks, where) in zip(each_of(stack), found, strict=True):
        fill(weights, layout, blocks, where)


def to_keras(stack: Stack) -> list[list[np.ndarray]]:
    """The arrays for `set_weights()` of layers of Keras that compute the same as a stack; they have a bias.

    Raises:
        UserError: Keras has no counterpart of the cell, or none of what the stack has beside layers.
    """
    refuse_more_than_layers(stack, "Keras")
    layout = _layout(stack.cell)
    layers: list[list[np.ndarray]] = [[] for _ in range(height_of(stack))]
    for place, weights in enumerate(each_of(stack)):
        blocks = Blocks(*(each[_ORDER[len(layout.blocks)]] for each in blocks_of(weights, layout)))
        matrices = [each.flatten(0, 1).t() for each in (blocks.weight_ih, blocks.weight_hh)]
        biases = torch.stack([blocks.bias_ih.flatten(), blocks.bias_hh.flatten()])
        arrays = [*matrices, biases if "hn" in weights.vectors else biases.sum(0)]
        layers[place // stack.directions] += [each.contiguous().cpu().numpy() for each in arrays]
    return layers


def _layout(cell: Cell[Any]) -> Layout:
    """The blocks of the layer of Keras with the same equations."""
    twin = cell.twin()
    if twin is not None:
        return Layout(KERNEL_BLOCKS[twin.kernel], twin.open_gates)
    for options in _WITHOUT_TWIN:
        if cell.graph.state == make_cell(settings_of(options, cell.hidden_size)).graph.state:
            return Layout(cell.graph.inputs)
    raise UserError(f"Keras has no counterpart of the cell {cell.settings.type} with its options")


def _check_nesting(layers: Sequence[Arrays]) -> None:
    """Refuse the arrays of a single layer where the lists of all layers are wanted."""
    if not layers or any(isinstance(each, np.ndarray) for each in layers):
        raise UserError("a list with the get_weights() of each layer is needed, also of a single one")


def _read(arrays: Arrays, weights: CellWeights, count: int, where: str) -> Blocks:
    """The arrays of one direction in torch's order of the blocks."""
    hidden, inputs = weights.cell.hidden_size, weights.weight_ih.shape[1]
    bias = (2, count * hidden) if "hn" in weights.vectors else (count * hidden,)
    needed = {"kernel": (inputs, count * hidden), "recurrent kernel": (hidden, count * hidden), "bias": bias}
    parameters: list[Tensor] = []
    for (name, shape), array in zip(needed.items(), arrays, strict=False):
        if array.shape != shape:
            raise UserError(f"the {name} of {where} is {array.shape}; the stack needs {shape}")
        rows = torch.as_tensor(array).to(weights.weight_ih)
        if name == "bias":
            parameters += rows.view(-1, count, hidden).unbind()
        else:
            parameters.append(rows.t().reshape(count, hidden, -1))
    return with_biases([each[_ORDER[count]] for each in parameters])
