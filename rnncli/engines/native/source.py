"""The C code of a cell: its constants and its step in both directions, around the headers of `runtime`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from rnncli.cells.expressions import EPSILON, Node, in_order
from rnncli.engines.native.call import declaration
from rnncli.engines.native.phase import Phase, Surroundings
from rnncli.engines.native.plan import Plan
from rnncli.engines.native.schedule import Schedule

Real = Literal["float", "double"]

_ROW = "(row + place)"


def source(plan: Plan, real: Real, equations: Iterable[str], names: Mapping[Node, str]) -> str:
    """The C code of a plan.

    Args:
        equations: the lines of the step, for a comment.
        names: what its values are called there.
    """
    text = Source(plan, {node: re.sub(r"\W", "_", name) + "_t" for node, name in names.items()})
    comment = "\n".join(f"// {line}" for line in equations)
    return "\n".join(
        [
            comment,
            "",
            f"#define REAL {real}",
            '#include "vector.h"',
            "",
            *text.constants(),
            "",
            declaration(),
            "",
            '#include "run.h"',
            "",
            "static void forward_step(const Worker *worker, const Step *step) {",
            *text.body(text.forward()),
            "}",
            "",
            "static void backward_step(const Worker *worker, const Step *step) {",
            *text.body(text.backward()),
            "}",
            "",
        ]
    )


class Source:
    """Writes the parts of a cell's C code."""

    def __init__(self, plan: Plan, names: Mapping[Node, str]) -> None:
        self._plan, self._names = plan, names
        self._graph = plan.graph
        self._blocks = _block_numbers(plan)
        self._normalized = plan.normalized
        self._backs = [node for node in plan.backward.phase if node.operation == "normalize_back"]
        self._temporary = self._temporaries(plan.forward, {*plan.kept.planes})
        self._temporary_back = self._temporaries(plan.backward, {*plan.slopes})

    def _temporaries(self, of: Schedule, elsewhere: set[Node]) -> dict[Node, int]:
        """Values that are handed from phase to phase."""
        news = set(self._graph.state) if of is self._plan.forward else set()
        return {node: place for place, node in enumerate(n for n in of.phase if n in of.stored - elsewhere - news)}

    def constants(self) -> Iterator[str]:
        """What the runtime is told of the cell."""
        plan, graph, kept = self._plan, self._graph, self._plan.kept
        masks = {node.name for node in in_order(graph.state) if node.operation == "mask"}
        bits = sum(1 << place for place, name in enumerate(("hidden", *graph.states)) if name in masks)
        operands = list(self._operands())
        sums = len(graph.inputs) * plan.bias + len(graph.vectors)
        blocks = len(self._blocks)
        yield "enum {"
        yield f"    INPUTS = {len(graph.inputs)}, BLOCKS = {blocks}, STATES = {len(graph.states)},"
        yield f"    VECTORS = {len(graph.vectors)}, SUMS = {sums}, MASKS = {bits}, KEPT = {kept.count},"
        yield f"    SLOPES = {len(plan.slopes)}, TEMPORARIES = {len(self._temporary)},"
        yield f"    TEMPORARIES_BACK = {len(self._temporary_back)}, NORMALIZED = {len(self._normalized)},"
        yield f"    NORMALIZED_BACK = {len(self._backs)}, OPERANDS = {len(operands)}, MOST_LANES = {max(blocks, 1)},"
        raw = -1 if plan.derivatives.raw is None else plan.slopes[plan.derivatives.raw]
        gates = [kept.planes[gate.value] for gate in graph.gates] if plan.recorded else []
        watched = plan.slopes[plan.derivatives.output] if plan.recorded else -1
        yield f"    RAW_SLOPE = {raw}, GATES = {len(gates)}, WATCHED_SLOPE = {watched},"
        yield "};"
        yield _numbers("INPUT_PLANE", [kept.inputs[name] for name in graph.inputs])
        slopes = [plan.slopes[plan.derivatives.inputs[name]] for name in graph.inputs]
        yield _numbers("INPUT_SLOPE", slopes)
        old = [kept.old.get(name, -1 if kept.before and not place else -2) for place, name in enumerate(graph.states)]
        yield _numbers("OLD_PLANE", old)
        yield _numbers("GATE_PLANE", gates)
        listed = ", ".join(
            f"{{{plane}, {len(lanes)}, {{{', '.join(f'{{{b}, {s}}}' for b, s in lanes)}}}}}" for plane, lanes in operands
        )
        yield f"#define OPERAND_LIST {{{listed or '{0}'}}}"
        yield f"#define EPSILON {EPSILON!r}"

    def _operands(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """For each operand of recurrent products its plane, or ~state; and the block and slope of each product."""
        graph, plan = self._graph, self._plan
        for product in graph.products:
            operand = product.operand
            plane = ~graph.states.index(operand.name) if operand.operation == "state" else plan.kept.planes[operand]
            lanes = [(self._blocks[b], plan.slopes[plan.derivatives.products[b]]) for b in product.blocks]
            yield plane, lanes

    def body(self, phases: Iterator[list[str]]) -> Iterator[str]:
        """A function's lines."""
        yield "    const Group *group = worker->group;"
        yield "    const Run *run = group->run;"
        yield "    const long padded = run->call->padded, hidden = run->call->hidden, plane = group->sequences * padded;"
        yield "    const long kept_row = kept_stride(run->call), slope_row = slope_stride(run->call);"
        yield "    (void)plane, (void)kept_row, (void)slope_row, (void)hidden;"
        for lines in phases:
            yield from textwrap.indent("\n".join(lines), "    ").split("\n")

    def forward(self) -> Iterator[list[str]]:
        """The phases of a step forward."""
        plan, graph = self._plan, self._graph
        for number in range(plan.forward.count):
            nodes = plan.forward.of(number)
            around = Surroundings(
                lambda node, number=number: self._forward_address(node, number),
                self._addend,
                self._forward_terms,
                self._statistics,
                self._names,
            )
            lanes = [node for node in nodes if node.operation == "product"]
            phase = Phase(around, lanes, list(self._prepared(nodes, self._forward_address)))
            last = number == plan.forward.count - 1
            written: list[tuple[Node, str]] = []
            for node in nodes:
                phase.value(node)
                written += [(node, to) for to in self._forward_places(node)]
            if last:
                for node in dict.fromkeys([*graph.state, *plan.kept.planes]):
                    if node not in plan.forward.phase:  # a leaf that is handed on
                        written += [(node, to) for to in self._forward_places(node)]
            for node, to in written:
                phase.store(node, to)
            yield [f"// phase {number + 1} of {plan.forward.count}", *phase.text("step->rows - row")]

    def _forward_places(self, node: Node) -> Iterator[str]:
        """Where a value of the forward step is written."""
        plan = self._plan
        if node in plan.kept.planes:
            yield self._kept(plan.kept.planes[node])
        if node in self._temporary:
            yield f"group->temporary + {self._temporary[node]} * plane + {_ROW} * padded + unit"
        for place, new in enumerate(self._graph.state):
            if new is node:
                yield f"step->new[{place}] + {_ROW} * padded + unit"

    def _kept(self, plane: int) -> str:
        return f"step->kept + {_ROW} * kept_row + {plane} * padded + unit"

    def _forward_address(self, node: Node, phase: int | None = None) -> str | None:
        """Where a value that this phase does not compute is read."""
        at = self._plan.forward.phase.get(node)
        if at is not None and phase is not None and at == phase and node.operation not in _READ:
            return None
        if at is not None and (phase is None or at < phase):
            return next(self._forward_places(node))
        return self._leaf(node)

    def _leaf(self, node: Node) -> str | None:
        states = self._graph.states
        match node.operation:
            case "input":
                return self._kept(self._plan.kept.inputs[node.name])
            case "raw":
                return f"step->x + {_ROW} * run->call->input_padded + unit"
            case "state":
                place = states.index(node.name)
                return f"step->old[{place}] + {_ROW} * step->old_stride[{place}] + unit"
            case "vector":
                return f"run->vectors + {self._graph.vectors.index(node.name)} * padded + unit"
            case "mask":
                return f"step->mask[{('hidden', *states).index(node.name)}] + {_ROW} * padded + unit"
            case "incoming":
                return f"step->incoming + {_ROW} * padded + unit"
            case "carry":
                return f"step->carry[{states.index(node.name)}] + {_ROW} * padded + unit"
        return None

    def _addend(self, node: Node) -> str | None:
        if node.operation != "input" or not self._plan.bias:
            return None
        return f"run->bias + {self._graph.inputs.index(node.name)} * padded + unit"

    def _statistics(self, node: Node) -> str:
        if node.operation == "normalize":
            at = self._normalized.index(node)
            return f"step->kept + {_ROW} * kept_row + {self._plan.kept.count} * padded + {2 * at}"
        return f"group->statistics + {_ROW} * {2 * len(self._backs)} + {2 * self._backs.index(node)}"

    def _prepared(self, nodes: list[Node], address: object) -> Iterator[str]:
        """Statistics of whole rows."""
        wanted = [node for node in nodes if node.operation in ("normalize", "normalize_back")]
        if not wanted:
            return
        yield "for (long row = worker->member, place = 0, unit = 0; row < step->rows; row += worker->members) {"
        for node in wanted:
            if node.operation == "normalize":
                whole = self._forward_address(node.operands[0])
                yield f"    row_statistics({whole}, hidden, {self._statistics(node)});"
            else:
                y, slope = node.operands
                here, value = self._backward_address(slope), self._backward_address(y)
                yield f"    row_means({here}, {value}, hidden, {self._statistics(node)});"
        yield "}"
        yield "meet(worker);"

    def _forward_terms(self, node: Node) -> list[str]:
        operand = node.operands[0]
        if operand.operation == "state":
            place = self._graph.states.index(operand.name)
            left = f"step->old[{place}] + row * step->old_stride[{place}], step->old_stride[{place}]"
        else:
            left = f"step->kept + row * kept_row + {self._plan.kept.planes[operand]} * padded, kept_row"
        return [f"{left}, {self._panel(node.name)}"]

    def _panel(self, block: str) -> str:
        return f"run->blocks_packed + ({self._blocks[block]} * padded + panel * PAIR) * hidden, hidden"

    def backward(self) -> Iterator[list[str]]:
        """The phases of a step backward."""
        plan = self._plan
        for number in range(plan.backward.count):
            nodes = plan.backward.of(number)
            around = Surroundings(
                lambda node, number=number: self._backward_address(node, number),
                self._backward_addend,
                self._backward_terms,
                self._statistics,
                self._names,
            )
            lanes = [node for node in nodes if node.operation in ("later", "back")]
            phase = Phase(around, lanes, list(self._prepared(nodes, self._backward_address)))
            for node in nodes:
                phase.value(node)
            for node in nodes:
                for to in self._backward_places(node):
                    phase.store(node, to)
            self._handed_on(phase, number)
            rows = "(row < step->later ? step->later : step->rows) - row"
            later = any(node.operation == "later" for node in lanes)
            yield [
                f"// phase {number + 1} of {plan.backward.count}",
                *phase.text(rows if later else "step->rows - row"),
            ]

    def _handed_on(self, phase: Phase, number: int) -> None:
        """What of a phase goes to the step before, or is summed over rows; in the last also what is not computed."""
        plan, graph = self._plan, self._graph

        def here(node: Node) -> bool:
            return plan.backward.phase.get(node, plan.backward.count - 1) == number

        for node, place in plan.slopes.items():
            if node not in plan.backward.phase and here(node):
                phase.store(node, self._slope(place))
        for place, name in enumerate(graph.states):
            if here(plan.derivatives.carried[name]):
                phase.store(plan.derivatives.carried[name], f"step->carried[{place}] + {_ROW} * padded + unit")
        summed = [plan.derivatives.inputs[name] for name in graph.inputs] if plan.bias else []
        summed += [plan.derivatives.vectors[name] for name in graph.vectors]
        for place, node in enumerate(summed):
            if here(node):
                phase.add_up(node, f"group->sums + {place} * padded + unit")

    def _backward_places(self, node: Node) -> Iterator[str]:
        plan = self._plan
        if node in plan.slopes:
            yield self._slope(plan.slopes[node])
        if node in self._temporary_back:
            yield f"group->temporary + {self._temporary_back[node]} * plane + {_ROW} * padded + unit"

    def _slope(self, plane: int) -> str:
        return f"step->slopes + {_ROW} * slope_row + {plane} * padded + unit"

    def _backward_address(self, node: Node, phase: int | None = None) -> str | None:
        at = self._plan.backward.phase.get(node)
        if at is not None and (phase is None or at < phase):
            return next(self._backward_places(node))
        if at is not None and node.operation not in _READ:
            return None
        plane = self._plan.kept.planes.get(node)
        if plane is not None and node.operation not in _READ:
            return self._kept(plane)
        return self._leaf(node)

    def _backward_addend(self, node: Node) -> str | None:
        return self._addend(node)

    def _backward_terms(self, node: Node) -> list[str]:
        plan = self._plan
        if node.operation == "later":
            state = Node("state", node.name)
            blocks = next(each.blocks for each in self._graph.products if each.operand is state)
            pairs = [(block, plan.derivatives.products[block]) for block in blocks]
            rows = "step->later_slopes"
        else:
            names = [each for each in node.arguments if isinstance(each, str)]
            pairs, rows = list(zip(names, node.operands, strict=True)), "step->slopes"
        return [
            f"{rows} + row * slope_row + {plan.slopes[slope]} * padded, slope_row, {self._panel(block)}"
            for block, slope in pairs
        ]


_READ = frozenset({"input", "raw", "state", "vector", "mask", "incoming", "carry"})


def _block_numbers(plan: Plan) -> dict[str, int]:
    """Where each recurrent block stands in weight_hh."""
    return {name: place for place, name in enumerate(plan.recurrent)}


def _numbers(name: str, values: list[int]) -> str:
    return f"static const int {name}[] = {{{', '.join(map(str, values)) or '0'}}};"
