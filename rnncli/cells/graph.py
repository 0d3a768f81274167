"""A cell's equations as a graph: its `step`, called with nodes in place of tensors, shows what it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from rnncli.cells.expressions import Named, Node, V, as_node, in_order

Role = Literal["keep", "write", "read"]
"""What a gate decides: how much of the old state stays, how much of the new goes in, how much of it is seen."""

Mark = Callable[[V, Role], V]
"""What `gate.f` is: it takes a gate's value and its role, and gives the value back."""

Products = Named[Callable[[V], V]]
"""The `U` of the equations."""

Gates = Named[Mark[V]]
"""The `gate` of the equations."""


@dataclass(frozen=True)
class Product:
    """The recurrent blocks that multiply the same operand, and so are one matrix."""

    operand: Node
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Gate:
    """A value of the equations that is marked as a gate."""

    name: str
    role: Role
    value: Node


@dataclass(frozen=True)
class Graph:
    """One step of a cell as expressions. All names stand in the order of their first use.

    Attributes:
        inputs: the blocks of the input projection.
        products: the recurrent products, grouped by operand.
        vectors: the vector parameters.
        gates: the values marked as gates.
        states: the names of the states.
        state: the new state, one node for each of them.
    """

    inputs: tuple[str, ...]
    products: tuple[Product, ...]
    vectors: tuple[str, ...]
    gates: tuple[Gate, ...]
    states: tuple[str, ...]
    state: tuple[Node, ...]

    @property
    def recurrent(self) -> tuple[str, ...]:
        """The recurrent blocks, those of one product side by side."""
        return tuple(block for product in self.products for block in product.blocks)

    @property
    def raw(self) -> bool:
        """Whether the equations read the input itself, which then has as many features as the state has units."""
        return Node("raw") in set(in_order(self.state))

    def stages(self) -> tuple[tuple[Product, ...], ...]:
        """The products in the order in which they can be had: those of one stage need none of the others of it."""
        level: dict[Node, int] = {}
        for node in in_order(self.state):
            level[node] = max((level[each] for each in node.operands), default=0) + (node.operation == "product")
        staged: dict[int, list[Product]] = {}
        for product in self.products:
            staged.setdefault(level[product.operand], []).append(product)
        return tuple(tuple(staged[each]) for each in sorted(staged))

    def masked(self, hidden: bool, zoneout: Mapping[str, float | None]) -> Graph:
        """The equations with dropout in the recurrence.

        The masks are nodes: `mask(hidden)` multiplies the operand of every recurrent product; the share `mask(h)` of
        state h keeps its old value (Krueger et al., "Zoneout", ICLR 2017), or the constant share where one is given.

        Args:
            zoneout: share by the name of the state; None where it is a mask that is drawn.
        """
        changed: dict[Node, Node] = {}
        roots = [*self.state, *(gate.value for gate in self.gates), *(product.operand for product in self.products)]
        for node in in_order(roots):  # what no state depends on, too
            arguments = [changed[each] if isinstance(each, Node) else each for each in node.arguments]
            if hidden and node.operation == "product":
                arguments[1] = changed[node.operands[0]] * Node("mask", "hidden")
            changed[node] = Node(node.operation, *arguments)
        mask = Node("mask", "hidden")
        products = [
            replace(each, operand=changed[each.operand] * mask if hidden else changed[each.operand])
            for each in self.products
        ]
        state = []
        for name, new in zip(self.states, self.state, strict=True):
            value = changed[new]
            if name in zoneout:
                rate = zoneout[name]
                share = Node("mask", name) if rate is None else as_node(rate)
                rest = 1 - share if rate is None else as_node(1 - rate)
                value = share * Node("state", name) + rest * value
            state.append(value)
        gates = tuple(replace(gate, value=changed[gate.value]) for gate in self.gates)
        return replace(self, products=tuple(products), gates=gates, state=tuple(state))


class Step(Protocol):
    """A cell's equations."""

    def __call__(
        self, x: Named[V], state: tuple[V, ...], U: Products[V], p: Named[V], gate: Gates[V], /
    ) -> tuple[V, ...]: ...


def trace(step: Step, states: tuple[str, ...]) -> Graph:
    """The graph of a step.

    Raises:
        ValueError: a recurrent block is given two different operands, a gate two different values, or the step returns
            another number of states.
    """
    inputs: dict[str, Node] = {}
    vectors: dict[str, Node] = {}
    operands: dict[str, Node] = {}
    gates: dict[str, Gate] = {}

    def read(name: str) -> Node:
        return Node("raw") if name == "raw" else inputs.setdefault(name, Node("input", name))

    def product(block: str) -> Callable[[Node], Node]:
        def multiply(operand: Node) -> Node:
            if operands.setdefault(block, operand) is not operand:
                raise ValueError(f"the recurrent block {block!r} multiplies two different operands; give each its name")
            return Node("product", block, operand)

        return multiply

    def mark(name: str) -> Mark[Node]:
        def gate(value: Node, role: Role) -> Node:
            if gates.setdefault(name, Gate(name, role, value)) != Gate(name, role, value):
                raise ValueError(f"the gate {name!r} is marked twice with different values; give each its name")
            return value

        return gate

    state = step(
        Named(read),
        tuple(Node("state", name) for name in states),
        Named(product),
        Named(lambda name: vectors.setdefault(name, Node("vector", name))),
        Named(mark),
    )
    if len(state) != len(states):
        raise ValueError(f"the step returns {len(state)} states, the cell names {len(states)}: {', '.join(states)}")
    blocks: dict[Node, list[str]] = {}
    for block, operand in operands.items():
        blocks.setdefault(operand, []).append(block)
    products = tuple(Product(operand, tuple(names)) for operand, names in blocks.items())
    return Graph(tuple(inputs), products, tuple(vectors), tuple(gates.values()), states, tuple(state))
