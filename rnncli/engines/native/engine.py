"""Any cell as compiled code, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.graph import Graph
from rnncli.cells.weights import CellWeights, State
from rnncli.engines.engine import ENGINES, Call, Engine, Masks, Wanted, precision_of
from rnncli.engines.loop import LoopEngine
from rnncli.engines.native.compiler import why_not
from rnncli.engines.native.function import Given, Layer
from rnncli.engines.native.library import load, loaded
from rnncli.engines.native.source import Real
from rnncli.engines.native.stepper import NativeStepper
from rnncli.engines.stepper import Stepper
from rnncli.errors import CompilerError
from rnncli.sequences import Padded

_REALS: dict[str, Real] = {"float32": "float", "float64": "double"}


@ENGINES.register("native")
class NativeEngine(Engine):
    """Writes C for the equations and their derivatives, compiles it once, and runs a layer in one call.

    Only valid steps are run. The code is kept in the user's cache folder for the next time.
    """

    by_lengths = True

    def refusal(self, cell: Cell[Any], wanted: Wanted) -> str | None:
        if wanted.precision not in _REALS:
            return f"it has code for {' and '.join(_REALS)} alone, not for {wanted.precision}"
        return None

    def missing(self, cell: Cell[Any]) -> str | None:
        if loaded(cell, cell.graph, "float"):
            return None
        reason = why_not()
        if reason is None:
            try:
                load(cell, cell.graph, "float")
            except CompilerError as error:
                reason = str(error)
        return reason

    def _stepper(self, weights: CellWeights, zoneout: Mapping[str, float]) -> Stepper:
        cell, real = weights.cell, _REALS[precision_of(weights.weight_hh)]
        return NativeStepper(load(cell, _masked(cell, Masks(zoneout=zoneout)), real), weights)

    def _run(self, call: Call) -> tuple[Padded, State | None]:
        weights, inputs = call.weights, call.inputs
        cell, like = weights.cell, call.weight_hh
        real = _REALS[precision_of(like)]
        _check(call)
        hidden = (inputs.batch, cell.hidden_size)
        tensors = (
            inputs.values.to(like.dtype),
            weights.weight_ih,
            like,
            weights.bias,
            *(each.to(like.dtype).expand(hidden) for each in call.state),
            *(weights.vectors[name] for name in cell.graph.vectors),
        )
        training = torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in tensors)
        if inputs.time == 1 and not training:  # less work than to pack the weights
            return LoopEngine()._run(call)
        lengths, order = _longest_first(inputs)
        given = Given(
            load(cell, _masked(cell, call.masks), real, call.recording is not None),
            lengths,
            order,
            inputs.batch * inputs.time if inputs.full else int(lengths.sum()),
            reverse=call.reverse,
            training=training,
            final_state=call.final_state,
            masks=_drawn(cell, call.masks, like.dtype),
            threads=torch.get_num_threads(),
            recording=call.recording,
        )
        outputs, *final = Layer.apply(given, *tensors)  # type: ignore[no-untyped-call]
        return inputs.with_values(outputs), tuple(final) if call.final_state else None


def _check(call: Call) -> None:
    """The C code reads memory as it is told to.

    Raises:
        ValueError: a tensor has another shape or place than the others.
    """
    weights, inputs, masks = call.weights, call.inputs, call.masks
    batch, time = inputs.values.shape[:2]
    hidden = weights.cell.hidden_size
    shapes = {
        "inputs": (inputs.values, (batch, time, weights.weight_ih.shape[1])),
        "lengths": (inputs.lengths, (batch,)),
        **{
            f"state {name}": (each, (batch, hidden)) for name, each in zip(weights.cell.states, call.state, strict=True)
        },
        **({} if masks.hidden is None else {"mask": (masks.hidden, (batch, hidden))}),
        **{name: (share, (batch, time, hidden)) for name, share in masks.zoneout.items() if isinstance(share, Tensor)},
    }
    for name, (tensor, shape) in shapes.items():
        if tensor.shape != shape:
            raise ValueError(f"{name}: {tuple(tensor.shape)}, not {shape}")
        if tensor.device.type != "cpu":
            raise ValueError(f"{name}: on {tensor.device}, not on the CPU")
    if not batch or not time or inputs.lengths.min() < 1 or inputs.lengths.max() > time:
        raise ValueError(f"lengths: not from 1 to {time}, or no sequence at all")


def _masked(cell: Cell[Any], masks: Masks) -> Graph:
    """The cell's graph with the masks of a run."""
    if masks.hidden is None and not masks.zoneout:
        return cell.graph
    zoneout = {name: None if isinstance(share, Tensor) else share for name, share in masks.zoneout.items()}
    return cell.graph.masked(masks.hidden is not None, zoneout)


def _drawn(cell: Cell[Any], masks: Masks, dtype: torch.dtype) -> tuple[Tensor | None, ...]:
    """The masks that are tensors: that of the operands, then those of the states in time-major memory, all alike."""
    shares = [masks.zoneout.get(name) for name in cell.states]
    return (
        None if masks.hidden is None else masks.hidden.to(dtype).contiguous(),
        *(
            share.to(dtype).transpose(0, 1).contiguous().transpose(0, 1) if isinstance(share, Tensor) else None
            for share in shares
        ),
    )


def _longest_first(inputs: Padded) -> tuple[Tensor, Tensor]:
    """(batch,) int64 each: the lengths in that order, and which of the batch has them."""
    if inputs.full:
        return inputs.lengths.to(torch.int64).contiguous(), torch.arange(inputs.batch)
    return inputs.lengths.to(torch.int64).sort(descending=True, stable=True)
