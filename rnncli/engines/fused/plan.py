"""All that follows from the equations: made once for a cell and what is asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rnncli.cells.graph import Graph
from rnncli.engines.fused.backward import Backward
from rnncli.engines.fused.forward import Forward
from rnncli.engines.fused.lanes import Structure, structure
from rnncli.engines.fused.layout import Layout, layouts


@dataclass(frozen=True)
class Plan:
    """One step forward and one backward."""

    graph: Graph
    found: Structure
    layout: Layout
    forward: Forward
    backward: Backward

    @property
    def operations(self) -> int:
        """How many operations of torch a step takes in both directions."""
        return len(self.forward.instructions) + len(self.backward.instructions)


def plan(graph: Graph, hidden_mask: bool, zoneout: Iterable[tuple[str, float | None]]) -> Plan:
    """The plan of a step with these masks; see `Graph.masked`."""
    return _plan(graph, hidden_mask, tuple(zoneout))


@lru_cache(maxsize=64)
def _plan(graph: Graph, hidden_mask: bool, zoneout: tuple[tuple[str, float | None], ...]) -> Plan:
    graph = graph.masked(hidden_mask, dict(zoneout))
    found = structure(graph)
    forwards = [Forward(found, lanes) for lanes in layouts(found)]
    plans = [Plan(graph, found, each.layout, each, Backward(each)) for each in forwards]
    return min(plans, key=lambda each: each.operations)  # like beside like takes the fewest
