"""What equations are written in: tensors, or nodes that stand for them. Nothing here needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast
from weakref import WeakValueDictionary

EPSILON = 1e-5
"""Added to the variance by `normalize`."""


class Value(Protocol):
    """A tensor of (batch, hidden), or a node that stands for one."""

    def __add__(self, other: Self | float, /) -> Self: ...
    def __radd__(self, other: float, /) -> Self: ...
    def __sub__(self, other: Self | float, /) -> Self: ...
    def __rsub__(self, other: float, /) -> Self: ...
    def __mul__(self, other: Self | float, /) -> Self: ...
    def __rmul__(self, other: float, /) -> Self: ...
    def __truediv__(self, other: Self | float, /) -> Self: ...
    def __rtruediv__(self, other: float, /) -> Self: ...
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


def normalize(value: V) -> V:
    """Each row minus its mean, divided by its standard deviation: layer normalization before gain and shift."""
    if isinstance(value, Node):
        return Node("normalize", value)  # type: ignore[return-value]
    rows = cast(Any, value)  # a tensor; what it needs is spelt as methods, so that torch is not imported here
    centered = rows - rows.mean(-1, keepdim=True)
    return cast(V, centered * (centered.square().mean(-1, keepdim=True) + EPSILON).rsqrt())


class Named(Generic[T_co]):
    """The `x`, `U`, `p` and `gate` of the equations: `x.i` is whatever `find("i")` gives."""

    def __init__(self, find: Callable[[str], T_co]) -> None:
        self._find = find

    def __getattr__(self, name: str) -> T_co:
        return self._find(name)


class Node:
    """An operation on other nodes. Equal expressions are the same object.

    Attributes:
        operation: input, state, vector, mask or product (the first argument is a name), raw, constant, add, subtract,
            multiply, divide, negate, sigmoid, tanh, relu, normalize; in derivatives also sigmoid_slope, tanh_slope and
            relu_slope, the derivatives of those functions in terms of their results.
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

    @property
    def name(self) -> str:
        """The name of an input, state, vector, mask or product."""
        return str(self.arguments[0])

    @property
    def number(self) -> float:
        """The number of a constant."""
        return float(str(self.arguments[0]))

    @property
    def operands(self) -> tuple[Node, ...]:
        """The arguments that are nodes."""
        return tuple(each for each in self.arguments if isinstance(each, Node))

    def __add__(self, other: Node | float) -> Node:
        return Node("add", self, as_node(other))

    def __radd__(self, other: float) -> Node:
        return Node("add", as_node(other), self)

    def __sub__(self, other: Node | float) -> Node:
        return Node("subtract", self, as_node(other))

    def __rsub__(self, other: float) -> Node:
        return Node("subtract", as_node(other), self)

    def __mul__(self, other: Node | float) -> Node:
        return Node("multiply", self, as_node(other))

    def __rmul__(self, other: float) -> Node:
        return Node("multiply", as_node(other), self)

    def __truediv__(self, other: Node | float) -> Node:
        return Node("divide", self, as_node(other))

    def __rtruediv__(self, other: float) -> Node:
        return Node("divide", as_node(other), self)

    def __neg__(self) -> Node:
        return Node("negate", self)

    def sigmoid(self) -> Node:
        return Node("sigmoid", self)

    def tanh(self) -> Node:
        return Node("tanh", self)

    def relu(self) -> Node:
        return Node("relu", self)

    def __bool__(self) -> bool:
        raise TypeError("an equation can't ask for the value of a Node: it must be the same at every step")

    def __repr__(self) -> str:
        return f"{self.operation}({', '.join(map(str, self.arguments))})"


def as_node(value: Node | float) -> Node:
    """The node itself, or the constant of that number."""
    return value if isinstance(value, Node) else Node("constant", float(value))


def in_order(roots: Iterable[Node]) -> Iterator[Node]:
    """The roots and all they are made of, each once, operands before what is made of them."""
    seen: set[Node] = set()
    waiting = [(root, False) for root in reversed(list(roots))]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            waiting.append((node, True))
            waiting += [(operand, False) for operand in reversed(node.operands)]
