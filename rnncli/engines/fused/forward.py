"""The operations of one step forward."""

from __future__ import annotations

from dataclasses import dataclass, field

from rnncli.cells.expressions import Node
from rnncli.engines.fused.lanes import Lane, Structure, Term, sum_terms
from rnncli.engines.fused.layout import Layout
from rnncli.engines.fused.slots import Argument, Instruction, Slot, merged


@dataclass(frozen=True)
class Matrix:
    """Recurrent blocks side by side that multiply one operand.

    Attributes:
        operand: the node that is multiplied.
        blocks: names, in the order of the lanes.
        lanes: where the product is added.
        gradient: where the derivative by it stands.
    """

    operand: Node
    blocks: tuple[str, ...]
    lanes: Slot
    gradient: Slot


@dataclass
class Forward:
    """One step forward.

    Attributes:
        slots: where each value stands after the step.
        new: where the new states stand.
        factors: values known before the loop that the step reads.
        vectors: values of parameters alone that the step reads.
        matrices: the recurrent products.
    """

    found: Structure
    layout: Layout
    slots: dict[Node, Slot] = field(default_factory=dict)
    new: list[Slot] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    factors: list[Node] = field(default_factory=list)
    vectors: list[Node] = field(default_factory=list)
    matrices: list[Matrix] = field(default_factory=list)
    values: int = 0

    def __post_init__(self) -> None:
        self._multiplied: set[Node] = set()
        self._begun: set[Node] = set()
        for place, name in enumerate(self.found.graph.states):
            self.slots[Node("state", name)] = Slot("old", place)
        for lane in self.layout.lanes:  # vectors in the order of the lanes, so that they can be used side by side
            for _, term in lane.rest:
                for factor in term.operands:
                    if factor in self.found.timeless:
                        self.argument(factor)
        for root in self.found.graph.state:
            slot = self.argument(root)
            kept = isinstance(slot, Slot) and slot.buffer in ("linear", "hoisted", "own", "value")
            self.new.append(slot if isinstance(slot, Slot) and kept else self._emit("copy", slot))
        self.instructions = merged(self.instructions)

    def argument(self, node: Node) -> Argument:
        """The number of a constant, or the slot of another value, which is made if need be."""
        if node.operation == "constant":
            return node.number
        return self._slot(node)

    def _slot(self, node: Node) -> Slot:
        if node not in self.slots:
            if node in self.found.timeless:
                self.slots[node] = Slot("vector", len(self.vectors))
                self.vectors.append(node)
            elif node.operation == "mask":
                self.slots[node] = Slot("mask", self._mask(node))
            elif node in self.found.known:
                self.slots[node] = Slot("factor", len(self.factors))
                self.factors.append(node)
            else:
                self.slots[node] = self._make(node)
        return self.slots[node]

    def _mask(self, node: Node) -> int:
        return ("hidden", *self.found.graph.states).index(node.name)

    def _make(self, node: Node) -> Slot:
        """Emits what makes a value of the step."""
        if node in self.found.lanes:
            return self._lane(self.found.lanes[node])
        match node.operation:
            case "sigmoid" | "tanh" | "relu":
                return self._activation(node)
            case "add" | "subtract" | "negate":
                return self._sum(sum_terms(node, self.found))
            case "multiply":
                return self._emit("mul", *map(self.argument, node.operands))
            case "divide":
                return self._emit("div", *map(self.argument, node.operands))
            case "normalize":
                return self._emit("normalize", *map(self.argument, node.operands))
            case _:
                raise ValueError(f"no operation {node.operation}")

    def _emit(self, function: str, *arguments: Argument) -> Slot:
        if isinstance(arguments[0], float) and len(arguments) > 1:  # torch wants the tensor first
            arguments = (arguments[1], arguments[0])
            function = "rdiv" if function == "div" else function  # and knows no number divided by a tensor
        out = Slot("value", self.values)
        self.values += 1
        self.instructions.append(Instruction(function, out, arguments))
        return out

    def _lane(self, lane: Lane) -> Slot:
        """Adds products and the rest to what is known before the loop."""
        slot = self.layout.slot(lane.sum)
        for product in lane.products:
            self._multiply(product.operands[0])
        self._add(slot, list(lane.rest))
        return slot

    def _activation(self, node: Node) -> Slot:
        (inner,) = node.operands
        slot = self.argument(inner)
        if inner in self.found.lanes and self.found.uses[inner] == 1 and isinstance(slot, Slot):
            self.instructions.append(Instruction(f"{node.operation}_", slot))
            del self.slots[inner]  # written over
            return slot
        return self._emit(node.operation, slot)

    def _multiply(self, operand: Node) -> None:
        """Adds the products of an operand to all lanes that want one."""
        if operand in self._multiplied:
            return
        self._multiplied.add(operand)
        source = self._slot(operand)
        for lanes in self._neighbours(operand):
            blocks = tuple(next(each.name for each in lane.products if each.operands[0] is operand) for lane in lanes)
            first = self.layout.slot(lanes[0].sum)
            slot = Slot(first.buffer, first.first, len(lanes))
            matrix = Slot("matrix", len(self.matrices))
            gradient = Slot("gradient", self.layout.gradient(lanes[0].sum).first, len(lanes))
            self.matrices.append(Matrix(operand, blocks, slot, gradient))
            fresh = slot.buffer == "own" and not any(lane.sum in self._begun for lane in lanes)
            self._begun.update(lane.sum for lane in lanes)
            before = lanes[0].before if fresh and len(lanes) == 1 else None
            if before is not None and before.operation != "constant":
                self.instructions.append(Instruction("addmm", slot, (self.argument(before), source, matrix)))
            elif fresh:
                self.instructions.append(Instruction("mm", slot, (source, matrix)))
                for lane in lanes:
                    if lane.before is not None:
                        self._add(self.layout.slot(lane.sum), [(1.0, lane.before)])
            else:
                self.instructions.append(Instruction("addmm_", slot, (source, matrix)))

    def _neighbours(self, operand: Node) -> list[list[Lane]]:
        """The lanes with a product of the operand, those side by side together."""
        groups: list[list[Lane]] = []
        for lanes in (self.layout.linear, self.layout.hoisted, self.layout.own):
            last = -2
            for place, lane in enumerate(lanes):
                if any(each.operands[0] is operand for each in lane.products):
                    begun = bool(groups) and last == place - 1 and groups[-1][-1] is lanes[place - 1]
                    alike = begun and (groups[-1][0].sum in self._begun) == (lane.sum in self._begun)
                    if alike:
                        groups[-1].append(lane)
                    else:
                        groups.append([lane])
                    last = place
        return groups

    def _sum(self, terms: list[Term]) -> Slot:
        """A sum that is no lane."""
        lerp = self._between(terms)
        if lerp is not None:
            return self._emit("lerp", *lerp)
        number = sum(sign * term.number for sign, term in terms if term.operation == "constant")
        others = [each for each in terms if each[1].operation != "constant"]
        # first what changes from step to step, so that the result has a row for each sequence; a sum has such a term
        (sign, first), *rest = sorted(others, key=lambda term: (term[1] in self.found.known, term[0] < 0))
        if sign > 0 and self._only_here(first):
            slot = self._emit("mul", *map(self.argument, first.operands))
        elif sign > 0 and rest:
            slot = self._plus(first, *rest.pop(0))
        elif number:
            slot, number = self._emit("affine", self.argument(first), sign, number), 0.0
        else:
            slot = self._emit("mul", self.argument(first), sign)
        self._add(slot, rest)
        if number:
            self.instructions.append(Instruction("add_", slot, (number, 1.0)))
        return slot

    def _plus(self, first: Node, sign: float, second: Node) -> Slot:
        """first ± second in a new place."""
        if self._only_here(second):
            a, b = map(self.argument, second.operands)
            if isinstance(a, Slot) and isinstance(b, Slot):
                return self._emit("addcmul", self.argument(first), a, b, sign)
        return self._emit("add", self.argument(first), self.argument(second), sign)

    def _add(self, slot: Slot, terms: list[Term]) -> None:
        """Adds terms in place."""
        for sign, term in terms:
            if self._only_here(term):
                a, b = map(self.argument, term.operands)
                if isinstance(a, float):
                    a, b = b, a
                if isinstance(b, float):
                    self.instructions.append(Instruction("add_", slot, (a, sign * b)))
                else:
                    self.instructions.append(Instruction("addcmul_", slot, (a, b, sign)))
            else:
                self.instructions.append(Instruction("add_", slot, (self.argument(term), sign)))

    def _only_here(self, term: Node) -> bool:
        """Whether a term of a sum is made of two factors for this sum alone, and so needs no place of its own."""
        found = self.found
        return term.operation == "multiply" and found.uses[term] == 1 and term not in found.known

    def _between(self, terms: list[Term]) -> tuple[Argument, Argument, Argument] | None:
        """From, to and share, where the sum is (1 - share) * from + share * to."""
        if len(terms) != 2 or any(sign < 0 or term.operation != "multiply" for sign, term in terms):
            return None
        if any(self.found.uses[term] > 1 for _, term in terms):
            return None
        (a, b), (c, d) = (term.operands for _, term in terms)
        one = Node("constant", 1.0)
        for (rest, start), (share, end) in [
            (left, right) if not swap else (right, left)
            for swap in (False, True)
            for left in ((a, b), (b, a))
            for right in ((c, d), (d, c))
        ]:
            whole = rest is Node("subtract", one, share)
            if share.operation == rest.operation == "constant":
                whole = rest.number + share.number == 1
            if whole and not (start.operation == "constant" or end.operation == "constant"):
                return self.argument(start), self.argument(end), self.argument(share)
        return None
