"""Sums and differences, spelled out among letters."""

from __future__ import annotations

from string import ascii_lowercase, digits

import numpy as np

from rnncli.inputs.synthetic.drawn import Drawn

CHARACTERS = ascii_lowercase + digits + "+-=."


def arithmetic(random: np.random.Generator, count: int, digits: int, distractors: float) -> Drawn:
    """Questions with letters strewn in, and their answers: `3e36d9-h1h39f94eeh43keg3c=-13991064.` is 3369 - 13994433.

    Generator: a whole number uniform in (-10^d, 10^d), + or -, and one uniform in [0, 10^d), d being `digits`; behind
        each character of the question letters, as long as a uniform draw is below `distractors`; `=`, the answer
        without letters, and `.`, which ends it. One example follows another.
    Scoring: the next character at each, the true ones before it read (teacher forcing); only those of the answer
        count, its `.` among them.
    Baseline: who sees the place in the answer alone, and nothing of the question, gets 0.24 of the characters of
        8-digit answers.
    Ceiling: 1. The first digits are the hard ones, since a carry reaches them from the last.
    Papers: Jozefowicz, Zaremba & Sutskever, "An empirical exploration of recurrent network architectures" (2015), 40
        characters.
    Left open: how many letters there are, how long the numbers are, how many examples, and what counts. Numbers and
        letters follow a public re-implementation (uniform numbers, so nine of ten have all d digits; 0.3, so 0.43
        letters behind a character); with letters counted too, the paper's 0.92 could not be reached.

    Returns:
        the characters and which of them are asked for, end to end.
    """
    limit = 10**digits
    first, second = random.integers(1 - limit, limit, count), random.integers(0, limit, count)
    minus = random.random(count) < 0.5
    answers = np.where(minus, first - second, first + second)
    examples = zip(first.tolist(), np.where(minus, "-", "+").tolist(), second.tolist(), answers.tolist(), strict=True)
    plain = "".join(f"{a}{sign}{b}={answer}." for a, sign, b, answer in examples)
    text = np.frombuffer(plain.encode("ascii"), np.uint8)
    equals, ends = text == ord("="), text == ord(".")
    behind_question = np.cumsum(equals) > np.cumsum(ends) - ends
    letters = np.where(behind_question, 0, random.geometric(1 - distractors, len(text)) - 1)
    places = np.arange(len(text)) + np.cumsum(letters) - letters
    strewn = random.integers(ord("a"), ord("z") + 1, len(text) + int(letters.sum()), np.uint8)
    strewn[places] = text
    asked = np.zeros(len(strewn), bool)
    asked[places] = behind_question & ~equals
    return Drawn(strewn, asked)
