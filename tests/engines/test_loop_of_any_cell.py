"""The loop runs equations it has never seen: several operands, vectors, states that are not the output."""

import torch

from rnncli.cells import Cell, CellSettings
from rnncli.cells.expressions import sigmoid, tanh
from rnncli.cells.weights import CellWeights
from rnncli.engines.loop import LoopEngine
from rnncli.sequences import Padded


class Odd(Cell[CellSettings]):
    states = ("h", "c")

    def step(self, x, state, U, p, gate):
        h, c = state
        f = sigmoid(x.f + U.f(h) + U.fc(c) + p.f * c)
        c = f * c + tanh(U.g(f * h) + U.e(h))
        return c * sigmoid(x.o + p.o * c), c


def test_parameters_follow_from_the_equations_and_each_product_takes_its_own_rows():
    torch.manual_seed(0)
    weights = CellWeights(Odd(CellSettings(type="odd", hidden_size=4)), 3).double()
    assert {name: tuple(each.shape) for name, each in weights.named_parameters()} == {
        "weight_ih": (8, 3),
        "weight_hh": (16, 4),
        "bias": (8,),
        "vectors.f": (4,),
        "vectors.o": (4,),
    }
    values = torch.randn(2, 5, 3, dtype=torch.float64)
    h, c = (torch.randn(2, 4, dtype=torch.float64) for _ in range(2))
    outputs, final = LoopEngine().run(weights, Padded(values, torch.tensor([5, 5])), (h, c), final_state=True)

    f_of_h, e_of_h, f_of_c, g_of_fh = weights.weight_hh.chunk(4)  # products of h first: it is used first
    pf, po = weights.vectors["f"], weights.vectors["o"]
    for t in range(5):
        xf, xo = (values[:, t] @ weights.weight_ih.t() + weights.bias).chunk(2, 1)
        f = torch.sigmoid(xf + h @ f_of_h.t() + c @ f_of_c.t() + pf * c)
        c = f * c + torch.tanh((f * h) @ g_of_fh.t() + h @ e_of_h.t())
        h = c * torch.sigmoid(xo + po * c)
        torch.testing.assert_close(outputs.values[:, t], h)
    torch.testing.assert_close(final, (h, c))
