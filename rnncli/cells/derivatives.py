"""Derivatives of single operations, in terms of their operands and results."""

from __future__ import annotations

from collections.abc import Iterator

from rnncli.cells.expressions import Node, as_node

_ONE = as_node(1.0)
_ZERO = as_node(0.0)


def derivatives(node: Node) -> Iterator[tuple[Node, Node]]:
    """Each operand of an operation on single elements, with the derivative of the result by it."""
    operands = node.operands
    match node.operation:
        case "add":
            yield from ((each, _ONE) for each in operands)
        case "subtract":
            yield from zip(operands, (_ONE, as_node(-1.0)), strict=True)
        case "negate":
            yield operands[0], as_node(-1.0)
        case "multiply":
            yield operands[0], operands[1]
            yield operands[1], operands[0]
        case "divide":
            below = operands[1]
            yield operands[0], as_node(1 / below.number) if below.operation == "constant" else _ONE / below
            yield below, -(node / below)
        case "sigmoid" | "tanh" | "relu":
            yield operands[0], Node(f"{node.operation}_slope", node)
        case _:
            raise ValueError(f"no derivative of {node.operation}")


def times(a: Node, b: Node) -> Node:
    """a * b, where numbers are gathered and slopes stand last."""
    if a.operation == "constant" and b.operation == "constant":
        return as_node(a.number * b.number)
    if _ZERO in (a, b):
        return _ZERO
    if a is _ONE or b is _ONE:
        return b if a is _ONE else a
    if b.operation == "constant":
        a, b = b, a
    if a.operation == "constant" and a.number == -1:
        return b.operands[0] if b.operation == "negate" else -b
    if a.operation == "negate":
        return -times(a.operands[0], b)
    return a * b


def plus(a: Node, b: Node) -> Node:
    """a + b without needless signs and zeros."""
    if a.operation == "constant" and b.operation == "constant":
        return as_node(a.number + b.number)
    if _ZERO in (a, b):
        return b if a is _ZERO else a
    if b.operation == "negate":
        return a - b.operands[0]
    return b - a.operands[0] if a.operation == "negate" else a + b
