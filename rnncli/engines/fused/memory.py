"""The tensors that the steps of a run work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rnncli.cells.expressions import Node
from rnncli.engines.fused.packing import Packing
from rnncli.engines.fused.plan import Plan
from rnncli.engines.fused.slots import Slot

_SIDE_BY_SIDE = ("linear", "hoisted", "own", "gradient")


@dataclass(frozen=True)
class Given:
    """What the steps read. All but masks have derivatives.

    Attributes:
        linear, hoisted: lanes as they are before the loop, (rows, lanes * hidden); they are overwritten.
        weight_hh: the recurrent matrix.
        start: the states before the first step, sorted.
        factors: (rows, hidden).
        vectors: (hidden,).
        masks: that of the operands, (batch, hidden), sorted, then those of zoneout, (rows, hidden), by state.
    """

    linear: Tensor | None
    hoisted: Tensor | None
    weight_hh: Tensor
    start: tuple[Tensor, ...]
    factors: tuple[Tensor, ...]
    vectors: tuple[Tensor, ...]
    masks: tuple[Tensor | None, ...]


class Memory:
    """All buffers of a run, for the forward pass and again for the backward pass.

    Attributes:
        tensors: by buffer and place. All lanes of linear, hoisted, own and gradient stand side by side at place 0:
            (rows, lanes * hidden). The others have one tensor for each place: (rows, hidden), or a row for each
            sequence, or (hidden,) for vectors. At weight_hh stands the recurrent matrix.
        matrices: what the slots of matrices mean, made anew for each pass.
    """

    def __init__(self, plan: Plan, packing: Packing, hidden: int) -> None:
        self.plan, self.packing, self.hidden = plan, packing, hidden
        self.tensors: dict[tuple[str, int], Tensor] = {}
        self.matrices: list[Tensor] = []

    def take(self, given: Given) -> None:
        """Takes in what the steps read, and makes room for what they write."""
        plan, like, rows = self.plan, given.weight_hh, self.packing.rows
        for kind, tensors in (
            ("linear", (given.linear,)),
            ("hoisted", (given.hoisted,)),
            ("weight_hh", (given.weight_hh,)),
            ("factor", given.factors),
            ("mask", given.masks),
            ("old", given.start),
            ("vector", given.vectors),
        ):
            self.tensors |= {(kind, place): tensor for place, tensor in enumerate(tensors) if tensor is not None}
        if plan.layout.own:
            self.tensors["own", 0] = like.new_empty(rows, len(plan.layout.own) * self.hidden)
        for place in range(plan.forward.values):
            self.tensors["value", place] = like.new_empty(rows, self.hidden)

    @property
    def blocks(self) -> dict[str, Tensor]:
        """The rows of the recurrent matrix that belong to each block."""
        return self.rows_of_blocks(self.tensors["weight_hh", 0])

    def rows_of_blocks(self, weight_hh: Tensor) -> dict[str, Tensor]:
        """The rows of each recurrent block."""
        size = self.hidden
        return {name: weight_hh[n * size : (n + 1) * size] for n, name in enumerate(self.plan.graph.recurrent)}

    def matrix(self, blocks: Sequence[str]) -> Tensor:
        """(blocks * hidden, hidden)."""
        rows = self.blocks
        chosen = [rows[name] for name in blocks]
        return chosen[0] if len(chosen) == 1 else torch.cat(chosen)

    def rows(self, slot: Slot) -> Tensor:
        """The whole of a slot: a row for each valid step, or for each sequence."""
        if slot.buffer in _SIDE_BY_SIDE:
            lanes = self.tensors[slot.buffer, 0]
            if slot.apart:
                return lanes.view(len(lanes), -1, self.hidden)[:, slot.first : slot.first + slot.count]
            return lanes[:, slot.first * self.hidden : (slot.first + slot.count) * self.hidden]
        single = self.tensors[slot.buffer, slot.first]
        return single.unsqueeze(1) if slot.apart else single

    def constant(self, slot: Slot) -> Tensor | None:
        """What is the same at each step."""
        if slot.buffer == "matrix":
            return self.matrices[slot.first]
        if slot.buffer == "vector":
            chosen = [self.tensors["vector", slot.first + place] for place in range(slot.count)]
            return chosen[0] if len(chosen) == 1 else torch.stack(chosen)
        return None

    def each(self, rows: Tensor) -> Sequence[Tensor]:
        """The rows of each step."""
        if self.packing.full:
            return rows.view(self.packing.time, self.packing.batch, *rows.shape[1:]).unbind(0)
        return torch.split_with_sizes(rows, self.packing.sizes)

    def heads(self, rows: Tensor) -> Sequence[Tensor]:
        """For each step the rows of the sequences that have it."""
        heads = {size: rows[:size] for size in set(self.packing.sizes)}
        return [heads[size] for size in self.packing.sizes]

    def keep_old_states(self) -> None:
        """Puts the state before each step into rows of its own, for all steps at once."""
        for place, slot in enumerate(self.plan.forward.new):
            self.tensors["before", place] = self.packing.before(self.tensors["old", place], self.rows(slot))

    def found(self, node: Node, rows: slice) -> Tensor | None:
        """The value of an expression in some rows after the forward pass, where it was kept."""
        slot = self.plan.forward.slots.get(node)
        if slot is None:
            return None
        if slot.buffer == "vector":
            return self.constant(slot)
        if per_sequence(slot):
            return torch.cat(list(self.heads(self.rows(slot))))[rows]
        return self.rows(before(slot))[rows]


def per_sequence(slot: Slot) -> bool:
    """Whether a buffer has a row for each sequence, not for each step."""
    return slot.buffer in ("carry", "scratch") or (slot.buffer == "mask" and slot.first == 0)


def before(slot: Slot) -> Slot:
    """Where the old states of all steps stand."""
    return Slot("before", slot.first, slot.count, slot.apart) if slot.buffer == "old" else slot
