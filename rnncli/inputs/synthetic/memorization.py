"""The memorization problem."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np

from rnncli.inputs.synthetic.drawn import Drawn

CHARACTERS = ascii_lowercase + "="


def memorization(random: np.random.Generator, count: int, length: int) -> Drawn:
    """Letters to be read, a mark, and the same letters to be said: `qxjab=qxjab`, one example after another.

    Generator: 5 letters (`length`), uniform in the 26.
    Scoring: the next character at each, the true ones before it read (teacher forcing); only the letters behind the
        mark count.
    Baseline: 1/26 of the letters, ln 26 = 3.26 nats.
    Ceiling: 1, 0 nats.
    Papers: the filter of Jozefowicz, Zaremba & Sutskever, "An empirical exploration of recurrent network
        architectures" (2015): a candidate has to reach 0.95.
    Left open: what parts the letters that are read from those that are said; our reading is the `=` of the arithmetic
        task, and nothing behind the last letter.

    Returns:
        the characters and which of them are asked for, end to end.
    """
    letters = random.integers(ord("a"), ord("z") + 1, (count, length), np.uint8)
    marks = np.full((count, 1), ord("="), np.uint8)
    asked = np.zeros((count, 2 * length + 1), bool)
    asked[:, length + 1 :] = True
    return Drawn(np.hstack([letters, marks, letters]).ravel(), asked.ravel())
