"""Texts read from the steps of connectionist temporal classification, many sequences at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from rnncli.decoding.steps import Answer, never_written
from rnncli.inputs.features import PADDING

BLANK = PADDING
"""The class of a step that writes nothing."""

Floats = NDArray[np.floating]
Integers = NDArray[np.int64]


def best_paths(log_probabilities: Floats, lengths: NDArray[np.integer]) -> list[Answer]:
    """What the likeliest class of each step writes: of a row of equal ones the first, and no blanks.

    The score is that of this one path, so at most that of the text.

    Args:
        log_probabilities: (batch, time, classes) in nats; whatever stands at padding is not read.
        lengths: (batch,) steps of each.
    """
    allowed = _without_unknown(log_probabilities)
    inside = np.arange(allowed.shape[1]) < np.asarray(lengths)[:, None]
    path = allowed.argmax(2)
    scores = np.where(inside, allowed.max(2), 0).sum(1, dtype=np.float64)
    begins = inside & (path != BLANK)
    begins[:, 1:] &= path[:, 1:] != path[:, :-1]
    return [Answer(row[here].tolist(), score) for row, here, score in zip(path, begins, scores.tolist(), strict=True)]


def prefix_beams(
    log_probabilities: Floats, lengths: NDArray[np.integer], beam_size: int, n_best: int
) -> list[list[Answer]]:
    """The likeliest texts, the paths of each summed (Graves 2012, section 7.5; Hannun et al. 2014 without a language
    model), with `beam_size` prefixes kept after each step: exact where no prefix is left behind. The best first.

    Args:
        log_probabilities: (batch, time, classes) in nats; whatever stands at padding is not read.
        lengths: (batch,) steps of each.
    """
    lengths = np.asarray(lengths)
    order = np.argsort(-lengths, kind="stable")
    tree = Tree(len(lengths), log_probabilities.shape[2])
    beams = Beams.start(len(lengths), beam_size)
    answers: list[list[Answer]] = [[] for _ in lengths]
    for step in range(int(lengths.max(initial=0)) + 1):
        going = int((lengths > step).sum())
        done = beams.rows(going, len(beams.last))
        for row, found in zip(order[going : going + len(done.last)], done.best(n_best, tree), strict=True):
            answers[row] = found
        beams = beams.rows(0, going)
        if going:
            beams = beams.after(_without_unknown(log_probabilities[order[:going], step].astype(np.float64)), tree)
    return answers


class Tree:
    """All prefixes that a beam has held: each is a token after another one; the first are the empty ones."""

    def __init__(self, sequences: int, classes: int) -> None:
        self._classes = classes
        self._numbers: dict[int, int] = {}
        self._keys = [-1] * sequences

    def extend(self, before: Integers, tokens: Integers) -> list[int]:
        """The numbers of those prefixes with a token more, the same each time."""
        numbers = []
        for key in (before * self._classes + tokens).tolist():
            number = self._numbers.get(key)
            if number is None:
                number = self._numbers[key] = len(self._keys)
                self._keys.append(key)
            numbers.append(number)
        return numbers

    def read(self, number: int) -> list[int]:
        """The tokens of a prefix."""
        tokens = []
        while (key := self._keys[number]) >= 0:
            number, token = divmod(key, self._classes)
            tokens.append(token)
        return tokens[::-1]


@dataclass(frozen=True)
class Beams:
    """The prefixes kept of each sequence, (sequences, beam) all.

    Attributes:
        blank: log probability of the paths that write the prefix and end in a blank; float64.
        label: of those that end in its last token.
        last: its last token; BLANK where it is empty.
        number: in the tree; -1 where there is none.
        before: the number of the prefix without its last token; -2 where there is none.
    """

    blank: Floats
    label: Floats
    last: Integers
    number: Integers
    before: Integers

    @classmethod
    def start(cls, sequences: int, beam: int) -> Beams:
        """The empty prefix of each."""
        shape = (sequences, beam)
        blank, number = np.full(shape, -np.inf), np.full(shape, -1)
        blank[:, 0], number[:, 0] = 0, np.arange(sequences)
        return cls(blank, np.full(shape, -np.inf), np.full(shape, BLANK), number, np.full(shape, -2))

    def rows(self, first: int, end: int) -> Beams:
        """Some of the sequences."""
        return Beams(*(getattr(self, field.name)[first:end] for field in fields(self)))

    def best(self, kept: int, tree: Tree) -> list[list[Answer]]:
        """The likeliest of each sequence, in order."""
        totals = np.logaddexp(self.blank, self.label)
        order = np.argsort(-totals, axis=1, kind="stable")[:, :kept]
        return [
            [Answer(tree.read(numbers[place]), scores[place]) for place in places if numbers[place] >= 0]
            for places, numbers, scores in zip(order.tolist(), self.number.tolist(), totals.tolist(), strict=True)
        ]

    def after(self, step: Floats, tree: Tree) -> Beams:
        """The beams after one more step: (sequences, classes) log probabilities."""
        sequences, beam = self.last.shape
        at = np.arange(sequences)[:, None]
        total = np.logaddexp(self.blank, self.label)

        # the prefixes as they are: by a blank, by their last token again, or by it after the prefix without it
        of_last = step[at, self.last]
        stays_blank = total + step[:, [BLANK]]
        found = self.before[:, :, None] == self.number[:, None]  # (sequences, prefix, prefix without its last)
        shorter, has_shorter = found.argmax(2), found.any(2)
        came_from = np.where(self.last[at, shorter] == self.last, self.blank[at, shorter], total[at, shorter])
        stays_label = np.logaddexp(self.label, np.where(has_shorter, came_from, -np.inf)) + of_last

        # a token more: of one prefix no more tokens than the beam and one that repeats can be among the best
        tokens = np.arange(1, step.shape[1])[None].repeat(sequences, 0)
        if tokens.shape[1] > beam + 1:
            tokens = np.argpartition(-step[:, 1:], beam, axis=1)[:, : beam + 1] + 1
        repeats = tokens[:, None] == self.last[:, :, None]  # (sequences, prefix, token)
        longer = np.where(repeats, self.blank[:, :, None], total[:, :, None]) + step[at, tokens][:, None]
        same = has_shorter & repeats.any(2)  # that prefix is there already
        sequence, place = same.nonzero()
        longer[sequence, shorter[sequence, place], repeats.argmax(2)[sequence, place]] = -np.inf

        every = np.concatenate([np.logaddexp(stays_blank, stays_label), longer.reshape(sequences, -1)], 1)
        chosen = np.argpartition(-every, beam - 1, axis=1)[:, :beam]
        value = every[at, chosen]
        grown, origin = np.divmod(chosen - beam, tokens.shape[1])
        is_new = chosen >= beam
        source = np.where(is_new, grown, chosen)
        last = np.where(is_new, tokens[at, origin], self.last[at, source])
        number = self.number[at, source]
        before = np.where(is_new, number, self.before[at, source])
        blank = np.where(is_new, -np.inf, stays_blank[at, source])
        label = np.where(is_new, value, stays_label[at, source])
        lost = value == -np.inf
        last[lost], number[lost], before[lost] = BLANK, -1, -2
        is_new &= ~lost
        number[is_new] = tree.extend(before[is_new], last[is_new])
        return Beams(blank, label, last, number, before)


def _without_unknown(log_probabilities: Floats) -> Floats:
    """(..., classes) where the entry that stands for no text has no probability."""
    allowed = log_probabilities.copy()
    allowed[..., never_written([BLANK])] = -np.inf
    return allowed
