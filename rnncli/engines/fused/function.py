"""A scan as a function of autograd."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnncli.engines.fused import scan
from rnncli.engines.fused.memory import Given, Memory
from rnncli.engines.fused.slots import Slot
from rnncli.errors import UserError


class Scan(Function):
    """All steps of a run, with a backward pass of its own."""

    @staticmethod
    def forward(
        context: Any,
        memory: Memory,
        masks: tuple[Tensor | None, ...],
        watched: Tensor | None,
        counts: tuple[int, int],
        linear: Tensor | None,
        hoisted: Tensor | None,
        weight_hh: Tensor,
        *others: Tensor,
    ) -> tuple[Tensor, ...]:
        """Outputs of (rows, hidden) and the final states, sorted.

        Args:
            watched: buffer of (batch, time, hidden) for the derivatives by the outputs.
            counts: how many of `others` are states and how many factors; the rest are vectors.
        """
        states, factors = counts
        start, known, vectors = others[:states], others[states : states + factors], others[states + factors :]
        memory.take(Given(linear, hoisted, weight_hh, start, known, vectors, masks))
        scan.forward(memory)
        context.parts, context.watched, context.states = (
            (memory.plan, memory.packing, memory.hidden),
            watched,
            len(start),
        )
        context.keys = tuple(memory.tensors)
        context.save_for_backward(*memory.tensors.values())  # freed after the backward pass, and refused when changed
        context.set_materialize_grads(False)
        rows = [memory.rows(slot) for slot in memory.plan.forward.new]
        return rows[0].view_as(rows[0]), *(memory.packing.last(each).clone() for each in rows)

    @staticmethod
    def backward(context: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """The derivatives by all that `forward` takes.

        Raises:
            UserError: they are being taken in a way that they can be derived again.
        """
        if torch.is_grad_enabled():
            raise UserError("engine fused has no second derivatives; set model.engine: loop")
        memory = Memory(*context.parts)
        memory.tensors = dict(zip(context.keys, context.saved_tensors, strict=True))
        outputs, *final = gradients
        watched = (
            None if context.watched is None else memory.tensors["old", 0].new_empty(memory.packing.rows, memory.hidden)
        )
        scan.backward(memory, outputs, final, watched)
        if watched is not None:
            context.watched.copy_(memory.packing.spread(watched))
        linear, hoisted = len(memory.plan.layout.linear), len(memory.plan.layout.hoisted)
        return (
            *(None,) * 4,
            memory.rows(Slot("gradient", 0, linear)) if linear else None,
            memory.rows(Slot("gradient", linear, hoisted)) if hoisted else None,
            scan.by_weight_hh(memory),
            *(memory.tensors["carry", place] for place in range(context.states)),
            *scan.by_factors(memory),
            *scan.by_vectors(memory),
        )
