"""The random permutation problem."""

from __future__ import annotations

import numpy as np

from rnncli.inputs.synthetic.drawn import Drawn

SYMBOLS = 100
"""Different inputs: 0 and 1, which are to be remembered, and 98 others."""

TARGETS = ("0", "1")


def permutation(random: np.random.Generator, count: int, length: int) -> Drawn:
    """A first symbol that is 0 or 1, then others; the symbol that follows is the first again.

    Generator: the first of `length` steps is 0 or 1, each further one uniform in 2 to 99.
    Scoring: accuracy of the symbol that follows the last step. It can only be 0 or 1, so these two are the classes.
    Baseline: 1/2.
    Ceiling: 1.
    Papers: Hochreiter & Schmidhuber (1997), task 2b in spirit; here as in the code of Pascanu, Mikolov & Bengio, "On
        the difficulty of training recurrent neural networks" (2013), inputs as one-hot vectors.
    Left open: whether the network is to tell all 100 symbols apart, as in the released code, or these two: those who
        know that the answer is 0 or 1 begin at a loss of ln 2, not ln 100. Symbols may repeat, as in the code, in
        spite of the name.

    Returns:
        inputs (count, length); targets (count,).
    """
    inputs = random.integers(2, SYMBOLS, (count, length), np.uint8)
    inputs[:, 0] = random.integers(0, 2, count)
    return Drawn(inputs, inputs[:, 0].astype(np.int8))
