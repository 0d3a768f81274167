"""The backward step as expressions, by symbolic differentiation.

They read the values of the forward step and, as nodes of their own kinds:

- `incoming`: the derivative by the output of this step, from what reads it outside the layer;
- `carry(s)`: the derivative by the new state s, from the later step's equations without its recurrent products;
- `later(s)`: the same through those products that multiply the state itself;
- `back(block, slope, ...)`: the derivative by another operand of recurrent products: a slope is the derivative by the
  result of a product;
- `normalize_back(y, slope)`: the derivative by what was normalized to y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnncli.cells.derivatives import derivatives, plus, times
from rnncli.cells.expressions import Node, as_node, in_order
from rnncli.cells.graph import Graph

SOURCES = frozenset({"incoming", "carry", "later", "back", "normalize_back"})
ZERO = as_node(0.0)


@dataclass(frozen=True)
class Adjoints:
    """Derivatives of the loss.

    Attributes:
        products: by the result of each recurrent product, by its block.
        inputs, vectors, carried: by each block of the input projection, vector and old state.
        raw: by the input itself.
        output: by the new output, through all that follows.
    """

    products: Mapping[str, Node]
    inputs: Mapping[str, Node]
    vectors: Mapping[str, Node]
    carried: Mapping[str, Node]
    raw: Node | None
    output: Node

    def roots(self) -> list[Node]:
        """What a step has to compute."""
        several = (self.products, self.inputs, self.vectors, self.carried)
        return [*(node for each in several for node in each.values()), *([] if self.raw is None else [self.raw])]


def adjoints(graph: Graph) -> Adjoints:
    """The backward step of a graph."""
    found: dict[Node, Node] = {}
    order = list(in_order(graph.state))
    blocks: dict[Node, tuple[str, ...]] = {}  # of products that a state depends on
    for node in order:
        if node.operation == "product":
            blocks[node.operands[0]] = (*blocks.get(node.operands[0], ()), node.name)
    fixed = _fixed(order)

    def give(node: Node, derivative: Node) -> None:
        found[node] = plus(found[node], derivative) if node in found else derivative

    own = [_own(name, graph, blocks) for name in graph.states]
    for new, derivative in zip(graph.state, own, strict=True):
        give(new, derivative)
    for node in reversed(order):
        if node in blocks and node.operation != "state" and node not in fixed:
            give(node, _back(blocks[node], node, found))
        if node not in found or node in fixed or not node.operands or node.operation == "product":
            continue
        if node.operation == "normalize":
            give(node.operands[0], Node("normalize_back", node, found[node]))
        else:
            for operand, local in derivatives(node):
                if operand not in fixed:
                    give(operand, times(found[node], local))
    raw = found.get(Node("raw"), ZERO) if graph.raw else None
    return Adjoints(
        {b: found.get(Node("product", b, p.operand), ZERO) for p in graph.products for b in p.blocks},
        {name: found.get(Node("input", name), ZERO) for name in graph.inputs},
        {name: found.get(Node("vector", name), ZERO) for name in graph.vectors},
        {name: found.get(Node("state", name), ZERO) for name in graph.states},
        raw,
        own[0],
    )


def _own(name: str, graph: Graph, blocks: Mapping[Node, tuple[str, ...]]) -> Node:
    """The derivative by a new state through all that reads it after this step."""
    derivative = Node("carry", name)
    if Node("state", name) in blocks:
        derivative = plus(derivative, Node("later", name))
    return plus(derivative, Node("incoming")) if name == graph.states[0] else derivative


def _back(blocks: tuple[str, ...], operand: Node, found: Mapping[Node, Node]) -> Node:
    terms: list[Node | str] = []
    for block in blocks:
        slope = found.get(Node("product", block, operand), ZERO)
        if slope is not ZERO:
            terms += [block, slope]
    return Node("back", *terms) if terms else ZERO


def _fixed(order: list[Node]) -> set[Node]:
    """Nodes of masks and numbers alone, which nobody wants derivatives by."""
    fixed: set[Node] = set()
    for node in order:
        made_of_fixed = bool(node.operands) and fixed.issuperset(node.operands) and node.operation != "product"
        if node.operation in ("mask", "constant") or made_of_fixed:
            fixed.add(node)
    return fixed
