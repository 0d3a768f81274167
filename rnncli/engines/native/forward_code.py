"""The C code of a step forward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rnncli.cells.expressions import Node
from rnncli.engines.native.phase import Phase
from rnncli.engines.native.places import ROW, Places
from rnncli.engines.native.plan import Plan


class Forward(Places):
    """Writes a step forward."""

    def __init__(self, plan: Plan, names: Mapping[Node, str]) -> None:
        super().__init__(plan, names, plan.forward, {*plan.kept.planes, *plan.graph.state})

    def phases(self) -> Iterator[list[str]]:
        """The lines of each phase."""
        count = self.plan.forward.count
        handed_on = dict.fromkeys([*self.plan.graph.state, *self.plan.kept.planes])
        for number in range(count):
            nodes = self.plan.forward.of(number)
            lanes = [node for node in nodes if node.operation == "product"]
            phase = Phase(self, number, lanes, list(self._prepared(nodes)))
            if number == count - 1:  # also what is handed on as it was
                nodes += [node for node in handed_on if node not in self.plan.forward.phase]
            for node in nodes:  # all, before the first is written where another stood
                phase.value(node)
            for node in nodes:
                for address in self.written(node):
                    phase.store(node, address)
            yield [f"// phase {number + 1} of {count}", *phase.text("step->rows - row")]

    def written(self, node: Node) -> Iterator[str]:
        if node in self.plan.kept.planes:
            yield self.kept(self.plan.kept.planes[node])
        yield from self.handed(node)
        for place, new in enumerate(self.plan.graph.state):
            if new is node:
                yield f"step->new[{place}] + {ROW} * padded + unit"

    def terms(self, node: Node) -> list[str]:
        operand = node.operands[0]
        if operand.operation == "state":
            place = self.plan.graph.states.index(operand.name)
            left = f"step->old[{place}] + row * step->old_stride[{place}], step->old_stride[{place}]"
        else:
            left = f"step->kept + row * kept_row + {self.plan.kept.planes[operand]} * padded, kept_row"
        return [f"{left}, {self.panel(node.name)}"]

    def statistics(self, node: Node) -> str:
        return self.kept_statistics(node)

    def _prepared(self, nodes: list[Node]) -> Iterator[str]:
        """Statistics of whole rows."""
        wanted = [node for node in nodes if node.operation == "normalize"]
        if wanted:
            yield "for (long at = worker->member, unit = 0; at < step->rows; at += worker->members) {"
            for node in wanted:
                yield f"    row_statistics({self.address(node.operands[0])}, hidden, {self.statistics(node)});"
            yield "}"
            yield "meet(worker);"
