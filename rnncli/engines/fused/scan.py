"""A plan carried out over all steps, forward and backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from rnncli.engines.fused.bulk import Evaluation
from rnncli.engines.fused.memory import Memory, before, per_sequence
from rnncli.engines.fused.play import play
from rnncli.engines.fused.slots import Instruction, Slot

_CHUNK = 2**16
"""Numbers of one lane for which local derivatives are computed at once: they stay in the cache until they are used."""


def forward(memory: Memory) -> None:
    """Runs all steps; afterwards the memory has every value."""
    memory.matrices = [memory.matrix(each.blocks).t() for each in memory.plan.forward.matrices]
    play(memory.plan.forward.instructions, _ForwardViews(memory))


class _Views:
    """For a slot its tensor at each step; each is looked up once."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._steps: dict[Slot, Sequence[Tensor]] = {}

    def all_steps(self, slot: Slot) -> Sequence[Tensor]:
        """One after the other."""
        if slot not in self._steps:
            self._steps[slot] = self._made(slot)
        return self._steps[slot]

    def _made(self, slot: Slot) -> Sequence[Tensor]:
        constant = self._memory.constant(slot)
        if constant is not None:
            return [constant] * self._memory.packing.time
        rows = self._memory.rows(slot)
        return self._memory.heads(rows) if per_sequence(slot) else self._memory.each(rows)


class _ForwardViews(_Views):
    """Of all steps; the old states are the new ones of the step before."""

    def __call__(self, slot: Slot) -> Sequence[Tensor]:
        return self._old(slot) if slot.buffer == "old" else self.all_steps(slot)

    def _old(self, slot: Slot) -> Sequence[Tensor]:
        memory = self._memory
        new = self.all_steps(replace(memory.plan.forward.new[slot.first], apart=slot.apart))[:-1]
        if not memory.packing.full:
            sizes = memory.packing.sizes[1:]
            new = [rows if len(rows) == size else rows[:size] for rows, size in zip(new, sizes, strict=True)]
        return [memory.rows(slot), *new]


def backward(memory: Memory, outputs: Tensor | None, final: Sequence[Tensor | None], watched: Tensor | None) -> None:
    """Runs all steps backward; afterwards the lanes of derivatives are complete, and carry has those by the start.

    Args:
        outputs: derivatives by the outputs, (rows, hidden).
        final: derivatives by the final states, sorted.
        watched: where derivatives by the outputs, through all that follows, are put: (rows, hidden).
    """
    plan, like = memory.plan.backward, memory.tensors["old", 0]
    instructions = list(plan.instructions)
    if watched is not None:
        memory.tensors["watched", 0] = watched
        instructions.insert(0, Instruction("copy", Slot("watched"), (Slot("carry"),)))
    if outputs is not None:
        memory.tensors["incoming", 0] = outputs
        instructions.insert(0, Instruction("add_", Slot("carry"), (Slot("incoming"), 1.0)))
    for place, gradient in enumerate(final):
        memory.tensors["carry", place] = torch.zeros_like(like)
        if gradient is not None:
            memory.tensors["carry", place].copy_(gradient)
    for place in range(plan.scratches):
        memory.tensors["scratch", place] = torch.empty_like(like)
    memory.keep_old_states()
    memory.tensors["gradient", 0] = like.new_empty(memory.packing.rows, plan.lanes * memory.hidden)
    memory.matrices = [memory.matrix(each.blocks) for each in plan.matrices]
    views = _BackwardViews(memory)
    for steps, rows in _chunks(memory):
        _evaluate(memory, rows)
        views.steps = steps
        play(instructions, views)


def _chunks(memory: Memory) -> Iterator[tuple[slice, slice]]:
    """Some steps after others, and their rows, from the end."""
    sizes, stop = memory.packing.sizes, memory.packing.rows
    last = len(sizes)
    while last:
        first, count = last, 0
        while first and (count == 0 or (count + sizes[first - 1]) * memory.hidden <= _CHUNK):
            first -= 1
            count += sizes[first]
        yield slice(first, last), slice(stop - count, stop)
        last, stop = first, stop - count


def _evaluate(memory: Memory, rows: slice) -> None:
    """Local derivatives of some rows."""
    value = Evaluation(lambda node: memory.found(node, rows), memory.blocks)
    for slot, node in memory.plan.backward.preloads:
        value.put(node, memory.rows(slot)[rows])
    for place, node in enumerate(memory.plan.backward.coefficients):
        memory.tensors["coefficient", place] = value.tensor(node)


class _BackwardViews(_Views):
    """Of some steps, the last first."""

    steps = slice(0, 0)

    def __call__(self, slot: Slot) -> Sequence[Tensor]:
        if slot.buffer == "coefficient":  # made anew for these steps
            rows, sizes = self._memory.rows(slot), self._memory.packing.sizes[self.steps]
            alike = rows.dim() == 1 + slot.apart  # the same at each step
            return [rows] * len(sizes) if alike else torch.split_with_sizes(rows, sizes)[::-1]
        return self.all_steps(before(slot))[self.steps][::-1]


def by_weight_hh(memory: Memory) -> Tensor:
    """The derivative by the recurrent matrix: one product over all steps for each operand."""
    gradient, size = torch.zeros_like(memory.tensors["weight_hh", 0]), memory.hidden
    blocks = memory.rows_of_blocks(gradient)
    for matrix in memory.plan.backward.matrices:
        operand = memory.rows(before(memory.plan.forward.slots[matrix.operand]))
        found = torch.mm(memory.rows(matrix.gradient).t(), operand)
        for place, name in enumerate(matrix.blocks):
            blocks[name].copy_(found[place * size : (place + 1) * size])
    return gradient


def by_vectors(memory: Memory) -> list[Tensor]:
    """The derivatives by the vectors."""
    value = Evaluation(lambda node: memory.found(node, slice(None)), memory.blocks)
    found = []
    for place, node in enumerate(memory.plan.forward.vectors):
        total = torch.zeros_like(memory.tensors["vector", place])
        for slot, coefficient in memory.plan.backward.vectors.get(node, {}).items():
            total += (memory.rows(slot) * value(coefficient)).sum(0)
        found.append(total)
    return found


def by_factors(memory: Memory) -> list[Tensor | None]:
    """The derivatives by what the steps read of what was known before them."""
    lanes = memory.plan.backward.factors
    return [memory.rows(lanes[node]) if node in lanes else None for node in memory.plan.forward.factors]
