"""The temporal order problem."""

from __future__ import annotations

from itertools import product

import numpy as np

from rnncli.inputs.synthetic.drawn import Drawn

SYMBOLS = 6
"""Different inputs: A, B, and the others c, d, e, f."""

_TENTHS = {2: (1, 5), 3: (1, 3, 6)}
"""In which tenth of the sequence each symbol to be remembered stands."""


def orders(symbols: int) -> tuple[str, ...]:
    """The classes: AA, AB, BA, BB and so on."""
    return tuple("".join(order) for order in product("AB", repeat=symbols))


def temporal_order(random: np.random.Generator, count: int, length: int, symbols: int = 2) -> Drawn:
    """A or B at two places (or three) among other symbols; which stood there, in their order.

    Generator: at every step one of c, d, e, f. Two symbols, each A or B: at a step uniform in [0.1 L, 0.2 L) and in
        [0.5 L, 0.6 L). Three: in [0.1 L, 0.2 L), [0.3 L, 0.4 L) and [0.6 L, 0.7 L). Where each begins and its length,
        0.1 L, are rounded down.
    Scoring: accuracy of the class (4 of two symbols, 8 of three) at the end of the sequence; Pascanu et al. count a
        length as solved below 1 % of mistakes.
    Baseline: 1/4, or 1/8.
    Ceiling: 1.
    Papers: Hochreiter & Schmidhuber (1997), tasks 6a and 6b; here both as in the code of Pascanu, Mikolov & Bengio, "On
        the difficulty of training recurrent neural networks" (2013), inputs as one-hot vectors.
    Left open: the paper says less than the code, which this follows, but that it counts the last symbol as the most
        significant bit of the class. Every sequence has L steps; the released training draws L anew for each batch.

    Returns:
        inputs (count, length); targets (count,), of which the first symbol is the most significant bit.
    """
    inputs = random.integers(2, SYMBOLS, (count, length), np.uint8)
    classes = np.zeros(count, np.int8)
    for tenth in _TENTHS[symbols]:
        bits = random.integers(0, 2, count, np.int8)
        steps = length * tenth // 10 + random.integers(0, length // 10, count)
        inputs[np.arange(count), steps] = bits
        classes = 2 * classes + bits
    return Drawn(inputs, classes)
