"""In which phase of a step each value is computed.

A phase runs over all hidden units, a few at a time. What needs the values of other units - a recurrent product, the
derivative by its operand, a normalization - can begin only in the phase after the one that has put those into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rnncli.cells.expressions import Node, in_order


def whole_operands(node: Node) -> tuple[Node, ...]:
    """The operands of which all hidden units are needed."""
    match node.operation:
        case "product" | "back" | "normalize":
            return node.operands
        case "normalize_back":
            return node.operands[1:]
        case _:
            return ()


@dataclass(frozen=True)
class Schedule:
    """Phases of a step.

    Attributes:
        phase: of each node that is computed; as late as it can be.
        count: how many there are.
        stored: nodes that must stand in memory, since a later phase reads them, or all their units at once.
    """

    phase: dict[Node, int]
    count: int
    stored: frozenset[Node]

    def of(self, phase: int) -> list[Node]:
        """What is computed in a phase, operands first."""
        return [node for node, its in self.phase.items() if its == phase]


def schedule(roots: Iterable[Node], ready: Callable[[Node], bool], whole: Callable[[Node, Node], bool]) -> Schedule:
    """The phases of a step that computes the roots.

    Args:
        ready: whether a value can be read, or made anew, in every phase.
        whole: whether all units of a value are in memory from the beginning, for the node that reads them.
    """
    roots = list(roots)
    order = _computed(roots, ready)
    earliest: dict[Node, int] = {}
    for node in order:
        after = {each: 0 if whole(each, node) else earliest.get(each, 0) + 1 for each in whole_operands(node)}
        earliest[node] = max((after.get(each, earliest.get(each, 0)) for each in node.operands), default=0)
    count = max(earliest.values(), default=0) + 1
    latest = dict.fromkeys(order, count - 1)
    stored: set[Node] = set()
    for node in reversed(order):
        for each in whole_operands(node):
            if not whole(each, node):
                stored.add(each)
                latest[each] = min(latest.get(each, count - 1), latest[node] - 1)
        for each in node.operands:
            if each not in whole_operands(node) and each in latest:
                latest[each] = min(latest[each], latest[node])
    for node in order:
        stored.update(
            each
            for each in node.operands
            if each in earliest and each not in whole_operands(node) and latest[each] < latest[node]
        )
    return Schedule(latest, count, frozenset(stored))


def _computed(roots: list[Node], ready: Callable[[Node], bool]) -> list[Node]:
    """What has to be computed, operands first."""
    seen: dict[Node, None] = {}
    needed: set[Node] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if node not in needed and not ready(node):
            needed.add(node)
            waiting += node.operands
    for node in in_order(roots):
        if node in needed:
            seen[node] = None
    return list(seen)
