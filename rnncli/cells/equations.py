"""A cell's graph as lines of equations: which values have a line and a name, and in what order they are computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.expressions import Node, in_order
from rnncli.cells.graph import Graph, Role

ACTIVATIONS = ("sigmoid", "tanh", "relu")
_LEAVES = ("input", "state", "vector", "raw", "constant")
_SHORT = 2
"""Symbols of an expression that is rather written twice than given a name."""


@dataclass(frozen=True)
class Equation:
    """One line.

    Attributes:
        name: of the value that it defines; `~` at the end stands for a tilde.
        role: where the value is a gate.
        state: whether it is carried to the next step.
    """

    name: str
    value: Node
    role: Role | None
    state: bool


@dataclass(frozen=True)
class Equations:
    """All lines of a step, in the order of computation, and the names of the values that have one."""

    lines: tuple[Equation, ...]
    names: Mapping[Node, str]


def equations(cell: Cell[Any]) -> Equations:
    """The lines of a cell's step.

    States and gates keep their names. What is used several times, a candidate (a function of an input block that is no
    gate) and a sum with an input block that is multiplied get the name of their first block.
    """
    graph = cell.graph
    lines = _states_and_gates(graph)
    names: dict[Node, str] = {}
    for line in sorted(lines, key=lambda line: line.role is None):  # of two names for one value the gate's is used
        if line.value.operation not in _LEAVES:
            names.setdefault(line.value, line.name)
    taken = {line.name for line in lines}
    order = list(in_order(line.value for line in lines))
    uses = Counter(operand for node in order for operand in node.operands)
    factors = set(_multiplied(order))
    for node in order:
        if node not in names and _deserves_a_name(node, names, uses[node], node in factors, cell.bias):
            blocks = _blocks(node, names)
            names[node] = name = _free(blocks[0].name, taken) if blocks else _numbered("s", taken)
            taken.add(name)
            lines.append(Equation(name, node, None, False))
    return Equations(tuple(_computed(lines, names, graph)), names)


def _states_and_gates(graph: Graph) -> list[Equation]:
    values = dict(zip(graph.states, graph.state, strict=True))
    roles = {gate.name: gate.role for gate in graph.gates if values.get(gate.name) is gate.value}
    lines = [Equation(name, value, roles.get(name), True) for name, value in values.items()]
    taken = {*graph.states, *(gate.name for gate in graph.gates)}
    for gate in graph.gates:
        if gate.name not in roles:
            name = _free(gate.name, taken) if gate.name in graph.states else gate.name
            taken.add(name)
            lines.append(Equation(name, gate.value, gate.role, False))
    return lines


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or the name with a tilde or a number."""
    return f"{name}~" if name in taken and f"{name}~" not in taken else _numbered(name, taken)


def _numbered(name: str, taken: Collection[str]) -> str:
    """The name, or where something has it already the name with the first free number."""
    numbered = (f"{name}{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _multiplied(order: list[Node]) -> Iterator[Node]:
    """What is multiplied or divided by more than a parameter or a number."""
    for node in order:
        if node.operation in ("multiply", "divide"):
            first, second = node.operands
            plain = ("vector", "constant")
            yield from (one for one, other in ((first, second), (second, first)) if other.operation not in plain)


def _deserves_a_name(node: Node, names: Mapping[Node, str], uses: int, factor: bool, bias: bool) -> bool:
    blocks = _blocks(node, names)
    reads_input = any(block.operation == "input" for block in blocks)
    match node.operation:
        case "sigmoid" | "tanh" | "relu":
            if blocks:
                return True
        case "input":
            return bias and (uses > 1 or factor)
        case "add" | "subtract":
            if factor and reads_input:
                return True
        case operation if operation in _LEAVES:
            return False
    return uses > 1 and (reads_input or _symbols(node, names) > _SHORT)


def _blocks(node: Node, names: Mapping[Node, str]) -> list[Node]:
    """The blocks, those of the input first, that a value is made of without another function or name in between."""
    found: list[Node] = []

    def look(node: Node, top: bool = False) -> None:
        if node.operation in ("input", "product"):
            found.append(node)
        elif top or (node not in names and node.operation not in ACTIVATIONS):
            for operand in node.operands:
                look(operand)

    look(node, top=True)
    return sorted(found, key=lambda block: block.operation)  # "input" before "product"; the order is kept otherwise


def _symbols(node: Node, names: Mapping[Node, str]) -> int:
    """How many names of values and parameters it takes to write a value."""
    own = node.operation in ("product", "input", "vector", "state", "raw")
    return own + sum(1 if each in names else _symbols(each, names) for each in node.operands)


def _computed(lines: list[Equation], names: Mapping[Node, str], graph: Graph) -> Iterator[Equation]:
    """The lines so that each needs only those before it: as the input blocks stand, and else as soon as can be."""
    owner = {names[line.value]: line for line in lines if names.get(line.value) == line.name}
    needed = {line.name: [owner[name] for name in _needs(line, names)] for line in lines}
    place = {node: number for number, node in enumerate(in_order(line.value for line in lines))}

    def rank(line: Equation) -> float:
        blocks = [graph.inputs.index(each.name) for each in _within(line, names) if each.operation == "input"]
        return min(blocks) if blocks else max(map(rank, needed[line.name]), default=-1.0) + 0.5

    def early(line: Equation) -> tuple[float, int]:
        return rank(line), place[line.value]

    waiting, done = sorted(lines, key=early), set[str]()
    while waiting:
        ready = next(line for line in waiting if all(each.name in done for each in needed[line.name]))
        waiting.remove(ready)
        done.add(ready.name)
        yield ready


def _needs(line: Equation, names: Mapping[Node, str]) -> list[str]:
    """The names that stand on the right side of a line."""
    if names.get(line.value, line.name) != line.name:
        return [names[line.value]]
    return [names[node] for node in _within(line, names) if node in names and node is not line.value]


def _within(line: Equation, names: Mapping[Node, str]) -> list[Node]:
    """What a line is written with: its nodes, no deeper than to those that have a name."""
    found: dict[Node, None] = {}

    def look(node: Node) -> None:
        found[node] = None
        if node is line.value or node not in names:
            for operand in node.operands:
                look(operand)

    look(line.value)
    return list(found)
