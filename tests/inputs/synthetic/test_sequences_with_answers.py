"""The tasks of single sequences, read again by plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from rnncli.inputs.batches import NO_TARGET
from rnncli.inputs.synthetic.adding import adding
from rnncli.inputs.synthetic.copying import TARGETS, copy
from rnncli.inputs.synthetic.digits import SIZES, digits
from rnncli.inputs.synthetic.permutation import permutation
from rnncli.inputs.synthetic.temporal_order import orders, temporal_order


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.mark.parametrize("length", [2, 7, 40])
def test_the_sum_of_the_marked_values(length: int, random: np.random.Generator) -> None:
    inputs, targets = adding(random, 300, length)
    places: tuple[set[int], set[int]] = (set(), set())
    for steps, (target,) in zip(inputs.tolist(), targets.tolist(), strict=True):
        marked = [step for step, (_, mark) in enumerate(steps) if mark == 1]
        assert len(marked) == 2
        assert all(mark in (0, 1) and 0 <= value < 1 for value, mark in steps)
        assert marked[0] < length // 2 <= marked[1]
        assert target == pytest.approx(sum(value for value, mark in steps if mark))
        for place, step in zip(places, marked, strict=True):
            place.add(step)
    assert places == (set(range(length // 2)), set(range(length // 2, length)))


def test_the_mean_of_sums_errs_by_a_sixth(random: np.random.Generator) -> None:
    targets = adding(random, 40_000, 10).targets
    # Four deviations of the means: the fourth central moment of such a sum is 1/15.
    assert targets.mean() == pytest.approx(1, abs=4 * math.sqrt(1 / 6 / 40_000))
    assert ((targets - 1) ** 2).mean() == pytest.approx(1 / 6, abs=4 * math.sqrt((1 / 15 - 1 / 36) / 40_000))


@pytest.mark.parametrize("delay", [1, 5, 33])
def test_letters_a_delay_a_call_and_the_letters_again(delay: int, random: np.random.Generator) -> None:
    inputs, targets = copy(random, 200, delay)
    for read, asked in zip(inputs.tolist(), targets.tolist(), strict=True):
        letters = read[:10]
        assert read == [*letters, *[0] * (delay - 1), 9, *[0] * 10]
        assert asked == [*[0] * (delay + 10), *letters]
    assert set(np.unique(inputs[:, :10])) == set(range(1, 9))
    assert len(np.unique(inputs[:, :10], axis=0)) == 200


def test_who_remembers_nothing_pays_as_much_as_the_paper_says() -> None:
    _, targets = copy(np.random.default_rng(2), 2000, 100)
    shares = np.array([np.bincount(step, minlength=len(TARGETS)) for step in targets.T]) / len(targets)
    entropy = -sum(share * math.log(share) for share in shares.flat if share)
    assert entropy / 120 == pytest.approx(10 * math.log(8) / 120, rel=2e-3)


def test_only_the_recall_may_be_asked_for() -> None:
    everything, recalled = (copy(np.random.default_rng(3), 50, 7, only) for only in (False, True))
    np.testing.assert_array_equal(everything.inputs, recalled.inputs)
    np.testing.assert_array_equal(everything.targets[:, -10:], recalled.targets[:, -10:])
    assert (recalled.targets[:, :-10] == NO_TARGET).all()


@pytest.mark.parametrize(("symbols", "places"), [(2, ((1, 2), (5, 6))), (3, ((1, 2), (3, 4), (6, 7)))])
@pytest.mark.parametrize("length", [10, 57, 100])
def test_the_order_of_a_and_b(
    symbols: int, places: tuple[tuple[int, int], ...], length: int, random: np.random.Generator
) -> None:
    inputs, targets = temporal_order(random, 2000, length, symbols)
    names = orders(symbols)
    met: list[set[int]] = [set() for _ in places]
    for read, target in zip(inputs.tolist(), targets.tolist(), strict=True):
        remembered = [(step, "AB"[symbol]) for step, symbol in enumerate(read) if symbol < 2]
        assert "".join(letter for _, letter in remembered) == names[target]
        for place, (step, _) in zip(met, remembered, strict=True):
            place.add(step)
    for steps, (first, last) in zip(met, places, strict=True):
        assert min(steps) == length * first // 10
        assert max(steps) == length * first // 10 + length // 10 - 1 < math.ceil(length * last / 10)
    assert np.bincount(targets, minlength=len(names)).min() > 2000 / len(names) * 0.7
    assert set(np.unique(inputs)) == set(range(6))


def test_classes_are_named_in_the_order_of_the_papers() -> None:
    assert orders(2) == ("AA", "AB", "BA", "BB")
    assert orders(3)[3] == "ABB"


def test_the_first_symbol_comes_again(random: np.random.Generator) -> None:
    inputs, targets = permutation(random, 3000, 12)
    assert inputs[:, 0].tolist() == targets.tolist()
    assert set(targets.tolist()) == {0, 1}
    assert set(np.unique(inputs[:, 1:])) == set(range(2, 100))
    assert targets.mean() == pytest.approx(0.5, abs=0.04)


def test_digits_are_all_of_scikit_learns_images_once() -> None:
    parts = {part: digits(4, part) for part in SIZES}
    assert {part: len(drawn.inputs) for part, drawn in parts.items()} == SIZES
    ours = np.concatenate([drawn.inputs[:, :, 0] * 16 for drawn in parts.values()])
    classes = np.concatenate([drawn.targets for drawn in parts.values()])
    images, truth = load_digits(return_X_y=True)
    mine, theirs = (np.column_stack(pair) for pair in ((ours, classes), (images, truth)))
    np.testing.assert_array_equal(mine[np.lexsort(mine.T)], theirs[np.lexsort(theirs.T)])
    neighbours = KNeighborsClassifier(1).fit(ours[: SIZES["train"]], classes[: SIZES["train"]])
    assert neighbours.score(ours[-SIZES["test"] :], classes[-SIZES["test"] :]) > 0.95


def test_pixels_are_permuted_alike_in_all_images() -> None:
    plain, permuted = digits(4, "train").inputs[:, :, 0], digits(4, "train", permuted=True).inputs[:, :, 0]
    order = np.array([np.flatnonzero((column == plain.T).all(1))[0] for column in permuted.T])
    assert not np.array_equal(order, np.arange(64))
    # Pixels that are always blank can't be told apart, so the order found need not be a permutation itself.
    np.testing.assert_array_equal(plain[:, order], permuted)
    np.testing.assert_array_equal(np.sort(plain, 1), np.sort(permuted, 1))
    other = digits(5, "train", permuted=True).inputs[:, :, 0]
    assert not np.array_equal(np.flatnonzero(other.any(0)), np.flatnonzero(permuted.any(0)))
