"""Microseconds of a single step of layers on layers without gradients, as decoding takes them.

For each cell and batch: our stepper in each engine that runs the cell, `Stack.step`, and of torch nn.LSTM or nn.GRU
over one time step and a chain of nn.LSTMCell or nn.GRUCell, all with the same parameters. They take turns in one
process, a block of steps each, every round begun by another; before anything is timed their outputs are compared.
Given are the median over rounds, in brackets the least and the greatest, and the median ratio to the native stepper.

    python benchmarks/single_step.py --threads 1
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnncli.cells import CELLS
from rnncli.cells.weights import CellWeights
from rnncli.engines.choice import refusal_here
from rnncli.engines.engine import ENGINES, NOTHING_MORE
from rnncli.layers.recurrent import Stack

TORCH: dict[str, tuple[type[nn.LSTM | nn.GRU], type[nn.LSTMCell | nn.GRUCell]]] = {
    "lstm": (nn.LSTM, nn.LSTMCell),
    "gru": (nn.GRU, nn.GRUCell),
}
BLOCK_SECONDS = 0.01
"""How long the steps of one contender take that are timed together."""

Step = Callable[[], Tensor]


def stack_of(cell: str, given: argparse.Namespace, engine: str) -> Stack:
    """A stack whose parameters are the same in every engine."""
    torch.manual_seed(0)
    options = {"reset": "after"} if cell == "gru" else {}
    settings = CELLS[cell].settings_type.model_validate({"type": cell, "hidden_size": given.hidden, **options})
    return Stack(settings, given.input, layers=given.layers, engine=engine).eval()  # type: ignore[arg-type]


def of_torch(cell: str, stack: Stack, inputs: Tensor, given: argparse.Namespace) -> dict[str, Step]:
    """torch.nn's layers and cells with the parameters of a stack."""
    layers, single = TORCH[cell]
    module = layers(given.input, given.hidden, given.layers)
    chain = [single(given.hidden if layer else given.input, given.hidden) for layer in range(given.layers)]
    for layer, (weights, one) in enumerate(zip(stack.weights, chain, strict=True)):
        assert isinstance(weights, CellWeights)
        second = torch.zeros_like(weights.bias)
        if "hn" in weights.vectors:
            second[-given.hidden :] = weights.vectors["hn"]
        values = {"weight_ih": weights.weight_ih, "weight_hh": weights.weight_hh, "bias_ih": weights.bias}
        for name, value in (values | {"bias_hh": second}).items():
            getattr(one, name).copy_(value)
            getattr(module, f"{name}_l{layer}").copy_(value)
    zeros = torch.zeros(given.layers, len(inputs), given.hidden)
    start = (zeros, zeros) if cell == "lstm" else zeros
    starts = [(zeros[layer], zeros[layer]) if cell == "lstm" else zeros[layer] for layer in range(given.layers)]
    by_time = inputs.unsqueeze(0)

    def cells() -> Tensor:
        current = inputs
        for one, begin in zip(chain, starts, strict=True):
            made = one(current, begin)
            current = made[0] if cell == "lstm" else made
        return current

    return {f"{layers.__name__}, time 1": lambda: module(by_time, start)[0][0], f"{single.__name__} chain": cells}


def contenders(cell: str, inputs: Tensor, given: argparse.Namespace) -> dict[str, Step]:
    """What is timed, by its name."""
    found: dict[str, Step] = {}
    for engine, kind in ENGINES.items():
        stack = stack_of(cell, given, "loop")
        if refusal_here(kind(), stack.cell, NOTHING_MORE) is None and engine in ("native", "loop"):
            stepper = stack_of(cell, given, engine).stepper()
            state = stepper.begin(len(inputs))
            found[f"stepper, {engine}"] = lambda stepper=stepper, state=state: stepper.step(inputs, state)[0]
    found = dict(sorted(found.items(), reverse=True))  # native first
    stack = stack_of(cell, given, "auto")
    state = stack.stepper().begin(len(inputs))
    return found | {"Stack.step": lambda: stack.step(inputs, state)[0]} | of_torch(cell, stack, inputs, given)


def measured(those: dict[str, Step], rounds: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    """Microseconds a step of each in each round."""
    counts = {}
    for name, step in those.items():
        for _ in range(3):
            step()
        started = clock()
        step()
        counts[name] = max(3, round(BLOCK_SECONDS / (clock() - started)))
    times: dict[str, list[float]] = {name: [] for name in those}
    names = list(those)
    for number in range(rounds):
        first = number % len(names)
        for name in [*names[first:], *names[:first]]:
            step = those[name]
            step()  # its numbers are in the cache again
            started = clock()
            for _ in range(counts[name]):
                step()
            times[name].append((clock() - started) / counts[name] * 1e6)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=list(TORCH), default=list(TORCH))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 5])
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--input", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cpu-time", action="store_true", help="of the calling thread, where others take the cores")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with torch.inference_mode():
        for cell in given.cells:
            for batch in given.batches:
                torch.manual_seed(1)
                those = contenders(cell, torch.randn(batch, given.input), given)
                base, *others = those
                for other in others:
                    torch.testing.assert_close(those[other](), those[base](), rtol=1e-4, atol=1e-5)
                times = measured(those, given.rounds, time.thread_time if given.cpu_time else time.perf_counter)
                print(f"\n{cell} {given.layers} x {given.hidden}, input {given.input}, batch {batch}, "
                      f"{given.threads} threads: us a step, ratio to {base}")  # fmt: skip
                for name, found in times.items():
                    ratio = statistics.median(a / b for a, b in zip(found, times[base], strict=True))
                    spread = f"({min(found):.0f}-{max(found):.0f})"
                    print(f"  {name:20} {statistics.median(found):8.0f} {spread:>16} {ratio:8.2f}")


if __name__ == "__main__":
    main()
