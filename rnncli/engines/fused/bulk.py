"""Expressions of many rows at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear

from rnncli.cells.expressions import EPSILON, Node

_aten = torch.ops.aten


class Evaluation:
    """Values of expressions, each computed once.

    Args:
        leaf: the value of a node that is already there, or None.
        blocks: the recurrent matrices, for products that were not kept, since they are parts of sums.
    """

    def __init__(self, leaf: Callable[[Node], Tensor | None], blocks: Mapping[str, Tensor]) -> None:
        self._leaf, self._blocks = leaf, blocks
        self._known: dict[Node, Tensor | float] = {}

    def __call__(self, node: Node) -> Tensor | float:
        """The value of a node: (rows, hidden), (hidden,) or a number."""
        if node not in self._known:
            value = self._leaf(node)
            self._known[node] = self._made(node) if value is None else value
        return self._known[node]

    def _made(self, node: Node) -> Tensor | float:
        if node.operation == "constant":
            return node.number
        if node.operation == "multiply" and node.operands[1].operation.endswith("_slope"):
            return self._sloped(node)
        if node.operation.endswith("_slope"):
            return _slope(node.operation, self.tensor(node.operands[0]))
        values = [self(each) for each in node.operands]
        match node.operation:
            case "add":
                return values[0] + values[1]
            case "subtract":
                return values[0] - values[1]
            case "multiply":
                return values[0] * values[1]
            case "divide":
                return values[0] / values[1]
            case "negate":
                return -values[0]
        (value,) = map(self.tensor, node.operands)
        match node.operation:
            case "sigmoid":
                return value.sigmoid()
            case "tanh":
                return value.tanh()
            case "relu":
                return value.relu()
            case "normalize":
                return layer_norm(value, value.shape[-1:], eps=EPSILON)
            case "product":
                return linear(value, self._blocks[node.name])
            case "inverse_deviation":
                return torch.native_layer_norm(value, value.shape[-1:], None, None, EPSILON)[2].expand_as(value)
        raise ValueError(f"no value of {node.operation}")

    def tensor(self, node: Node) -> Tensor:
        """The value of a node that is more than a number."""
        value = self(node)
        return value if isinstance(value, Tensor) else torch.tensor(value)

    def put(self, node: Node, out: Tensor) -> None:
        """Writes the value of a node, without a copy where it is something times a slope."""
        if node.operation == "multiply" and node.operands[1].operation.endswith("_slope"):
            factor, slope = node.operands
            result = self.tensor(slope.operands[0])
            _SLOPES[slope.operation](self.tensor(factor).expand_as(out), result.expand_as(out), out)
        else:
            out.copy_(self.tensor(node))

    def _sloped(self, node: Node) -> Tensor:
        """A derivative times the slope of a function."""
        factor, slope = node.operands
        result, value = self.tensor(slope.operands[0]), self(factor)
        if not isinstance(value, Tensor):
            return value * _slope(slope.operation, result)
        out = torch.empty_like(result, memory_format=torch.contiguous_format)
        _SLOPES[slope.operation](value.expand_as(out), result, out)
        return out


_SLOPES: dict[str, Callable[[Tensor, Tensor, Tensor], object]] = {
    "sigmoid_slope": lambda factor, result, out: _aten.sigmoid_backward(factor, result, grad_input=out),
    "tanh_slope": lambda factor, result, out: _aten.tanh_backward(factor, result, grad_input=out),
    "relu_slope": lambda factor, result, out: _aten.threshold_backward(factor, result, 0, grad_input=out),
}
"""Something times the slope of a function, by torch's own operations for it."""


def _slope(operation: str, result: Tensor) -> Tensor:
    match operation:
        case "sigmoid_slope":
            return torch.addcmul(result, result, result, value=-1)
        case "tanh_slope":
            return torch.addcmul(result.new_ones(()), result, result, value=-1)
        case _:
            return (result > 0).to(result.dtype)
