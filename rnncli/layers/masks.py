"""What dropout does inside the recurrence."""

from __future__ import annotations

from typing import Any

from rnncli.cells.cell import Cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import Masks
from rnncli.layers.dropout import draw_mask, draw_ones
from rnncli.layers.settings import DropoutSettings
from rnncli.sequences import Padded


def zoneout_shares(rates: DropoutSettings, cell: Cell[Any]) -> dict[str, float]:
    """By the name of a state, the share of its old value that it keeps."""
    shares = {cell.states[0]: rates.zoneout, "c": rates.zoneout_memory}
    return {state: share for state, share in shares.items() if share}


def recurrent_masks(rates: DropoutSettings, weights: CellWeights, inputs: Padded, training: bool) -> Masks:
    """The masks of one run of a cell; in evaluation only zoneout's, at its expectation."""
    cell, like = weights.cell, inputs.values
    shares = zoneout_shares(rates, cell)
    if not training:
        return Masks(zoneout=shares)
    by_time = (inputs.time, inputs.batch, cell.hidden_size)
    return Masks(
        hidden=draw_mask((inputs.batch, cell.hidden_size), rates.recurrent, like) if rates.recurrent else None,
        weight=draw_mask(weights.weight_hh.shape, rates.weight, weights.weight_hh) if rates.weight else None,
        zoneout={state: draw_ones(by_time, share, like).transpose(0, 1) for state, share in shares.items()},
    )
