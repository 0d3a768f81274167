"""The operations of one step backward, by symbolic differentiation.

The derivative of the loss by every value is a sum of terms, each a local derivative times one of few sources: what the
next step passed on, or what a matrix product gave. Local derivatives depend on the forward pass alone, so those of
many steps are computed at once, before the backward steps (`coefficients`, `preloads`); a step only multiplies them by
its sources.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rnncli.cells.derivatives import derivatives, plus, times
from rnncli.cells.expressions import Node, in_order
from rnncli.engines.fused.forward import Forward, Matrix
from rnncli.engines.fused.slots import Argument, Instruction, Slot, merged

Terms = dict[Slot, Node]
"""Coefficients by the sources that they multiply."""

ONE = Node("constant", 1.0)


@dataclass
class Backward:
    """One step backward.

    Attributes:
        preloads: lanes of derivatives that begin as a local derivative.
        coefficients: the local derivatives that are kept beside the lanes.
        matrices: the recurrent products, with the lanes of their derivatives.
        lanes: how many lanes the derivatives have.
        factors: the lane of the derivative by each factor of the forward step, and its node.
        vectors: for each vector of the forward step the lanes, with what they are multiplied by, that sum to its
            derivative.
    """

    forward: Forward
    instructions: list[Instruction] = field(default_factory=list)
    preloads: list[tuple[Slot, Node]] = field(default_factory=list)
    coefficients: list[Node] = field(default_factory=list)
    matrices: list[Matrix] = field(default_factory=list)
    lanes: int = 0
    factors: dict[Node, Slot] = field(default_factory=dict)
    vectors: dict[Node, Terms] = field(default_factory=dict)
    scratches: int = 0

    def __post_init__(self) -> None:
        self.lanes = len(self.forward.layout.lanes)
        self._terms: dict[Node, Terms] = {}
        self._kept: dict[Node, Terms] = {}
        found = self.forward.found
        for place, root in enumerate(found.graph.state):
            self._give(root, {Slot("carry", place): ONE}, None)
        for node in reversed(found.order):
            self._visit(node)
        for node in [each for each in reversed(list(in_order(found.graph.state))) if each in found.known]:
            self._multiply_back(node)
            if node in self._terms:
                self._known(node)
        self._carry_on()
        self._keep_what_coefficients_read()
        self.instructions = merged(self.instructions)

    def _give(self, node: Node, terms: Terms, kept: Terms | None) -> None:
        """Adds to the derivative by a node.

        Args:
            kept: the same by sources that are still there after the last step, if it can be had so.
        """
        if node in self.forward.found.fixed:
            return
        first = node not in self._terms
        _accumulate(self._terms.setdefault(node, {}), terms)
        if kept is not None and (first or node in self._kept):
            _accumulate(self._kept.setdefault(node, {}), kept)
        else:
            self._kept.pop(node, None)

    def _visit(self, node: Node) -> None:
        """Passes the derivative by a node on to its operands."""
        found = self.forward.found
        if node.operation != "state":
            self._multiply_back(node)
        if node not in self._terms or node.operation == "state":
            return
        lane = found.lanes.get(node)
        if lane is not None:
            slot = self.forward.layout.gradient(node)
            terms = self._materialise(node, slot)
            if lane in self.forward.layout.own and lane.before is not None:
                self._give(lane.before, {slot: ONE}, {slot: ONE})
            for sign, term in lane.rest:
                number = Node("constant", sign)
                passed = terms if len(terms) == 1 else {slot: ONE}
                self._give(term, _scaled(passed, number), {slot: number})
            return
        terms, kept = self._terms[node], self._kept.get(node)
        if len(terms) > 1 or node.operation == "normalize":
            source = self._joint(node)
            terms, kept = {source: ONE}, None
        if node.operation == "normalize":
            (source,) = terms
            out = self._scratch()
            deviation = self._coefficient(Node("inverse_deviation", node.operands[0]))
            self.instructions.append(Instruction("normalize_back", out, (source, self.forward.slots[node], deviation)))
            self._give(node.operands[0], {out: ONE}, None)
            return
        for operand, local in derivatives(node):
            self._give(operand, _scaled(terms, local), None if kept is None else _scaled(kept, local))

    def _scratch(self) -> Slot:
        self.scratches += 1
        return Slot("scratch", self.scratches - 1)

    def _joint(self, node: Node) -> Slot:
        """The derivative by a node in one place: that of the state where it is the new one."""
        terms, roots = self._terms[node], self.forward.found.graph.state
        for source, coefficient in terms.items():
            if source.buffer == "carry" and coefficient is ONE and roots[source.first] is node:
                self._sum(source, terms)
                return source
        if len(terms) == 1 and next(iter(terms.values())) is ONE:
            return next(iter(terms))
        out = self._scratch()
        self._sum(out, terms)
        return out

    def _materialise(self, node: Node, slot: Slot) -> Terms:
        """Puts the derivative by a node into a lane; gives the terms that it was made of."""
        terms = self._terms[node]
        begun = next((source for source, coefficient in terms.items() if coefficient.operation != "constant"), None)
        if begun is not None and not self._stands(terms[begun]):
            self.preloads.append((slot, terms[begun]))
            self.instructions.append(Instruction("mul_", slot, (begun,)))
            self._sum(slot, {source: each for source, each in terms.items() if source is not begun}, begun=True)
        else:
            self._sum(slot, terms)
        return terms

    def _stands(self, node: Node) -> bool:
        """Whether a coefficient stands somewhere after the forward pass."""
        return node in self.forward.slots

    def _sum(self, out: Slot, terms: Terms, begun: bool = False) -> None:
        """Emits out = the sum of the terms, where `begun` out += it."""
        own = terms.get(out)
        if own is not None:
            if own is not ONE:
                self.instructions.append(Instruction("mul_", out, (self._coefficient(own),)))
            begun = True
        for source, node in terms.items():
            if source == out:
                continue
            coefficient = self._coefficient(node)
            if not begun and coefficient == 1:
                self.instructions.append(Instruction("copy", out, (source,)))
            elif not begun:
                self.instructions.append(Instruction("mul", out, (source, coefficient)))
            elif isinstance(coefficient, float):
                self.instructions.append(Instruction("add_", out, (source, coefficient)))
            else:
                self.instructions.append(Instruction("addcmul_", out, (source, coefficient, 1.0)))
            begun = True

    def _coefficient(self, node: Node) -> Argument:
        """The number or the slot of a local derivative."""
        if node.operation == "constant":
            return node.number
        if self._stands(node):
            return self.forward.slots[node]
        if node not in self.coefficients:
            self.coefficients.append(node)
        return Slot("coefficient", self.coefficients.index(node))

    def _multiply_back(self, operand: Node) -> None:
        """Gives an operand of recurrent products its derivative through them."""
        matrices = self._matrices(operand)
        if matrices:
            out = self._scratch()
            for place, matrix in enumerate(matrices):
                self.instructions.append(Instruction("addmm_" if place else "mm", out, matrix))
            self._give(operand, {out: ONE}, None)

    def _matrices(self, operand: Node) -> list[tuple[Slot, Slot]]:
        """The derivatives by the products of an operand, each with its matrix; neighbours are one."""
        runs: list[Matrix] = []
        for each in sorted(self.forward.matrices, key=lambda matrix: matrix.gradient.first):
            if each.operand is operand:
                last = runs[-1].gradient if runs else None
                if last is not None and last.first + last.count == each.gradient.first:
                    both = Slot("gradient", last.first, last.count + each.gradient.count)
                    runs[-1] = replace(each, blocks=runs[-1].blocks + each.blocks, gradient=both)
                else:
                    runs.append(each)
        begin = len(self.matrices)
        self.matrices += runs
        return [(each.gradient, Slot("matrix", begin + place)) for place, each in enumerate(runs)]

    def _known(self, node: Node) -> None:
        """The derivative by what was known before the loop, down to what the forward step reads of it."""
        forward, kept = self.forward, self._kept.get(node)
        if node not in forward.slots and node.operands and node.operation != "normalize":
            for operand, local in derivatives(node):
                self._give(operand, _scaled(self._terms[node], local), None if kept is None else _scaled(kept, local))
            return
        forward.argument(node)
        if node in forward.found.timeless:
            self.vectors[node] = kept if kept is not None else {self._new_lane(node): ONE}
        else:
            self.factors[node] = self._new_lane(node)

    def _new_lane(self, node: Node) -> Slot:
        slot = Slot("gradient", self.lanes)
        self.lanes += 1
        self._materialise(node, slot)
        return slot

    def _carry_on(self) -> None:
        """The derivatives by the old states, which the step before takes over."""
        states = self.forward.found.graph.states
        carried = {Slot("carry", place): Node("state", name) for place, name in enumerate(states)}
        for slot in carried:  # what one state's derivative needs of another's must be saved before that changes
            readers = [each for each in carried if each != slot and slot in self._terms.get(carried[each], {})]
            if readers:
                copy = self._scratch()
                self.instructions.append(Instruction("copy", copy, (slot,)))
                for each in readers:
                    terms = self._terms[carried[each]]
                    terms[copy] = terms.pop(slot)
        for slot, node in carried.items():
            terms = self._terms.get(node, {})
            self._sum(slot, terms)
            matrices = self._matrices(node)
            for place, matrix in enumerate(matrices):
                fresh = place == 0 and not terms
                self.instructions.append(Instruction("mm" if fresh else "addmm_", slot, matrix))
            if not terms and not matrices:
                self.instructions.append(Instruction("zero_", slot))

    def _keep_what_coefficients_read(self) -> None:
        """Lets the forward step keep also what only local derivatives read of what is known before the loop."""
        forward = self.forward
        terms = (node for each in self.vectors.values() for node in each.values())
        waiting = [*self.coefficients, *(node for _, node in self.preloads), *terms]
        while waiting:
            node = waiting.pop()
            if node in forward.found.known and not self._at_hand(node):
                forward.argument(node)
            elif node not in forward.slots:
                waiting += node.operands

    def _at_hand(self, node: Node) -> bool:
        """Whether a value is kept, or made of what is."""
        kept = self._stands(node) or node.operation == "constant"
        return kept or (bool(node.operands) and all(map(self._at_hand, node.operands)))


def _accumulate(into: Terms, terms: Terms) -> None:
    for source, coefficient in terms.items():
        into[source] = plus(into[source], coefficient) if source in into else coefficient


def _scaled(terms: Terms, factor: Node) -> Terms:
    return {source: times(coefficient, factor) for source, coefficient in terms.items()}
