"""All that the C code of a cell is written from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rnncli.cells.expressions import Node, in_order
from rnncli.cells.graph import Graph
from rnncli.engines.native.adjoints import Adjoints, adjoints
from rnncli.engines.native.planes import LEAVES, Kept, kept, needed
from rnncli.engines.native.schedule import Schedule, schedule


@dataclass(frozen=True)
class Plan:
    """One step in both directions.

    Attributes:
        graph: without the products that no state depends on.
        recurrent: all recurrent blocks, as they stand in weight_hh.
        bias: whether a bias is added to the blocks of the input projection.
        slopes: the planes of derivatives, by node.
        recorded: whether all gates are kept, and the derivative by the output has a plane.
    """

    graph: Graph
    recurrent: tuple[str, ...]
    bias: bool
    derivatives: Adjoints
    kept: Kept
    forward: Schedule
    backward: Schedule
    slopes: dict[Node, int]
    recorded: bool

    @property
    def normalized(self) -> tuple[Node, ...]:
        """The normalizations, whose statistics are kept of each row."""
        return tuple(node for node in self.forward.phase if node.operation == "normalize")

    @property
    def unread(self) -> tuple[int, ...]:
        """Where the recurrent blocks stand that no state depends on."""
        read = self.graph.recurrent
        return tuple(place for place, name in enumerate(self.recurrent) if name not in read)


def plan(graph: Graph, bias: bool, recorded: bool) -> Plan:
    """The plan of a graph's step."""
    recurrent = graph.recurrent
    gates = [gate.value for gate in graph.gates] if recorded else []
    reached = set(in_order([*graph.state, *gates]))
    products = (
        replace(each, blocks=tuple(name for name in each.blocks if Node("product", name, each.operand) in reached))
        for each in graph.products
    )
    graph = replace(graph, products=tuple(each for each in products if each.blocks))
    derivatives = adjoints(graph)
    values, leaves = needed(graph, derivatives)
    values = [*dict.fromkeys([*values, *gates])]
    operands = [each.operand for each in graph.products if each.operand.operation != "state"]

    def whole(node: Node, reader: Node) -> bool:
        as_it_is = node.operation == "input" and not bias and reader.operation == "normalize"
        return node.operation == "state" or as_it_is

    forward = schedule([*graph.state, *operands, *values], lambda node: node.operation in LEAVES, whole)
    planes = kept(graph, values, leaves, forward)

    def ready(node: Node) -> bool:
        return node in reached or node.operation in ("incoming", "carry", *LEAVES)

    with_planes = [*_with_planes(derivatives), *([derivatives.output] if recorded else [])]
    backward = schedule([*derivatives.roots(), *with_planes], ready, lambda node, _: node in planes.planes)
    slopes = {node: place for place, node in enumerate(dict.fromkeys(with_planes))}
    return Plan(graph, recurrent, bias, derivatives, planes, forward, backward, slopes, recorded)


def _with_planes(derivatives: Adjoints) -> Iterable[Node]:
    """Derivatives that matrix products read; those by the input's blocks first, since they are side by side there."""
    raw = [] if derivatives.raw is None else [derivatives.raw]
    return [*derivatives.inputs.values(), *derivatives.products.values(), *raw]
