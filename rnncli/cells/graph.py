"""Equations as expressions: a cell's `step`, called with nodes in place of tensors, shows what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, Self, TypeVar
from weakref import WeakValueDictionary


class Value(Protocol):
    """What equations are written in: a tensor of (batch, hidden), or a node that stands for one."""

    def __add__(self, other: Self | float, /) -> Self: ...
    def __radd__(self, other: float, /) -> Self: ...
    def __sub__(self, other: Self | float, /) -> Self: ...
    def __rsub__(self, other: float, /) -> Self: ...
    def __mul__(self, other: Self | float, /) -> Self: ...
    def __rmul__(self, other: float, /) -> Self: ...
    def __neg__(self) -> Self: ...
    def sigmoid(self) -> Self: ...
    def tanh(self) -> Self: ...
    def relu(self) -> Self: ...


V = TypeVar("V", bound=Value)
T_co = TypeVar("T_co", covariant=True)


def sigmoid(value: V) -> V:
    """1 / (1 + exp(-value)), of each element."""
    return value.sigmoid()


def tanh(value: V) -> V:
    """The hyperbolic tangent of each element."""
    return value.tanh()


def relu(value: V) -> V:
    """max(value, 0) of each element."""
    return value.relu()


class Named(Generic[T_co]):
    """The `x`, `U` and `p` of the equations: `x.i` is whatever `find("i")` gives."""

    def __init__(self, find: Callable[[str], T_co]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> T_co:
        return self._find(name)


class Node:
    """An operation on other nodes. Equal expressions are the same object.

    Attributes:
        operation: input, state, vector or product (the first argument is a name), constant, add, subtract,
            multiply, negate, sigmoid, tanh, relu.
        arguments: nodes, and the name or number where the operation has one.
    """

    operation: str
    arguments: tuple[Node | str | float, ...]
    _alive: ClassVar[WeakValueDictionary[tuple[Node | str | float, ...], Node]] = WeakValueDictionary()

    def __new__(cls, operation: str, *arguments: Node | str | float) -> Node:
        key = (operation, *arguments)
        node = cls._alive.get(key)
        if node is None:
            node = cls._alive[key] = object.__new__(cls)
            node.operation, node.arguments = operation, arguments
        return node

    def __reduce__(self) -> tuple[type[Node], tuple[Node | str | float, ...]]:
        return Node, (self.operation, *self.arguments)  # a copy is the node itself

    def __add__(self, other: Node | float) -> Node:
        return Node("add", self, _node(other))

    def __radd__(self, other: float) -> Node:
        return Node("add", _node(other), self)

    def __sub__(self, other: Node | float) -> Node:
        return Node("subtract", self, _node(other))

    def __rsub__(self, other: float) -> Node:
        return Node("subtract", _node(other), self)

    def __mul__(self, other: Node | float) -> Node:
        return Node("multiply", self, _node(other))

    def __rmul__(self, other: float) -> Node:
        return Node("multiply", _node(other), self)

    def __neg__(self) -> Node:
        return Node("negate", self)

    def sigmoid(self) -> Node:
        return Node("sigmoid", self)

    def tanh(self) -> Node:
        return Node("tanh", self)

    def relu(self) -> Node:
        return Node("relu", self)

    def __repr__(self) -> str:
        return f"{self.operation}({', '.join(map(str, self.arguments))})"


def _node(value: Node | float) -> Node:
    return value if isinstance(value, Node) else Node("constant", float(value))


@dataclass(frozen=True)
class Product:
    """The recurrent blocks that multiply the same operand, and so are one matrix."""

    operand: Node
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """One step of a cell as expressions. All names stand in the order of their first use.

    Attributes:
        inputs: the blocks of the input projection.
        products: the recurrent products, grouped by operand.
        vectors: the vector parameters.
        state: the new state, one node for each of the cell's states.
    """

    inputs: tuple[str, ...]
    products: tuple[Product, ...]
    vectors: tuple[str, ...]
    state: tuple[Node, ...]

    @property
    def recurrent(self) -> tuple[str, ...]:
        """The recurrent blocks, those of one product side by side."""
        return tuple(block for product in self.products for block in product.blocks)


class Step(Protocol):
    """A cell's equations."""

    def __call__(
        self, x: Named[V], state: tuple[V, ...], U: Named[Callable[[V], V]], p: Named[V], /
    ) -> tuple[V, ...]: ...


def trace(step: Step, states: tuple[str, ...]) -> Graph:
    """The graph of a step.

    Raises:
        ValueError: a recurrent block is given two different operands, or the step returns another number of states.
    """
    inputs: dict[str, Node] = {}
    vectors: dict[str, Node] = {}
    operands: dict[str, Node] = {}

    def product(block: str) -> Callable[[Node], Node]:
        def multiply(operand: Node) -> Node:
            if operands.setdefault(block, operand) is not operand:
                raise ValueError(f"the recurrent block {block!r} multiplies two different operands; give each its name")
            return Node("product", block, operand)

        return multiply

    state = step(
        Named(lambda name: inputs.setdefault(name, Node("input", name))),
        tuple(Node("state", name) for name in states),
        Named(product),
        Named(lambda name: vectors.setdefault(name, Node("vector", name))),
    )
    if len(state) != len(states):
        raise ValueError(f"the step returns {len(state)} states, the cell names {len(states)}: {', '.join(states)}")
    blocks: dict[Node, list[str]] = {}
    for block, operand in operands.items():
        blocks.setdefault(operand, []).append(block)
    products = tuple(Product(operand, tuple(names)) for operand, names in blocks.items())
    return Graph(tuple(inputs), products, tuple(vectors), tuple(state))
