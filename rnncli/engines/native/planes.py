"""What of the forward step is kept until the backward step, and in which planes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rnncli.cells.expressions import Node, in_order
from rnncli.cells.graph import Graph
from rnncli.engines.native.adjoints import SOURCES, Adjoints
from rnncli.engines.native.schedule import Schedule

LEAVES = frozenset({"input", "raw", "state", "vector", "mask", "constant"})
"""What is there before a step begins."""

_LIGHT = frozenset({"add", "subtract", "multiply", "negate"})
"""Operations that are faster done again than read from memory."""

_CURVES = frozenset({"sigmoid", "tanh", "relu"})
"""Functions that are about as fast done again, where what they are functions of is at hand, and take no memory."""


@dataclass(frozen=True)
class Kept:
    """Values of the forward step that the backward step reads.

    Attributes:
        planes: by node. The blocks of the input projection have a plane each in any case.
        count: how many planes there are.
        old: the plane of a state's new value, by its name, where there is one and its old value is read.
        before: whether the old output is read, but no plane holds it: the layer's outputs do.
    """

    planes: Mapping[Node, int]
    inputs: Mapping[str, int]
    count: int
    old: Mapping[str, int]
    before: bool


def needed(graph: Graph, derivatives: Adjoints) -> tuple[list[Node], set[Node]]:
    """The values that are kept, but for operands of products; and the leaves that are read by the backward step."""
    forward = dict.fromkeys(in_order(graph.state))
    wanted = _read(derivatives.roots(), forward)
    olds = {node for node in map(_old, graph.states) if node in wanted or node in _operands(graph)}
    keep = {new: None for name, new in zip(graph.states[1:], graph.state[1:], strict=True) if _old(name) in olds}
    leaves = {node for node in wanted if node.operation in LEAVES}
    at_hand = {node for node in leaves if node.operation == "input"} | olds | {_old(graph.states[0])}
    for node in forward:
        if node in wanted and node not in leaves:
            again = node.operation in _LIGHT | _CURVES and all(_made_of(each, keep, at_hand) for each in node.operands)
            if not again:
                keep.setdefault(node)
    return list(keep), leaves | {leaf for node in wanted for leaf in _leaves(node, keep)}


def _old(name: str) -> Node:
    return Node("state", name)


def _operands(graph: Graph) -> set[Node]:
    return {product.operand for product in graph.products}


def _read(roots: Iterable[Node], forward: Mapping[Node, None]) -> set[Node]:
    """The values of the forward step that derivatives are made of."""
    found: set[Node] = set()
    seen: set[Node] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in forward and node.operation not in SOURCES:
            found.add(node)
        else:
            waiting += node.operands
    return found


def _made_of(node: Node, keep: Mapping[Node, None], at_hand: set[Node]) -> bool:
    """Whether a value can be made again of what is kept."""
    if node.operation in LEAVES:  # also one that is kept, as what another state becomes: it is not read from there
        return node in at_hand or node.operation in ("raw", "vector", "mask", "constant")
    return node in keep or (node.operation in _LIGHT and all(_made_of(each, keep, at_hand) for each in node.operands))


def _leaves(node: Node, keep: Mapping[Node, None]) -> set[Node]:
    """The leaves that a value is made of again."""
    if node.operation in LEAVES:
        return {node}
    if node in keep:
        return set()
    return {leaf for each in node.operands for leaf in _leaves(each, keep)}


def kept(graph: Graph, values: Iterable[Node], leaves: set[Node], forward: Schedule) -> Kept:
    """The planes of these values and of the operands of products.

    A value takes the plane of a block of the input projection that it is made of, where nothing reads that later.
    """
    inputs = {name: place for place, name in enumerate(graph.inputs)}
    values = list(values)
    last_read = _last_read(graph, [*graph.state, *values], forward)
    free = {name: last for name, last in last_read.items() if Node("input", name) not in leaves}
    planes: dict[Node, int] = {}
    count = len(inputs)
    operands = [each for each in _operands(graph) if each.operation != "state"]
    order = {node: place for place, node in enumerate(in_order([*graph.state, *operands, *values]))}
    for node in sorted({*values, *operands}, key=order.__getitem__):
        block = None if node.operation in LEAVES else _block_to_take(node, forward.phase[node], free)
        if block is None:
            planes[node] = count
            count += 1
        else:
            planes[node] = inputs[block]
            del free[block]
    old = {name: planes[new] for name, new in zip(graph.states, graph.state, strict=True) if new in planes}
    first = _old(graph.states[0])
    read = first in leaves or first in _operands(graph)
    return Kept(planes, inputs, count, old, read and graph.states[0] not in old)


def _block_to_take(node: Node, phase: int, free: Mapping[str, int]) -> str | None:
    """The block of the input projection over which a value can be written in its phase."""
    of = {each.name for each in in_order([node]) if each.operation == "input"}
    return next((name for name, last in free.items() if name in of and last <= phase), None)


def _last_read(graph: Graph, results: Iterable[Node], forward: Schedule) -> dict[str, int]:
    """The last phase that reads each block of the input projection; the last of all hands on what is a result."""
    last = dict.fromkeys(graph.inputs, 0)
    for node, phase in forward.phase.items():
        for each in (node, *node.operands):
            if each.operation == "input":
                last[each.name] = max(last[each.name], phase)
    return last | {each.name: forward.count - 1 for each in results if each.operation == "input"}
