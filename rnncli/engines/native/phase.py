"""The C code of one phase of a step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rnncli.cells.expressions import Node

_FUNCTIONS = {"sigmoid": "v_sigmoid", "tanh": "v_tanh", "relu": "v_relu"}
_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_ONCE = frozenset({"vector", "constant"})
"""Operations whose values are the same for all rows."""


@dataclass(frozen=True)
class Surroundings:
    """What a phase is told of the step.

    Attributes:
        address: where a value stands in memory, as a C expression for the hidden `unit` of a row, or None.
        addends: what is added to a value that is read, as for the bias of a block of the input projection.
        terms: for an operation that is a product of matrices, its terms in C: left matrix, stride, panel, depth.
        names: what values are called in the C code.
    """

    address: Callable[[Node], str | None]
    addends: Callable[[Node], str | None]
    terms: Callable[[Node], list[str]]
    statistics: Callable[[Node], str]
    names: Mapping[Node, str]


@dataclass
class Phase:
    """A sweep over the hidden units, as C code.

    Attributes:
        title: what it computes, for a comment.
        prepared: statements before the sweep, for statistics of whole rows.
        lanes: the products of matrices, in order.
    """

    around: Surroundings
    lanes: list[Node]
    prepared: list[str]
    once: list[str] = field(default_factory=list)
    each: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    _known: dict[Node, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def value(self, node: Node, read: bool = False) -> str:
        """The name of a variable with a value; a value of this phase is computed, others are read.

        Args:
            read: whether it must be read, because another phase has computed it.
        """
        if node not in self._known:
            if node.operation == "constant":
                return f"all({node.number!r})" if node.number >= 0 else f"all(({node.number!r}))"
            lines = self.once if node.operation in _ONCE else self.each
            text = self._text(node)
            name = self._name(node)
            lines.append(f"const V {name} = {text};")
            self._known[node] = name
        return self._known[node]

    def store(self, node: Node, address: str) -> None:
        """Writes a value into memory."""
        self.each.append(f"store({address}, {self.value(node)});")

    def add_up(self, node: Node, address: str) -> None:
        """Adds the sum of a value over the rows to what stands in memory."""
        name = f"sum_{len(self.after)}"
        self.once.append(f"V {name} = load({address});")
        self.each.append(f"{name} += {self.value(node)};")
        self.after.append(f"store({address}, {name});")

    def _text(self, node: Node) -> str:
        if node in self.lanes:
            return f"load(lane[{self.lanes.index(node)}] + place * PAIR + part)"
        address = self.around.address(node)
        if address is not None:
            added = self.around.addends(node)
            return f"load({address})" + ("" if added is None else f" + {self._once(added)}")
        return self._made(node)

    def _once(self, address: str) -> str:
        """What is read for all rows at once."""
        name = f"bias_{len(self.once)}"
        self.once.append(f"const V {name} = load({address});")
        return name

    def _made(self, node: Node) -> str:
        operation = node.operation
        if operation in _SIGNS:
            a, b = map(self.value, node.operands)
            return f"{a} {_SIGNS[operation]} {b}"
        if operation in _FUNCTIONS:
            return f"{_FUNCTIONS[operation]}({self.value(node.operands[0])})"
        match operation:
            case "negate":
                return f"-{self.value(node.operands[0])}"
            case "sigmoid_slope":
                y = self.value(node.operands[0])
                return f"{y} - {y} * {y}"
            case "tanh_slope":
                y = self.value(node.operands[0])
                return f"all(1) - {y} * {y}"
            case "relu_slope":
                return f"v_positive({self.value(node.operands[0])})"
            case "normalize":
                at = self.around.statistics(node)
                whole = self.around.address(node.operands[0])
                return f"(load({whole}) - all(({at})[0])) * all(({at})[1])"
            case "normalize_back":
                y, slope = node.operands
                at, whole = self.around.statistics(node), self.around.address(slope)
                deviation = self.around.statistics(y)
                return f"(load({whole}) - all(({at})[0]) - {self.value(y)} * all(({at})[1])) * all(({deviation})[1])"
        raise ValueError(f"no C code for {operation}")

    def _name(self, node: Node) -> str:
        wanted = self.around.names.get(node) or _plain_name(node)
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def text(self, rows: str) -> Iterable[str]:
        """The lines of the sweep.

        Args:
            rows: the C expression for how many rows are left that are taken alike.
        """
        yield from self.prepared
        yield "for (long panel = worker->first_panel; panel < worker->last_panel; panel++)"
        yield "    for (long row = 0, count; row < step->rows; row += count) {"
        yield f"        count = next_rows({rows});"
        if self.lanes:
            yield f"        REAL lane[{len(self.lanes)}][8 * PAIR] __attribute__((aligned(64)));"
        for place, node in enumerate(self.lanes):
            terms = self.around.terms(node)
            listed = ", ".join(f"{{{each}}}" for each in terms)
            call = f"multiply(count, (Term[]){{{listed}}}, {len(terms)}, lane[{place}], PAIR);"
            if node.operation == "later":
                yield f"        if (row < step->later) {call}"
                yield f"        else memset(lane[{place}], 0, sizeof lane[{place}]);"
            else:
                yield f"        {call}"
        yield "        for (long part = 0, unit = panel * PAIR; part < PAIR; part += WIDTH, unit += WIDTH) {"
        yield from (f"            {line}" for line in self.once)
        yield "            for (long place = 0; place < count; place++) {"
        yield from (f"                {line}" for line in self.each)
        yield "            }"
        yield from (f"            {line}" for line in self.after)
        yield "        }"
        yield "    }"
        yield "meet(worker);"


def _plain_name(node: Node) -> str:
    """A name in C for a value that has none of its own."""
    match node.operation:
        case "input":
            name = f"x_{node.name}"
        case "product":
            name = f"U_{node.name}"
        case "vector":
            name = f"p_{node.name}"
        case "state":
            name = f"old_{node.name}"
        case "mask":
            name = f"mask_{node.name}"
        case "carry" | "later":
            name = f"{node.operation}_{node.name}"
        case "raw" | "incoming" | "back":
            name = node.operation
        case _:
            name = "t"
    return re.sub(r"\W", "_", name)
