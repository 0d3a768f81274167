"""Any cell as compiled code, on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rnncli.cells.cell import Cell
from rnncli.cells.weights import State
from rnncli.engines.engine import ENGINES, Call, Engine, Wanted
from rnncli.engines.native.compiler import why_not
from rnncli.engines.native.function import Given, Layer
from rnncli.engines.native.library import load
from rnncli.engines.native.source import Real
from rnncli.errors import CompilerError
from rnncli.sequences import Padded


@ENGINES.register("native")
class NativeEngine(Engine):
    """Writes C for the equations and their derivatives, compiles it once, and runs a layer in one call.

    Only valid steps are run. The code is kept in the user's cache folder for the next time.
    """

    turns = True

    def refusal(self, cell: Cell[Any], wanted: Wanted) -> str | None:
        reason = why_not()
        if reason is None:
            try:
                load(cell, cell.graph, "float")
            except CompilerError as error:
                reason = str(error)
        return reason

    def _run(self, call: Call) -> tuple[Padded, State | None]:
        weights, inputs, masks = call.weights, call.inputs, call.masks
        cell, dtype = weights.cell, call.weight_hh.dtype
        zoneout = {name: None if isinstance(share, Tensor) else share for name, share in masks.zoneout.items()}
        graph = cell.graph.masked(masks.hidden is not None, zoneout)
        real: Real = "double" if dtype == torch.float64 else "float"
        library = load(cell, graph, real, call.recording is not None)
        drawn = [masks.zoneout.get(name) for name in cell.states]
        shares = [_time_major(each) if isinstance(each, Tensor) else None for each in drawn]
        lengths, order = inputs.lengths.sort(descending=True, stable=True)
        tensors = (
            inputs.values.to(dtype),
            weights.weight_ih,
            call.weight_hh,
            weights.bias,
            *(each.to(dtype) for each in call.state),
            *(weights.vectors[name] for name in cell.graph.vectors),
        )
        given = Given(
            library,
            lengths.contiguous(),
            order,
            int(lengths.sum()),
            reverse=call.reverse,
            training=torch.is_grad_enabled() and any(each is not None and each.requires_grad for each in tensors),
            final_state=call.final_state,
            masks=(None if masks.hidden is None else masks.hidden.contiguous(), *shares),
            threads=torch.get_num_threads(),
            recording=call.recording,
        )
        outputs, *final = Layer.apply(given, *tensors)  # type: ignore[no-untyped-call]
        return inputs.with_values(outputs), tuple(final) if call.final_state else None


def _time_major(share: Tensor) -> Tensor:
    """The same in time-major memory, so that all shares have the same strides."""
    return share.transpose(0, 1).contiguous().transpose(0, 1)
