"""Whether compiled code is right on this machine, how fast it is, and what the compiler makes of the processor."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from rnncli.cells import CELLS, make_cell
from rnncli.cells.weights import CellWeights
from rnncli.engines.choice import refusal_here
from rnncli.engines.engine import ENGINES, NOTHING_MORE
from rnncli.engines.native.compiler import library
from rnncli.engines.native.source import Real
from rnncli.errors import CompilerError
from rnncli.sequences import Padded

LIMITS: dict[Real, float] = {"double": 1e-10, "float": 1e-3}
"""The greatest difference that rounding explains; a step too many or a wrong sign is far above it."""

HIDDEN, BATCH, TIME = 128, 32, 100
"""The size that is timed; the inputs are as many as the units."""

_BATCH, _TIME, _INPUT, _HIDDEN = 5, 9, 13, 19
_SECONDS = 0.1
_VECTORS = """
#define REAL float
#include "vector.h"
const int vector_bytes = VECTOR_BYTES;
#if defined(__AVX512F__)
const char instructions[] = "AVX-512";
#elif defined(__AVX2__)
const char instructions[] = "AVX2";
#elif defined(__AVX__)
const char instructions[] = "AVX";
#elif defined(__SSE2__)
const char instructions[] = "SSE2";
#elif defined(__ARM_NEON)
const char instructions[] = "NEON";
#else
const char instructions[] = "no vector instructions that are known here";
#endif
"""


@dataclass(frozen=True)
class Vectors:
    """What the compiler takes this processor for: its instruction set, and the bytes of a vector."""

    instructions: str
    bytes: int


@dataclass(frozen=True)
class Difference:
    """The greatest difference between native and the loop in double precision, as a share of the greatest value."""

    outputs: float
    gradients: float


def vectors() -> Vectors:
    """Asks a library that is compiled as cells are.

    Raises:
        CompilerError: it can't be compiled here.
    """
    code = library(_VECTORS)
    longest = ctypes.c_char * 64
    instructions = ctypes.string_at(ctypes.addressof(longest.in_dll(code, "instructions")))
    return Vectors(instructions.decode(), ctypes.c_int.in_dll(code, "vector_bytes").value)


def difference(name: str, real: Real) -> Difference:
    """Of a cell with random parameters, on random sequences of unequal length from a random state.

    Raises:
        CompilerError: it can't be compiled here.
    """
    cell = make_cell(CELLS[name].settings_type(type=name, hidden_size=_HIDDEN))
    if reason := ENGINES["native"]().missing(cell):
        raise CompilerError(reason)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        size = _HIDDEN if cell.graph.raw else _INPUT
        weights = CellWeights(cell, size).double()
        with torch.no_grad():
            for parameter in weights.parameters():
                parameter.copy_(0.3 * torch.randn_like(parameter))
        values = torch.randn(_BATCH, _TIME, size, dtype=torch.float64)
        start = [0.5 * torch.randn(_BATCH, _HIDDEN, dtype=torch.float64) for _ in cell.states]
        lengths = torch.cat([torch.tensor([_TIME, 1]), torch.randint(2, _TIME, (_BATCH - 2,))])
        by_outputs = torch.randn(_BATCH, _TIME, _HIDDEN, dtype=torch.float64)
    right = _results("loop", weights, Padded(values, lengths), start, by_outputs)
    if real == "float":
        weights, values, by_outputs = weights.float(), values.float(), by_outputs.float()
        start = [each.float() for each in start]
    found = _results("native", weights, Padded(values, lengths), start, by_outputs)
    outputs, gradients = (max(map(_apart, *both)) for both in zip(found, right, strict=True))
    return Difference(outputs, gradients)


def milliseconds(name: str) -> dict[str, float]:
    """What a forward and a backward pass of a cell take in each engine that runs it; the best of a few."""
    cell = make_cell(CELLS[name].settings_type(type=name, hidden_size=HIDDEN))
    with torch.random.fork_rng(devices=[]):
        weights = CellWeights(cell, HIDDEN)
        values = torch.randn(TIME, BATCH, HIDDEN).transpose(0, 1).requires_grad_()
    inputs = Padded(values, torch.full((BATCH,), TIME))
    wanted = [values, *(each for each in weights.parameters() if each.numel())]
    best = {}
    for engine, kind in ENGINES.items():
        if refusal_here(kind(), cell, NOTHING_MORE) is None:
            ready, taken = kind(), list[float]()
            while len(taken) < 2 or sum(taken) < _SECONDS:
                before = time.perf_counter()
                made, _ = ready.run(weights, inputs)
                torch.autograd.grad(made.values.sum(), wanted)
                taken.append(time.perf_counter() - before)
            best[engine] = 1000 * min(taken)
    return best


def _results(
    engine: str, weights: CellWeights, inputs: Padded, start: list[Tensor], by_outputs: Tensor
) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs and the final state; and the derivatives by inputs, state and parameters."""
    values = inputs.values.clone().requires_grad_()
    state = tuple(each.clone().requires_grad_() for each in start)
    made, final = ENGINES[engine]().run(weights, inputs.with_values(values), state, final_state=True)
    assert final is not None
    results = [made.values, *final]
    by_final = [by_outputs[:, place] for place, _ in enumerate(final)]
    parameters = [each for each in weights.parameters() if each.numel()]
    gradients = torch.autograd.grad(results, [values, *state, *parameters], [by_outputs, *by_final])
    return [each.detach() for each in results], list(gradients)


def _apart(found: Tensor, right: Tensor) -> float:
    """Infinite where what was found is not finite."""
    share = float((found.double() - right).abs().max() / right.abs().max())
    return share if share == share else float("inf")  # the greatest of several must not depend on their order
