"""Where the numbers of a step stand, and what is done with them. Nothing here needs torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Buffer = Literal[
    "linear",
    "hoisted",
    "own",
    "value",
    "factor",
    "vector",
    "mask",
    "old",
    "carry",
    "scratch",
    "gradient",
    "coefficient",
    "incoming",
    "watched",
    "matrix",
    "before",
]
"""The tensors of a run. One row a valid step of a sequence: linear, hoisted and own hold the lanes, value what else a
step makes, factor what is known before the loop, gradient the derivatives by lanes, incoming those by the outputs,
watched those that are recorded, coefficient local derivatives, mask the masks. One row a sequence: old the state before
the step, carry the derivative by it, scratch what backward steps pass on. Parameters: vector, matrix."""


@dataclass(frozen=True, order=True)
class Slot:
    """Lanes of a buffer, side by side: (rows, count * hidden), or (rows, count, hidden) where `apart`."""

    buffer: Buffer
    first: int = 0
    count: int = 1
    apart: bool = False

    def overlaps(self, other: Slot) -> bool:
        """Whether they share a lane."""
        return (
            self.buffer == other.buffer
            and self.first < other.first + other.count
            and other.first < self.first + self.count
        )


Argument = Slot | float


@dataclass(frozen=True)
class Instruction:
    """One operation of a step, named as in torch; it writes to `out`, which it also reads where the name ends in _."""

    function: str
    out: Slot
    arguments: tuple[Argument, ...] = ()

    @property
    def reads(self) -> tuple[Slot, ...]:
        """The slots of its arguments."""
        return tuple(each for each in self.arguments if isinstance(each, Slot))


_MATRIX_PRODUCTS = ("mm", "addmm", "addmm_")
_LANES = ("linear", "hoisted", "own", "gradient", "vector")


def merged(instructions: list[Instruction]) -> list[Instruction]:
    """The same work in fewer operations: those that do the same to neighbouring lanes become one."""
    fewer = _merged_once(instructions)
    while len(fewer) < len(instructions):
        instructions, fewer = fewer, _merged_once(fewer)
    return [_spread(each) for each in fewer]


def _merged_once(instructions: list[Instruction]) -> list[Instruction]:
    done: list[Instruction] = []
    for instruction in instructions:
        place = _place_to_join(done, instruction)
        if place is None:
            done.append(instruction)
        else:
            done[place] = _joined(done[place], instruction) or instruction
    return done


def _place_to_join(done: list[Instruction], instruction: Instruction) -> int | None:
    """Where it becomes one with an earlier one, past others that don't need what it writes, nor write what it needs."""
    for place in reversed(range(len(done))):
        if _joined(done[place], instruction) is not None:
            return place
        if _in_the_way(done[place], instruction):
            return None
    return None


def _in_the_way(earlier: Instruction, later: Instruction) -> bool:
    touched = (later.out, *later.reads)
    return any(earlier.out.overlaps(each) for each in touched) or any(map(later.out.overlaps, earlier.reads))


def _joined(a: Instruction, b: Instruction) -> Instruction | None:
    """Both in one, where they stand side by side and each argument does, too, or is the same."""
    if b.out.buffer == a.out.buffer and b.out.first < a.out.first:
        a, b = b, a
    out = _side_by_side(a.out, b.out)
    if out is None or a.function != b.function or a.function in _MATRIX_PRODUCTS:
        return None
    if any(b.out.overlaps(each) for each in a.reads) or any(a.out.overlaps(each) for each in b.reads):
        return None
    arguments: list[Argument] = []
    for left, right in zip(a.arguments, b.arguments, strict=True):
        if isinstance(left, Slot) and isinstance(right, Slot) and left != right:
            pair = _side_by_side(left, right)
            if pair is None:
                return None
            arguments.append(pair)
        elif left == right and not (isinstance(left, Slot) and left.count > 1):
            arguments.append(left)
        else:
            return None
    if arguments == list(a.arguments) and not a.function.endswith("_") and a.function not in ("copy", "normalize"):
        return None  # the same result twice, which torch does not write to a wider place
    return Instruction(a.function, out, tuple(arguments))


def _side_by_side(a: Slot, b: Slot) -> Slot | None:
    """Both as one slot, where b follows a."""
    if a.buffer != b.buffer or a.buffer not in _LANES or a.first + a.count != b.first:
        return None
    return Slot(a.buffer, a.first, a.count + b.count)


def _spread(instruction: Instruction) -> Instruction:
    """With the lanes apart where one argument serves all of them."""
    slots = instruction.reads
    if instruction.out.count == 1 or instruction.function in _MATRIX_PRODUCTS or not slots:
        return instruction
    if instruction.function != "normalize" and all(each.count > 1 and each.buffer != "vector" for each in slots):
        return instruction
    arguments = [replace(each, apart=True) if isinstance(each, Slot) else each for each in instruction.arguments]
    return Instruction(instruction.function, replace(instruction.out, apart=True), tuple(arguments))
