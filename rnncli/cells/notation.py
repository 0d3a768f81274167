"""A cell's equations as people write them: in Unicode for a terminal, in LaTeX for a paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.equations import Equation, equations
from rnncli.cells.expressions import Node
from rnncli.cells.symbols import ATOM, MATRIX, SUM, TIMES, Latex, Style, Text, Unicode

_OPEN = ("add", "subtract", "negate", "multiply")
"""Operations that are taken apart into signed terms and factors."""


@dataclass(frozen=True)
class Written:
    """One equation as text; `left = right`."""

    left: str
    right: str
    equation: Equation


def unicode(cell: Cell[Any]) -> list[Written]:
    """The equations of a cell, one a gate, candidate or state, in the order of computation."""
    return list(_written(cell, Unicode()))


def latex(cell: Cell[Any]) -> str:
    """The same as an `aligned` block."""
    rows = [rf"  {line.left} &= {line.right}" for line in _written(cell, Latex())]
    return "\n".join([r"\begin{aligned}", " \\\\\n".join(rows), r"\end{aligned}"])


def products(cell: Cell[Any]) -> list[list[str]]:
    """The recurrent products by stage, as in "[U_r, U_z] h_{t-1}": what is in one pair of brackets is one matrix."""
    writer = _Writer(Unicode(), equations(cell).names, cell.bias)
    return [
        [f"[{', '.join(f'U_{each}' for each in product.blocks)}] {writer.held(product.operand)}" for product in stage]
        for stage in cell.graph.stages()
    ]


def _written(cell: Cell[Any], style: Style) -> Iterator[Written]:
    found = equations(cell)
    for line in found.lines:
        names = dict(found.names)
        if names.get(line.value) == line.name:
            del names[line.value]  # its own line says what it is
        yield Written(style.now(line.name), _Writer(style, names, cell.bias).text(line.value)[0], line)


class _Writer:
    """Writes nodes in a style; those that have a name by their name."""

    def __init__(self, style: Style, names: Mapping[Node, str], bias: bool) -> None:
        self._style, self._names, self._bias = style, names, bias

    def text(self, node: Node) -> Text:
        """A node, and how tightly its text holds together."""
        terms = list(self._terms(node, 1))
        biases = [
            (sign, (self._style.parameter("b", term.name), ATOM))
            for sign, term in terms
            if self._bias and self._opened(term) and term.operation == "input"
        ]
        texts = [(sign, self._term(term)) for sign, term in terms] + biases
        leading = next((place for place, (sign, _) in enumerate(texts) if sign > 0), 0)
        texts.insert(0, texts.pop(leading))  # no minus at the front if it need not be there
        if len(texts) == 1 and texts[0][0] > 0:
            return texts[0][1]
        (first, (text, _)), *others = texts
        text = text if first > 0 else f"-{text}"
        for sign, (other, _) in others:
            text += f" {'+' if sign > 0 else '-'} {other}"
        return text, SUM

    def _opened(self, node: Node) -> bool:
        return node not in self._names

    def _terms(self, node: Node, sign: int) -> Iterator[tuple[int, Node]]:
        """What is added up, each with its sign; products without one."""
        if not self._opened(node) or node.operation not in (*_OPEN, "constant"):
            yield sign, node
            return
        match node.operation, node.operands:
            case "add", (first, second):
                yield from self._sum((sign, first), (sign, second))
            case "subtract", (first, second):
                yield from self._sum((sign, first), (-sign, second))
            case "negate", (inner,):
                yield from self._terms(inner, -sign)
            case "constant", _:
                number = node.number
                yield (sign, node) if number >= 0 else (-sign, Node("constant", -number))
            case _:
                number, factors = self._factors(node)
                if abs(number) == 1 and len(factors) == 1:
                    yield from self._terms(factors[0], sign if number > 0 else -sign)
                else:
                    yield (sign if number >= 0 else -sign), node

    def _sum(self, *parts: tuple[int, Node]) -> Iterator[tuple[int, Node]]:
        """The terms of a sum; nothing is said of a 0 in it."""
        terms = [each for sign, part in parts for each in self._terms(part, sign)]
        zero = Node("constant", 0.0)
        kept = [each for each in terms if each[1] is not zero]
        yield from kept or terms[:1]

    def _factors(self, node: Node) -> tuple[float, list[Node]]:
        """The number in front, with its sign, and all that it is multiplied with."""
        if self._opened(node):
            match node.operation, node.operands:
                case "multiply", (first, second):
                    one, left = self._factors(first)
                    other, right = self._factors(second)
                    return one * other, left + right
                case "negate", (inner,):
                    number, factors = self._factors(inner)
                    return -number, factors
                case "constant", _:
                    return node.number, []
        return 1.0, [node]

    def _term(self, node: Node) -> Text:
        """What is no sum, without its sign."""
        style = self._style
        if not self._opened(node):
            return style.now(self._names[node]), ATOM
        match node.operation:
            case "multiply":
                number, factors = self._factors(node)
                text = style.odot.join(self.held(each, MATRIX) for each in factors)
                if abs(number) != 1 or not factors:
                    text = style.dot.join([_figure(abs(number)), *([text] if text else [])])
                return text, TIMES
            case "divide":
                first, second = node.operands
                return style.fraction(self.text(first), self.text(second))
            case "input":
                return f"{style.parameter('W', node.name)} {style.now('x')}", MATRIX
            case "product":
                return f"{style.parameter('U', node.name)} {self.held(node.operands[0], ATOM)}", MATRIX
            case "vector":
                return style.parameter("p", node.name), ATOM
            case "state":
                return style.before(node.name), ATOM
            case "raw":
                return style.now("x"), ATOM
            case "constant":
                return _figure(node.number), ATOM
            case function:
                return style.functions[function] + style.brackets(self.text(node.operands[0])[0]), ATOM

    def held(self, node: Node, level: int = ATOM) -> str:
        """A node in brackets where it would fall apart."""
        text, own = self.text(node)
        return text if own >= level else self._style.brackets(text)


def _figure(number: float) -> str:
    return f"{number:.12g}"  # 1 - 0.9 is 0.1 to the eye
