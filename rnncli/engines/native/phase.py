"""The C code of one phase of a step."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from rnncli.cells.expressions import Node
from rnncli.engines.native.places import Places

_FUNCTIONS = {"sigmoid": "v_sigmoid", "tanh": "v_tanh", "relu": "v_relu"}
_SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_ONCE = frozenset({"vector", "constant"})
"""Operations whose values are the same for all rows."""


@dataclass
class Phase:
    """A sweep over the hidden units, as C code.

    Attributes:
        number: which of the step's phases it is.
        lanes: the products of matrices, in order.
        prepared: statements before the sweep, for statistics of whole rows.
    """

    places: Places
    number: int
    lanes: list[Node]
    prepared: list[str]

    def __post_init__(self) -> None:
        self._once: list[str] = []  # for all rows
        self._each: list[str] = []  # for each row
        self._after: list[str] = []
        self._known: dict[Node, str] = {}
        self._taken: set[str] = set()

    def value(self, node: Node) -> str:
        """The name of a variable with a value; a value of this phase is computed, others are read."""
        if node not in self._known:
            if node.operation == "constant":
                return f"all({_number(node.number)})"
            lines = self._once if node.operation in _ONCE else self._each
            text = self._text(node)
            name = self._name(node)
            lines.append(f"const V {name} = {text};")
            self._known[node] = name
        return self._known[node]

    def store(self, node: Node, address: str) -> None:
        """Writes a value into memory."""
        self._each.append(f"store({address}, {self.value(node)});")

    def add_up(self, node: Node, address: str) -> None:
        """Adds the sum of a value over the rows to what stands in memory."""
        name = f"sum_{len(self._after)}"
        self._once.append(f"V {name} = load({address});")
        self._each.append(f"{name} += {self.value(node)};")
        self._after.append(f"store({address}, {name});")

    def _text(self, node: Node) -> str:
        if node in self.lanes:
            return f"load(lane[{self.lanes.index(node)}] + place * PAIR + part)"
        address, added = self.places.address(node, self.number), self.places.added(node, self.number)
        if address is None:
            return self._made(node)
        if added is None:
            return f"load({address})"
        name = f"bias_{len(self._once)}"
        self._once.append(f"const V {name} = load({added});")
        return f"load({address}) + {name}"

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
                at = self.places.statistics(node)
                whole = self.places.address(node.operands[0])
                return f"(load({whole}) - all(({at})[0])) * all(({at})[1])"
            case "normalize_back":
                result, slope = node.operands
                at, whole = self.places.statistics(node), self.places.address(slope)
                mean = f"all(({at})[0]) + {self.value(result)} * all(({at})[1])"
                return f"(load({whole}) - ({mean})) * all(({self.places.statistics(result)})[1])"
        raise ValueError(f"no C code for {operation}")

    def _name(self, node: Node) -> str:
        wanted = self.places.names.get(node) or _plain_name(node)
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
            terms = self.places.terms(node)
            yield f"        const Term terms_{place}[] = {{"
            yield from (f"            {{{each}}}," for each in terms)
            yield "        };"
            call = f"multiply(count, terms_{place}, {len(terms)}, lane[{place}], PAIR);"
            if node.operation == "later":  # through the step after, which some sequences do not have
                yield f"        if (row < step->later) {call}"
                yield f"        else memset(lane[{place}], 0, sizeof lane[{place}]);"
            else:
                yield f"        {call}"
        yield "        for (long part = 0, unit = panel * PAIR; part < PAIR; part += WIDTH, unit += WIDTH) {"
        yield from (f"            {line}" for line in self._once)
        yield "            for (long place = 0; place < count; place++) {"
        yield "                const long at = row + place;"
        yield from (f"                {line}" for line in self._each)
        yield "            }"
        yield from (f"            {line}" for line in self._after)
        yield "        }"
        yield "    }"
        yield "meet(worker);"


def _number(number: float) -> str:
    if math.isfinite(number):
        return repr(number)
    return "NAN" if math.isnan(number) else "INFINITY" if number > 0 else "-INFINITY"


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
