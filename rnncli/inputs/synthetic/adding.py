"""The adding problem."""

from __future__ import annotations

import numpy as np

from rnncli.inputs.synthetic.drawn import Drawn

TARGET = ("sum",)


def adding(random: np.random.Generator, count: int, length: int) -> Drawn:
    """Sequences of two numbers a step, a value and a mark; the sum of the two values that are marked.

    Generator: values uniform in [0, 1); one mark at a step uniform in the first half, [0, T // 2), another in the
        second, [T // 2, T); all other marks are 0.
    Scoring: squared error at the end of the sequence, in the unit of the values.
    Baseline: always 1, the mean: an MSE of 1/6, the variance of a sum of two such values (Le et al. write 0.1767, which
        is further from it than chance brings 10,000 test sequences).
    Ceiling: an MSE of 0.
    Papers: Hochreiter & Schmidhuber, "Long short-term memory" (1997); here as in the code of Arjovsky, Shah & Bengio,
        "Unitary evolution recurrent neural networks" (2016), and Le, Jaitly & Hinton, "A simple way to initialize
        recurrent networks of rectified linear units" (2015), with T steps exactly.
    Left open: Le et al. do not say where the marks stand. Others differ: Hochreiter has values in [-1, 1] and early
        marks; Pascanu et al. (2013) half the sum, and both marks in the first half; Bai et al. (2018) two different
        steps anywhere.

    Returns:
        inputs (count, length, 2): value, mark; targets (count, 1).
    """
    rows, half = np.arange(count), length // 2
    marked = [random.integers(0, half, count), random.integers(half, length, count)]
    inputs = np.zeros((count, length, 2), np.float32)
    inputs[:, :, 0] = random.random((count, length), np.float32)
    for steps in marked:
        inputs[rows, steps, 1] = 1
    sums = sum(inputs[rows, steps, 0] for steps in marked)
    return Drawn(inputs, np.asarray(sums)[:, None])
