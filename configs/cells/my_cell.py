"""A cell of your own: the equations of one step. All else follows from them: parameters, gradients, every engine."""

from rnncli.cells import Cell, CellSettings, sigmoid, tanh


class LeakySettings(CellSettings):
    """Options beside hidden_size; leave the class out if there are none."""

    leak: float = 0.9
    """Share of the slow state that stays at each step."""


class LeakyGate(Cell):
    """A gated unit beside a slow average of what it has seen; its gate looks at both."""

    settings_type = LeakySettings
    states = ("h", "slow")  # what is carried from step to step; the first is the output

    def step(self, x, state, U, p, gate):
        h, slow = state  # x.f is W_f x + b_f; U.f(h) is U_f h; p.f is a vector
        f = gate.f(sigmoid(x.f + U.f(h) + p.f * slow), "keep")
        new = f * h + (1 - f) * tanh(x.n + U.n(h))
        leak = self.settings.leak
        return new, leak * slow + (1 - leak) * new

    def bias_shifts(self):
        return {"f": 1.0}  # the gate begins open: the old state stays
