"""The engines fused and native against the loop, with cells of random equations that nobody would write."""

from random import Random

import pytest
import torch

from engines.test_engines import NEEDS, Case
from rnncli.cells import Cell, CellSettings
from rnncli.cells.expressions import normalize, relu, sigmoid, tanh
from rnncli.cells.weights import CellWeights
from rnncli.engines.engine import Masks, Recording
from rnncli.sequences import Padded

THAT_FAILED_ONCE = [
    64,
    117,
    142,
    147,
    157,
    160,
    168,
    187,
    234,
    290,
    297,
    310,
    313,
    315,
    434,
    529,
    4082,
    4090,
    4156,
    4352,
    4635,
    4759,
    13223,
]
UNARY = {
    "negate": lambda a: -a,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
    "normalize": normalize,
    "plus a number": lambda a: a + 0.3,
    "from a number": lambda a: 1 - a,
    "times a number": lambda a: -0.7 * a,
    "by a number": lambda a: a / 1.7,
    "number by it": lambda a: 0.4 / (1.2 + sigmoid(a)),
    "number on it": lambda a: 0.5 + (-2.0 * a - 1),
}
BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (1.5 + tanh(b)),
    "between": lambda a, b: sigmoid(b) * a + (1 - sigmoid(b)) * b,
    "between, turned": lambda a, b: (1 - a) * b + a * tanh(b),
}


class RandomCell(Cell[CellSettings]):
    """Equations drawn once: a list of what is made of the values before it."""

    def __init__(self, seed, hidden):
        super().__init__(CellSettings(type=f"random {seed}", hidden_size=hidden))
        draw = Random(seed)
        self.states = tuple("hck"[: draw.randint(1, 3)])
        self.bias = draw.random() < 0.8
        inputs, vectors = draw.randint(0, 4), draw.randint(0, 3)
        self.leaves = [("x", f"i{n}") for n in range(inputs)] + [("p", f"v{n}") for n in range(vectors)]
        self.leaves += [("x", "raw")] if draw.random() < 0.3 else []
        self.made, self.marked = [], []
        values = len(self.states) + len(self.leaves)
        flat = set(range(len(self.states) + inputs, len(self.states) + inputs + vectors))  # without rows: vectors alone

        def operand():
            return draw.choice([draw.randrange(values), draw.randrange(max(0, values - 4), values)])

        for _ in range(draw.randint(2, 18)):
            kind = draw.choices(["product", "same operand", "unary", "binary"], [3, 1, 3, 6])[0]
            operands = (operand(), operand()) if kind == "binary" else (operand(),)
            if kind == "same operand":
                operands = (draw.choice([each[2][0] for each in self.made if each[0] == "product"] or [0]),)
            if kind in ("product", "same operand"):
                if operands[0] in flat:
                    operands = (0,)
                self.made.append(("product", f"u{values}", operands))
            else:
                self.made.append((kind, draw.choice(list(UNARY if kind == "unary" else BINARY)), operands))
            if flat.issuperset(operands):
                flat.add(values)
            if draw.random() < 0.2:
                self.marked.append(values)
            values += 1
        rows = [each for each in range(values) if each not in flat]
        late = rows[-4:]
        self.new = [draw.choice([draw.choice(late), draw.choice(late), draw.choice(rows)]) for _ in self.states]
        self.bounded = [draw.choice(["", "tanh", "between"]) for _ in self.states]
        self.marked = [each for each in self.marked if each in rows]

    def step(self, x, state, U, p, gate):
        values = [*state, *(getattr({"x": x, "p": p}[kind], name) for kind, name in self.leaves)]
        for kind, name, operands in self.made:
            function = getattr(U, name) if kind == "product" else (UNARY | BINARY)[name]
            value = function(*(values[each] for each in operands))
            if len(values) in self.marked:
                value = getattr(gate, f"g{len(values)}")(value, "keep")
            values.append(value)
        new = []
        for old, place, bound in zip(state, self.new, self.bounded, strict=True):
            value = values[place]
            share = sigmoid(value)
            bounded = {"": lambda v=value: v, "tanh": lambda v=value: tanh(v)}
            bounded["between"] = lambda v=value, s=share, o=old: s * o + (1 - s) * tanh(v)
            new.append(bounded[bound]())
        return tuple(new)


def drawn_case(seed, hidden_size=3):
    """A cell with random parameters, inputs, states, lengths and masks."""
    draw = Random(seed)
    torch.manual_seed(seed)
    cell = RandomCell(seed, hidden_size)
    weights = CellWeights(cell, hidden_size).double()
    lengths = draw.choice([[5, 1, 4, 2, 4], [4, 4], [1], [3], [2, 6, 6]])
    values = torch.randn(max(lengths), len(lengths), hidden_size, dtype=torch.float64).transpose(0, 1).requires_grad_()
    state = tuple(torch.randn_like(each).requires_grad_() for each in weights.zero_state(len(lengths)))
    hidden = torch.rand(len(lengths), hidden_size, dtype=torch.float64).mul(2).round() if draw.random() < 0.3 else None
    shares = torch.rand(max(lengths), len(lengths), hidden_size, dtype=torch.float64).round().transpose(0, 1)
    zoneout = {name: draw.choice([0.0, 0.3, 1.0, shares]) for name in cell.states if draw.random() < 0.25}
    return Case(weights, Padded(values, torch.tensor(lengths)), state), Masks(hidden, zoneout)


def everything(ours, masks, engine, seed):
    """Outputs, final state, all gradients and recordings."""
    shape = ours.inputs.values.shape
    gates = {each.name: torch.full(shape, 7.0, dtype=torch.float64) for each in ours.weights.cell.graph.gates}
    recording = Recording(gates, torch.full(shape, 7.0, dtype=torch.float64))
    outputs, final = ours.run(engine, masks=masks, recording=recording)
    torch.manual_seed(seed)
    chosen = Random(seed).choice([[outputs], list(final), [outputs, *final], [outputs, final[-1]]])
    loss = sum((each * torch.randn_like(each)).sum() for each in chosen)
    wanted = {name: each for name, each in ours.weights.named_parameters() if each.numel()}
    wanted |= {"inputs": ours.inputs.values} | {f"state {k}": each for k, each in enumerate(ours.state)}
    found = [None] * len(wanted)
    if loss.requires_grad:
        found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    found = {
        name: torch.zeros_like(each) if gradient is None else gradient
        for (name, each), gradient in zip(wanted.items(), found, strict=True)
    }
    return {"outputs": outputs, "final": final, "gradients": found, "gates": gates, "watched": recording.gradient}


@pytest.fixture
def threads():
    """Sets the number of threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("seed", [*range(40), *THAT_FAILED_ONCE])
def test_fused_runs_random_equations_as_the_loop_does(seed):
    ours, masks = drawn_case(seed)
    found, expected = (everything(ours, masks, engine, seed) for engine in ("fused", "loop"))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    "seed", [pytest.param(each, marks=NEEDS["native"]) for each in (*range(12), *THAT_FAILED_ONCE)]
)
def test_native_runs_random_equations_as_the_loop_does(seed, threads):
    """With one panel of hidden units and with some, with threads that divide the rows and the panels."""
    for hidden_size, count in [(3, 1), (3, 2), (50, 2)]:
        ours, masks = drawn_case(seed, hidden_size)
        expected = everything(ours, masks, "loop", seed)
        threads(count)
        torch.testing.assert_close(everything(ours, masks, "native", seed), expected)
