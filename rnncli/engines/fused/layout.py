"""The orders in which lanes can stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial, prod

from rnncli.cells.expressions import Node
from rnncli.engines.fused.lanes import Lane, Structure
from rnncli.engines.fused.slots import Slot

_MOST = 24
"""Orders that are tried: all those of four lanes."""


@dataclass(frozen=True)
class Layout:
    """Where each lane stands.

    Attributes:
        linear: lanes that begin with a block of the input projection; one matrix product makes them all.
        hoisted: lanes that begin with something else that is known before the loop.
        own: lanes that begin with a product.
    """

    linear: tuple[Lane, ...]
    hoisted: tuple[Lane, ...]
    own: tuple[Lane, ...]

    def slot(self, node: Node) -> Slot:
        """Where the lane of that sum stands."""
        if any(lane.sum is node for lane in self.linear):
            return Slot("linear", _place(self.linear, node))
        if any(lane.sum is node for lane in self.hoisted):
            return Slot("hoisted", _place(self.hoisted, node))
        return Slot("own", _place(self.own, node))

    def gradient(self, node: Node) -> Slot:
        """Where the derivative by that sum stands: the lanes of all kinds follow one another."""
        slot = self.slot(node)
        before = {"linear": 0, "hoisted": len(self.linear), "own": len(self.linear) + len(self.hoisted)}
        return Slot("gradient", before[slot.buffer] + slot.first)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """All lanes, in the order of their derivatives."""
        return (*self.linear, *self.hoisted, *self.own)


def _place(lanes: Sequence[Lane], node: Node) -> int:
    return next(place for place, lane in enumerate(lanes) if lane.sum is node)


def layouts(found: Structure) -> Iterator[Layout]:
    """Orders in which the lanes of a step can stand: all, where they are few, else that of the equations."""
    lanes = list(found.lanes.values())
    order = {block: place for place, block in enumerate(found.graph.inputs)}
    linear = sorted((lane for lane in lanes if lane.block is not None), key=lambda lane: order[str(lane.block)])
    rest = [lane for lane in lanes if lane.block is None]
    hoisted = [lane for lane in rest if lane.before is not None and lane.before not in found.timeless]
    kinds = (linear, hoisted, [lane for lane in rest if lane not in hoisted])
    if prod(factorial(len(kind)) for kind in kinds) > _MOST:
        kinds_in_order: Iterator[tuple[tuple[Lane, ...], ...]] = iter([tuple(map(tuple, kinds))])
    else:
        kinds_in_order = product(*map(permutations, kinds))
    for kind in kinds_in_order:
        yield Layout(*kind)
