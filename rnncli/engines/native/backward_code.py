"""The C code of a step backward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rnncli.cells.expressions import Node
from rnncli.engines.native.adjoints import ZERO
from rnncli.engines.native.phase import Phase
from rnncli.engines.native.places import READ, ROW, Places
from rnncli.engines.native.plan import Plan


class Backward(Places):
    """Writes a step backward."""

    def __init__(self, plan: Plan, names: Mapping[Node, str]) -> None:
        super().__init__(plan, names, plan.backward, {*plan.slopes})
        self.normalized = [node for node in plan.backward.phase if node.operation == "normalize_back"]

    def phases(self) -> Iterator[list[str]]:
        """The lines of each phase."""
        count = self.plan.backward.count
        for number in range(count):
            nodes = self.plan.backward.of(number)
            lanes = [node for node in nodes if node.operation in ("later", "back")]
            phase = Phase(self, number, lanes, list(self._prepared(nodes)))
            for node in nodes:
                phase.value(node)
            for node in nodes:
                for address in self.written(node):
                    phase.store(node, address)
            self._hand_on(phase, number)
            later = any(node.operation == "later" for node in lanes)
            rows = "(row < step->later ? step->later : step->rows) - row" if later else "step->rows - row"
            yield [f"// phase {number + 1} of {count}", *phase.text(rows)]

    def _hand_on(self, phase: Phase, number: int) -> None:
        """What of a phase goes to the step before, or is summed over rows; in the last also what is not computed."""
        plan, graph = self.plan, self.plan.graph

        def here(node: Node) -> bool:
            return plan.backward.phase.get(node, plan.backward.count - 1) == number

        for node, plane in plan.slopes.items():
            if node not in plan.backward.phase and here(node):
                phase.store(node, self._slope(plane))
        for place, name in enumerate(graph.states):
            if here(plan.derivatives.carried[name]):
                phase.store(plan.derivatives.carried[name], f"step->carried[{place}] + {ROW} * padded + unit")
        summed = [plan.derivatives.inputs[name] for name in graph.inputs] if plan.bias else []
        summed += [plan.derivatives.vectors[name] for name in graph.vectors]
        for place, node in enumerate(summed):
            if here(node):
                phase.add_up(node, f"group->sums + {place} * padded + unit")

    def written(self, node: Node) -> Iterator[str]:
        if node in self.plan.slopes:
            yield self._slope(self.plan.slopes[node])
        yield from self.handed(node)

    def _slope(self, plane: int) -> str:
        return f"step->slopes + {ROW} * slope_row + {plane} * padded + unit"

    def before(self, node: Node) -> str | None:
        plane = self.plan.kept.planes.get(node)
        return super().before(node) if plane is None or node.operation in READ else self.kept(plane)

    def terms(self, node: Node) -> list[str]:
        plan = self.plan
        if node.operation == "later":
            state = Node("state", node.name)
            blocks = next(each.blocks for each in plan.graph.products if each.operand is state)
            slopes = [(block, plan.derivatives.products[block]) for block in blocks]
            pairs = [(block, slope) for block, slope in slopes if slope is not ZERO]
            rows = "step->later_slopes"
        else:
            names = [each for each in node.arguments if isinstance(each, str)]
            pairs, rows = list(zip(names, node.operands, strict=True)), "step->slopes"
        return [
            f"{rows} + row * slope_row + {plan.slopes[slope]} * padded, slope_row, {self.panel(block)}"
            for block, slope in pairs
        ]

    def statistics(self, node: Node) -> str:
        if node.operation == "normalize":
            return self.kept_statistics(node)
        return f"group->statistics + {ROW} * {2 * len(self.normalized)} + {2 * self.normalized.index(node)}"

    def _prepared(self, nodes: list[Node]) -> Iterator[str]:
        """Means of whole rows."""
        wanted = [node for node in nodes if node.operation == "normalize_back"]
        if wanted:
            yield "for (long at = worker->member, unit = 0; at < step->rows; at += worker->members) {"
            for node in wanted:
                result, slope = map(self.address, node.operands)
                yield f"    row_means({slope}, {result}, hidden, {self.statistics(node)});"
            yield "}"
            yield "meet(worker);"
