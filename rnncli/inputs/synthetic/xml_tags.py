"""Documents of nested tags."""

from __future__ import annotations

from string import ascii_lowercase

import numpy as np

from rnncli.inputs.synthetic.drawn import Drawn

CHARACTERS = ascii_lowercase + "</>\n"

ITERATIONS = 50
"""After so many a document opens no further tag."""

_OPEN, _CLOSE, _END = 1, 2, 3
"""What may come next. Before the name of a tag stand as many characters: `<` or `</`."""


def xml(random: np.random.Generator, count: int) -> Drawn:
    """Tags that are opened and closed in turn: `<etdomp><pegshmnaj></pegshmnaj></etdomp>` and a line feed.

    Generator: with probability 1/2, and always after 50 iterations, close the tag that was opened last, or end the
        document where none is open; or else open a tag of 2 to 10 letters, uniform both. One document follows another.
    Scoring: every next character, the line feed included.
    Baseline: a network that remembers no tag reaches 0.299 of the characters.
    Ceiling: 0.646, by one that remembers all tags that are open (0.534 with the last two of them, 0.474 with the last
        alone): the letters of a new tag, and whether it opens or closes, can't be known. Who counts to 50 as well, and
        so foresees some line feeds, gets 0.001 more.
    Papers: Jozefowicz, Zaremba & Sutskever, "An empirical exploration of recurrent network architectures" (2015).
    Left open: how documents are set apart; our reading is a line feed, and no spaces between tags (the paper's sample
        shows some). Taken literally, half of all documents are empty: these are left out.

    Returns:
        the characters and which of them are asked for (all), end to end.
    """
    kinds, numbers, tags = _moves(random, count)
    happened = kinds > 0
    kinds, numbers = kinds[happened], numbers[happened]
    lengths = random.integers(2, 11, tags)
    letters = random.integers(ord("a"), ord("z") + 1, int(lengths.sum()), np.uint8)
    ends, closes = kinds == _END, kinds == _CLOSE
    widths = np.where(ends, 1, lengths[numbers] + kinds + 1)
    starts = np.cumsum(widths) - widths
    # Letters everywhere, each counted from where those of its tag begin; then what stands around them.
    begins = (np.cumsum(lengths) - lengths)[numbers] - kinds
    places = np.arange(int(widths.sum())) + np.repeat(begins - starts, widths)
    text = letters[np.clip(places, 0, len(letters) - 1)]
    text[starts + widths - 1] = ord(">")
    text[starts] = ord("<")
    text[starts[closes] + 1] = ord("/")
    text[starts[ends]] = ord("\n")
    return Drawn(text, np.ones(len(text), bool))


def _moves(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, int]:
    """What each document does, (count, steps), 0 where it has ended, and the tags it does that to, (count, steps)
    numbers from 0; and how many tags there are."""
    closing = random.random((count, 2 * ITERATIONS)) < 0.5
    closing[:, 0], closing[:, ITERATIONS:] = False, True
    kinds = np.zeros((count, 2 * ITERATIONS + 1), np.int8)
    numbers = np.zeros(kinds.shape, np.int64)
    opened, depth = np.zeros((count, ITERATIONS), np.int64), np.zeros(count, np.int64)
    going, tags = np.arange(count), 0
    for step in range(2 * ITERATIONS):
        going = going[~closing[going, step] | (depth[going] > 0)]
        closes = closing[going, step]
        new, old = going[~closes], going[closes]
        opened[new, depth[new]] = tags + np.arange(len(new))
        tags += len(new)
        depth[old] -= 1
        kinds[new, step], kinds[old, step] = _OPEN, _CLOSE
        numbers[going, step] = opened[going, depth[going]]
        depth[new] += 1
    kinds[:, -1] = _END
    return kinds, numbers, tags
