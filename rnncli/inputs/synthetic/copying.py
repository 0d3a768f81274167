"""The copy memory problem."""

from __future__ import annotations

import numpy as np

from rnncli.inputs.batches import NO_TARGET
from rnncli.inputs.synthetic.drawn import Drawn

RECALLED = 10
"""Symbols to be copied."""

SYMBOLS = 10
"""Different inputs: blank (0), the letters 1 to 8, and the call to recall (9)."""

TARGETS = ("blank", *map(str, range(1, 9)))


def copy(random: np.random.Generator, count: int, delay: int, recalled_only: bool = False) -> Drawn:
    """Ten letters, a delay of T steps, and then the same ten letters.

    Generator: T + 20 steps. Inputs: 10 letters uniform in 1 to 8, T - 1 blanks, the call 9, 10 blanks. Targets: T + 10
        blanks, then the 10 letters.
    Scoring: cross entropy over all T + 20 steps, as the papers plot it. The accuracy over all steps says little: where
        all blanks are right, that of the letters is 1 - (1 - accuracy) (T + 20) / 10. With `recalled_only` the last 10
        steps alone are asked for, in loss and metrics.
    Baseline: blanks, and then a letter by chance: 10 ln 8 / (T + 20) nats a step, 0.1733 for T = 100; an accuracy of
        1/8 of the letters.
    Ceiling: 0 nats, every letter.
    Papers: Hochreiter & Schmidhuber (1997); Arjovsky, Shah & Bengio, "Unitary evolution recurrent neural networks"
        (2016), whose released code this follows: 10 inputs as one-hot vectors, 9 classes.
    Left open: nothing there. Bai et al. (2018) instead repeat the call through all ten steps of the recall, and read
        the symbols as one number.

    Returns:
        inputs (count, delay + 20); targets (count, delay + 20).
    """
    letters = random.integers(1, 9, (count, RECALLED), np.uint8)
    inputs = np.zeros((count, delay + 2 * RECALLED), np.uint8)
    inputs[:, :RECALLED] = letters
    inputs[:, delay + RECALLED - 1] = 9
    targets = np.full(inputs.shape, NO_TARGET if recalled_only else 0, np.int8)
    targets[:, -RECALLED:] = letters
    return Drawn(inputs, targets)
