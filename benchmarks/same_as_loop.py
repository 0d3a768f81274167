"""Whether an engine computes what the loop does, at the sizes that are timed."""

from __future__ import annotations

from functools import cache

import torch
from contenders import Batch, Point, drawn, engine_run, settings_of

from rnncli.cells import make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import ENGINES

TOLERANCE = 5e-3
"""Norm of the difference in float32, by the norm: one unit in 512 that is wrong, or one step in 50, is far above it. A
relu whose argument is next to zero, open here and closed there, is below it."""


def differs(cell: str, engine: str, point: Point, fill: float) -> str | None:
    """Where its outputs and gradients are not the loop's, or None.

    Closely in float64, on rows of unequal length and a size that no vector divides; in float32 at the width and batch
    of the point, and as many of its steps as the loop does in a second or so, but 50 at most: over 500 what float32
    rounds off grows to a tenth in a cell with layer normalization.
    """
    steps = min(point.time, 50, max(7, 500 * 64**2 // point.hidden**2))
    return _in_double(cell, engine) or _in_single(cell, engine, point._replace(time=steps), fill)


@cache
def _in_double(cell: str, engine: str) -> str | None:
    torch.manual_seed(1)
    weights = CellWeights(make_cell(settings_of(cell, 19)), 19).double()
    values = torch.randn(7, 5, 19, dtype=torch.float64, requires_grad=True)
    batch = Batch(values, torch.randn_like(values), torch.tensor([4, 7, 1, 6, 2]))
    try:
        torch.testing.assert_close(
            engine_run(weights, ENGINES[engine](), batch), engine_run(weights, ENGINES["loop"](), batch)
        )
    except AssertionError as error:
        return " ".join(str(error).split())
    return None


@cache
def _in_single(cell: str, engine: str, point: Point, fill: float) -> str | None:
    torch.manual_seed(1)
    weights = CellWeights(make_cell(settings_of(cell, point.hidden)), point.hidden)
    batch = drawn(point, fill)
    found = engine_run(weights, ENGINES[engine](), batch)
    values = batch.values.detach().double().requires_grad_()
    right = engine_run(weights.double(), ENGINES["loop"](), Batch(values, batch.gradient.double(), batch.lengths))
    names = ["outputs", "inputs", *(name for name, each in weights.named_parameters() if each.numel())]
    for name, one, other in zip(names, found, right, strict=True):
        apart = float((one - other).detach().norm() / other.detach().norm())
        if not apart <= TOLERANCE:
            return f"{name} in float32: {apart:.2g} from the loop's in float64"
    return None
