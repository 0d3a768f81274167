"""The sums of the equations that begin with what is known before the loop, and what else is known before it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import reduce

from rnncli.cells.expressions import Node, in_order
from rnncli.cells.graph import Graph

Term = tuple[float, Node]
"""A sign and what is added with it."""

LEAVES = frozenset({"input", "raw", "vector", "mask"})
"""What there is before the first step, but for the states."""


@dataclass(frozen=True)
class Lane:
    """A sum to which recurrent products and known values are added in place.

    Attributes:
        sum: the node of the whole sum.
        block: the block of the input projection that it begins with.
        before: what else is known before the loop.
        products: the recurrent products that are added.
        rest: all other terms.
    """

    sum: Node
    block: str | None
    before: Node | None
    products: tuple[Node, ...]
    rest: tuple[Term, ...]


@dataclass(frozen=True)
class Structure:
    """A step, divided into what is known before the loop and what is not.

    Attributes:
        order: the nodes of the step, operands first, without those that are known before the loop.
        uses: how often each node is an operand or a new state.
        lanes: by the node of the sum.
        timeless: nodes of parameters and numbers alone.
        known: nodes that depend on neither state nor products.
        fixed: nodes of masks and numbers alone.
    """

    graph: Graph
    order: tuple[Node, ...]
    uses: Counter[Node]
    lanes: dict[Node, Lane]
    timeless: frozenset[Node]
    known: frozenset[Node]
    fixed: frozenset[Node]


def structure(graph: Graph) -> Structure:
    """Finds the lanes of a step."""
    order = tuple(in_order(graph.state))
    known = _of(order, {*LEAVES, "constant"})
    uses: Counter[Node] = Counter(graph.state)
    for node in order:
        uses.update(node.operands)
    found = Structure(
        graph,
        tuple(node for node in order if node not in known),
        uses,
        {},
        _of(order, {"vector", "constant"}),
        known,
        _of(order, {"mask", "constant"}),
    )
    absorbed: set[Node] = set()
    for node in reversed(found.order):
        if node.operation in ("add", "subtract", "negate") and node not in absorbed:
            terms = _terms(node, found, absorbed)
            lane = _lane(node, terms, found)
            if lane is not None:
                found.lanes[node] = lane
                absorbed.update(lane.products)
    for node in found.order:  # products that stand alone, or in several sums
        if node.operation == "product" and node not in absorbed:
            found.lanes[node] = Lane(node, None, None, (node,), ())
    return found


def _of(order: tuple[Node, ...], leaves: set[str]) -> frozenset[Node]:
    """The nodes that are made of these kinds of leaves alone."""
    found: set[Node] = set()
    for node in order:
        if node.operation in leaves or (
            node.operands and node.operation != "product" and found.issuperset(node.operands)
        ):
            found.add(node)
    return frozenset(found)


def sum_terms(node: Node, found: Structure) -> list[Term]:
    """The terms of a sum; sums within it that are used nowhere else are taken apart."""
    return _terms(node, found, set())


def _terms(node: Node, found: Structure, absorbed: set[Node], sign: float = 1.0) -> list[Term]:
    signs = {"add": (sign, sign), "subtract": (sign, -sign), "negate": (-sign,)}[node.operation]
    terms: list[Term] = []
    for each_sign, each in zip(signs, node.operands, strict=True):
        inner = each.operation in ("add", "subtract", "negate") and each not in found.known and found.uses[each] == 1
        if inner:
            absorbed.add(each)
            terms += _terms(each, found, absorbed, each_sign)
        else:
            terms.append((each_sign, each))
    return terms


def _lane(node: Node, terms: list[Term], found: Structure) -> Lane | None:
    """The lane of a sum, or None where nothing of it is known and nothing is a product."""
    by_operand: dict[Node, Node] = {}  # one for each: two of the same operand would want the same place in its product
    for sign, each in terms:
        if each.operation == "product" and sign > 0 and found.uses[each] == 1:
            by_operand.setdefault(each.operands[0], each)
    products = tuple(by_operand.values())
    before = [(sign, each) for sign, each in terms if each in found.known]
    if not products and all(each in found.timeless for _, each in before):
        return None
    rest = tuple((sign, each) for sign, each in terms if each not in found.known and each not in products)
    blocks = [each for sign, each in before if each.operation == "input" and sign > 0 and found.uses[each] == 1]
    others = [(sign, each) for sign, each in before if each not in blocks[:1]]
    if blocks and all(each in found.timeless for _, each in others):
        return Lane(node, blocks[0].name, _sum(others), products, rest)
    return Lane(node, None, _sum(before), products, rest)


def _sum(terms: list[Term]) -> Node | None:
    signed = [each if sign > 0 else -each for sign, each in terms]
    return reduce(lambda a, b: a + b, signed) if signed else None
