"""Weights from and to nn.LSTM, nn.GRU and nn.RNN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from rnncli.cells.cell import Cell, Twin
from rnncli.engines.torch_kernels import KERNEL_BLOCKS, described
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
from rnncli.layers.settings import DropoutSettings

_KINDS: dict[str, tuple[Callable[..., nn.RNNBase], dict[str, Any], dict[str, Any]]] = {
    "lstm": (nn.LSTM, {}, {"type": "lstm"}),
    "gru": (nn.GRU, {}, {"type": "gru", "reset": "after"}),
    "rnn_tanh": (nn.RNN, {"nonlinearity": "tanh"}, {"type": "rnn", "activation": "tanh"}),
    "rnn_relu": (nn.RNN, {"nonlinearity": "relu"}, {"type": "rnn", "activation": "relu"}),
}
"""Of each kernel the class in torch.nn, its options, and the cell here."""


def from_torch(module: nn.RNNBase) -> Stack:
    """A stack that computes the same as an nn.LSTM, nn.GRU or nn.RNN; it reads (batch, time, input).

    A module without biases becomes a stack whose biases are zero.

    Raises:
        UserError: the module is none of these, or has a `proj_size`.
    """
    stack = Stack(
        settings_of(_KINDS[_kernel(module)][2], module.hidden_size),
        module.input_size,
        layers=module.num_layers,
        bidirectional=module.bidirectional,
        dropout=DropoutSettings(between_layers=float(module.dropout)),
    ).to(next(module.parameters()))
    load_torch(stack, module)
    return stack.train(module.training)


def load_torch(stack: Stack, module: nn.RNNBase) -> None:
    """Give a stack the weights of an nn.LSTM, nn.GRU or nn.RNN. Torch's two biases become their sum.

    Raises:
        UserError: the module is of another kind or size, or the cell can't have its weights.
    """
    cell = stack.cell
    kernel, twin = _kernel(module), _twin(cell)
    if kernel != twin.kernel:
        raise UserError(
            f"the module is an {_shown(kernel)}; the cell {cell.settings.type} needs an {_shown(twin.kernel)}"
        )
    for name, found, needed in (
        ("input_size", module.input_size, _input_size(stack)),
        ("hidden_size", module.hidden_size, cell.hidden_size),
        ("num_layers", module.num_layers, height_of(stack)),
        ("bidirectional", module.bidirectional, stack.directions == 2),
    ):
        if found != needed:
            raise UserError(f"{name} of the module is {found}; the stack needs {needed}")
    layout = Layout(KERNEL_BLOCKS[kernel], twin.open_gates)
    names = Blocks._fields if module.bias else Blocks._fields[:2]
    for weights, suffix in zip(each_of(stack), _suffixes(stack), strict=True):
        given = [getattr(module, name + suffix).unflatten(0, (len(layout.blocks), -1)) for name in names]
        fill(weights, layout, with_biases(given), f"{suffix[1:]} of the module")


def to_torch(stack: Stack) -> nn.RNNBase:
    """An nn.LSTM, nn.GRU or nn.RNN that computes the same as a stack; it reads (batch, time, input).

    Of all kinds of dropout it has the one between layers alone.

    Raises:
        UserError: torch.nn has no counterpart of the cell, or none of what the stack has beside layers.
    """
    refuse_more_than_layers(stack, "torch.nn")
    cell, layers = stack.cell, height_of(stack)
    twin = _twin(cell)
    kind, options, _ = _KINDS[twin.kernel]
    module = kind(
        _input_size(stack),
        cell.hidden_size,
        layers,
        batch_first=True,
        dropout=stack.dropout.between_layers if layers > 1 else 0.0,
        bidirectional=stack.directions == 2,
        **options,
    ).to(next(stack.parameters()))
    layout = Layout(KERNEL_BLOCKS[twin.kernel], twin.open_gates)
    for weights, suffix in zip(each_of(stack), _suffixes(stack), strict=True):
        for name, blocks in blocks_of(weights, layout)._asdict().items():
            with torch.no_grad():
                getattr(module, name + suffix).copy_(blocks.flatten(0, 1))
    return module.train(stack.training)


def _kernel(module: nn.RNNBase) -> str:
    """The kernel of a module, as a Twin names it."""
    if not isinstance(module, nn.LSTM | nn.GRU | nn.RNN):
        raise UserError(f"{type(module).__name__} is no nn.LSTM, nn.GRU or nn.RNN")
    if module.proj_size:
        raise UserError(f"the module has proj_size {module.proj_size}; no cell has a projection of its output")
    return module.mode.lower()


def _twin(cell: Cell[Any]) -> Twin:
    twin = cell.twin()
    if twin is None:
        raise UserError(f"torch.nn has no module for {described(cell)}")
    return twin


def _shown(kernel: str) -> str:
    """A kernel as its module is written."""
    names = {"lstm": "nn.LSTM", "gru": "nn.GRU"}
    return names.get(kernel) or f"nn.RNN with {kernel.removeprefix('rnn_')}"


def _input_size(stack: Stack) -> int:
    return next(each_of(stack)).weight_ih.shape[1]


def _suffixes(stack: Stack) -> list[str]:
    """What torch.nn adds to the names of the parameters of each layer and direction."""
    return [f"_l{layer}{way}" for layer in range(height_of(stack)) for way in ("", "_reverse")[: stack.directions]]
