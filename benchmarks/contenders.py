"""What cells.py times against each other: our cells in our engines, torch's modules, torchrecurrent and flax."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import rnncli.engines.choice  # noqa: F401  (registers the engines)
from rnncli.cells import CELLS, CellSettings, make_cell
from rnncli.cells.costs import flops
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import ENGINES, NOTHING_MORE, Engine
from rnncli.sequences import Padded

MORE_OPTIONS = {"gru-before": {"type": "gru", "reset": "before"}, "peephole_lstm-full": {"type": "peephole_lstm",
                "peephole": "full"}}  # fmt: skip
OPTIONS = {name: {"type": name} for name in CELLS} | MORE_OPTIONS
MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
"""torch's modules, by the cell of ours that computes the same."""


class Point(NamedTuple):
    """Sizes of a layer and its batch; the inputs are as many as the units."""

    hidden: int
    batch: int
    time: int

    def __str__(self) -> str:
        return f"{self.hidden}/{self.batch}/{self.time}"


class Batch(NamedTuple):
    """Inputs and the gradient of the outputs, both (time, batch, hidden), with the lengths of the rows."""

    values: Tensor
    gradient: Tensor
    lengths: Tensor


class Ready(NamedTuple):
    """A function that runs forward and backward once, and the seconds that a compiler took for it beforehand."""

    run: Callable[[], object]
    compile_seconds: float = 0.0


class Contender(NamedTuple):
    """What is timed: `make` makes it ready for a batch.

    Attributes:
        beside: the cell of ours that it is timed in turn with.
        slow: whether it steps through time in Python.
    """

    cell: str
    engine: str
    beside: str
    slow: bool
    make: Callable[[Batch], Ready]

    @property
    def name(self) -> str:
        return f"{self.cell} {self.engine}"


def settings_of(cell: str, hidden: int) -> CellSettings:
    options = OPTIONS[cell]
    return CELLS[options["type"]].settings_type.model_validate(options | {"hidden_size": hidden})


def products(cell: str) -> float:
    """Operations of a cell's products with input and state, divided by those of nn.LSTM."""
    counted, lstm = (flops(make_cell(settings_of(each, 64)), 64) for each in (cell, "lstm"))
    return (counted.inputs + counted.recurrent) / (lstm.inputs + lstm.recurrent)


def has_memory(cell: str) -> bool:
    """Whether it is of the family of the LSTM: its state is an output h and a memory c."""
    return make_cell(settings_of(cell, 64)).states[:2] == ("h", "c")


def drawn(point: Point, fill: float) -> Batch:
    """A batch of which that share of the positions is valid; its longest row has all steps."""
    ranks = (torch.arange(point.batch) + 0.5) / point.batch
    lengths = (point.time * ranks ** (1 / fill - 1)).round().clamp(min=1).long()
    lengths[-1] = point.time
    lengths = lengths[torch.randperm(point.batch)]
    shape = (point.time, point.batch, point.hidden)
    return Batch(torch.randn(shape, requires_grad=True), torch.randn(shape), lengths)


def engine_run(weights: CellWeights, engine: Engine, batch: Batch) -> tuple[Tensor, ...]:
    """The outputs, (time, batch, hidden), and the gradients of the inputs and of all parameters."""
    inputs = Padded(batch.values.transpose(0, 1), batch.lengths)
    outputs, _ = engine.run(weights, inputs, final_state=False)
    by_time = outputs.values.transpose(0, 1)
    wanted = [batch.values, *(each for each in weights.parameters() if each.numel())]
    return by_time, *torch.autograd.grad(by_time, wanted, batch.gradient)


def in_engine(cell: str, engine: str, batch: Batch) -> Ready:
    hidden = batch.values.shape[2]
    weights, chosen = CellWeights(make_cell(settings_of(cell, hidden)), hidden), ENGINES[engine]()
    return Ready(partial(engine_run, weights, chosen, batch))


def in_module(kind: Callable[[int, int], nn.Module], packed: bool, batch: Batch) -> Ready:
    module = kind(batch.values.shape[2], batch.values.shape[2])
    wanted = [batch.values, *(each for each in module.parameters() if each.numel())]

    def run() -> None:
        if packed:
            outputs = module(pack_padded_sequence(batch.values, batch.lengths, enforce_sorted=False))[0]
            outputs, _ = pad_packed_sequence(outputs)
        else:
            outputs = module(batch.values)[0]
        torch.autograd.grad(outputs, wanted, batch.gradient, allow_unused=True)

    return Ready(run)


def import_all() -> None:
    """Let torch import what it leaves until the first gradient is asked for, sympy with it."""
    layer = nn.Linear(3, 2)
    outputs = layer(torch.randn(4, 3))
    torch.autograd.grad(outputs, [layer.weight], torch.randn_like(outputs))


def contenders(cells: list[str], engines: list[str], fill: float) -> Iterator[Contender]:
    """All that is timed beside these cells, nn.LSTM first; says on standard error what is not there.

    Where rows have different lengths, torch's modules take them packed, and padded beside; torchrecurrent and flax,
    which run on all steps, are left out.
    """
    packed = {"packed": True} if fill < 1 else {}
    for cell in dict.fromkeys(["lstm", *cells]):
        if cell in MODULES:
            for way, it_is in (packed | {"padded": False}).items():
                name = f"nn.{MODULES[cell].__name__}"
                yield Contender(name, way, cell, False, partial(in_module, MODULES[cell], it_is))
    for engine in engines:
        refused = []
        for cell in cells:
            if ENGINES[engine]().refusal(make_cell(settings_of(cell, 8)), NOTHING_MORE) is None:
                yield Contender(cell, engine, cell, engine == "loop", partial(in_engine, cell, engine))
            else:
                refused.append(cell)
        if refused:
            print(f"{engine} refuses {', '.join(refused)}", file=sys.stderr)
    if fill < 1:
        return
    try:
        import torchrecurrent
    except ImportError:
        print("torchrecurrent is not installed: its cells are left out", file=sys.stderr)
    else:
        ours = {cell.replace("_", ""): cell for cell in cells}
        for name in torchrecurrent.__all__:
            if name.lower() in ours:
                cell, kind = ours[name.lower()], getattr(torchrecurrent, name)
                yield Contender(cell, "torchrecurrent", cell, True, partial(in_module, kind, False))
    try:
        import flax_layers
    except ImportError as error:
        print(f"flax is left out: {error}", file=sys.stderr)
        return
    for cell, kinds in flax_layers.TWINS.items():
        if cell in cells:
            for kind in kinds:
                yield Contender(cell, f"flax.{kind}", cell, False, partial(in_flax, flax_layers.layer, kind))


def in_flax(layer: Callable[..., tuple[Callable[[], object], float]], kind: str, batch: Batch) -> Ready:
    return Ready(*layer(kind, batch.values.detach().numpy(), batch.gradient.numpy()))
