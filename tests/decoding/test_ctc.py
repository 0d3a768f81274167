"""Texts of CTC, against the sum over all alignments."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest
import torch

from rnncli.decoding.ctc import best_paths, prefix_beams
from rnncli.decoding.steps import Answer


def best_path(log_probabilities: np.ndarray) -> Answer:
    """The best path of one sequence, (time, classes)."""
    return best_paths(log_probabilities[None], np.array([len(log_probabilities)]))[0]


def prefix_beam(log_probabilities: np.ndarray, beam_size: int, n_best: int) -> list[Answer]:
    """The beam of one sequence, (time, classes)."""
    return prefix_beams(log_probabilities[None], np.array([len(log_probabilities)]), beam_size, n_best)[0]


EVERY = 300
"""More prefixes than any sequence here has."""


def steps(seed: int, *shape: int) -> np.ndarray:
    logits = 1.5 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return logits.log_softmax(-1).numpy()


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(label for label, _ in groupby(path) if label)


def by_brute_force(log_probabilities: np.ndarray) -> list[tuple[tuple[int, ...], float]]:
    """All texts without entry 1, with the logarithm of the sum over the paths that write them, the likeliest first."""
    sums: dict[tuple[int, ...], float] = defaultdict(float)
    time, classes = log_probabilities.shape
    for path in product([label for label in range(classes) if label != 1], repeat=time):
        chances = np.exp(log_probabilities[range(time), path].astype(np.float64))
        sums[collapsed(path)] += float(chances.prod())
    return sorted(((text, float(np.log(chance))) for text, chance in sums.items()), key=lambda each: -each[1])


@pytest.mark.parametrize("kept", [1, 6, EVERY])
@pytest.mark.parametrize(("time", "classes"), [(1, 4), (4, 3), (5, 5), (4, 6), (6, 4)])
def test_a_large_beam_gives_all_texts_with_their_probabilities_in_order(time: int, classes: int, kept: int) -> None:
    log_probabilities = steps(10 * time + classes, time, classes)
    expected = by_brute_force(log_probabilities)
    found = prefix_beam(log_probabilities, EVERY, kept)
    assert [tuple(answer.tokens) for answer in found] == [text for text, _ in expected[:kept]]
    assert [answer.score for answer in found] == pytest.approx([score for _, score in expected[:kept]], abs=1e-6)
    assert found[0].score > found[-1].score or len(found) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(("time", "classes"), [(9, 12), (14, 4)])  # in the second, lost prefixes come back
@pytest.mark.parametrize("seed", range(14))
def test_a_small_beam_against_its_definition(seed: int, time: int, classes: int, size: int) -> None:
    """Of every step the likeliest prefixes, each by all paths through the prefixes kept before."""
    log_probabilities = steps(seed, time, classes).astype(np.float64)
    kept: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}  # ending in a blank, in the last token
    for row in np.exp(log_probabilities):
        grown: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, label) in kept.items():
            grown[prefix][0] += (blank + label) * row[0]
            for token in range(2, classes):
                if prefix[-1:] == (token,):
                    grown[prefix][1] += label * row[token]
                grown[(*prefix, token)][1] += (blank if prefix[-1:] == (token,) else blank + label) * row[token]
        order = sorted(grown, key=lambda prefix, of=grown: -sum(of[prefix]))[:size]
        kept = {prefix: (grown[prefix][0], grown[prefix][1]) for prefix in order}
    found = prefix_beam(log_probabilities, size, size)
    assert [tuple(answer.tokens) for answer in found] == list(kept)
    assert [answer.score for answer in found] == pytest.approx([np.log(sum(kept[prefix])) for prefix in kept])


def test_sequences_of_a_batch_are_as_alone_whatever_stands_at_padding() -> None:
    lengths = np.array([3, 9, 1, 9, 6])
    log_probabilities = steps(4, 5, 9, 7)
    beams = prefix_beams(log_probabilities, lengths, 4, 3)
    greedy = best_paths(log_probabilities, lengths)
    for row, length in enumerate(lengths):
        alone = log_probabilities[row, :length]
        assert [answer.tokens for answer in prefix_beam(alone, 4, 3)] == [answer.tokens for answer in beams[row]]
        assert [answer.score for answer in prefix_beam(alone, 4, 3)] == pytest.approx([one.score for one in beams[row]])
        assert best_path(alone).tokens == greedy[row].tokens
        assert best_path(alone).score == pytest.approx(greedy[row].score)
    assert (
        prefix_beams(log_probabilities[:0], lengths[:0], 4, 3) == best_paths(log_probabilities[:0], lengths[:0]) == []
    )


def test_the_best_path_collapsed_by_hand() -> None:
    path = [0, 3, 3, 0, 3, 2, 4, 4, 0, 0, 4, 2, 2, 0]
    log_probabilities = np.full((len(path), 5), np.log(0.05))
    log_probabilities[range(len(path)), path] = np.log(0.6)
    log_probabilities[:, 1] = np.log(0.2)
    log_probabilities[6, 1] = np.log(0.99)  # unknown words are never written
    answer = best_path(log_probabilities)
    assert answer.tokens == [3, 3, 2, 4, 4, 2]
    assert answer.score == pytest.approx(len(path) * np.log(0.6))


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_is_that_of_brute_force(seed: int) -> None:
    log_probabilities = steps(seed, 6, 5)
    paths = product([0, 2, 3, 4], repeat=6)
    best = max(paths, key=lambda path: log_probabilities[range(6), path].sum())
    assert tuple(best_path(log_probabilities).tokens) == collapsed(best)
    assert best_path(log_probabilities).score == pytest.approx(log_probabilities[range(6), best].sum())


def test_a_beam_finds_a_text_of_many_paths_that_the_best_path_misses() -> None:
    """The example of Graves 2012, figure 7.5: the likeliest path is blank, the likeliest text is not."""
    log_probabilities = np.log(np.array([[0.7, 1e-9, 0.3], [0.6, 1e-9, 0.4]]))
    assert best_path(log_probabilities).tokens == []
    [answer] = prefix_beam(log_probabilities, 4, 1)
    assert answer.tokens == [2]
    assert np.exp(answer.score) == pytest.approx(0.7 * 0.4 + 0.3 * 0.6 + 0.3 * 0.4)
