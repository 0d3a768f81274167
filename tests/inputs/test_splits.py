import numpy as np
import pytest

from rnncli.errors import DataError
from rnncli.inputs.splits import draw

SHARES = {"valid": 0.2, "test": 0.1}


def rows_of_classes(generator, sizes):
    return generator.permutation(np.repeat(np.arange(len(sizes)), sizes))


def test_every_row_is_in_one_part_and_shares_hold_in_each_class():
    generator = np.random.default_rng(5)
    classes = rows_of_classes(generator, [400, 70, 30, 3, 1])
    drawn = draw(range(len(classes)), classes, SHARES, 7)
    assert list(drawn) == ["train", "valid", "test"]
    assert sorted(np.concatenate(list(drawn.values()))) == list(range(len(classes)))
    for part, share in SHARES.items():
        assert (np.diff(drawn[part]) > 0).all()
        found = np.bincount(classes[drawn[part]], minlength=5)
        assert np.abs(found - share * np.bincount(classes)).max() <= 1
        assert abs(len(drawn[part]) - share * len(classes)) <= 1
    assert np.bincount(classes[drawn["train"]], minlength=5).min() >= 1


def test_many_small_classes_still_fill_the_parts():
    classes = rows_of_classes(np.random.default_rng(1), [4] * 100)
    drawn = draw(range(400), classes, {"valid": 0.1, "test": 0.1}, 1)
    assert [len(drawn[part]) for part in ("valid", "test")] == [40, 40]


def test_equal_keys_fall_into_one_part():
    generator = np.random.default_rng(2)
    keys = generator.integers(0, 120, 600).tolist()
    classes = generator.integers(0, 3, 600)
    drawn = draw(keys, classes, SHARES, 3)
    sides = [{keys[row] for row in rows} for rows in drawn.values()]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert sum(map(len, drawn.values())) == 600
    assert abs(len(drawn["valid"]) - 120) <= 5


def test_a_rare_class_whose_text_is_also_a_frequent_ones_stays_in_training():
    # Row 0 is of class 0, the last row, with an equal key, the only one of class 1.
    keys = [*range(50), 0]
    classes = [0] * 50 + [1]
    for seed in range(20):
        assert 50 in draw(keys, classes, {"valid": 0.4, "test": 0.4}, seed)["train"]


def test_the_seed_decides():
    first, again, other = (draw(range(100), None, SHARES, seed) for seed in (1, 1, 2))
    assert all((first[part] == again[part]).all() for part in first)
    assert not (first["valid"] == other["valid"]).all()
    # The bits of PCG64: these rows must never change, or runs can't be repeated.
    assert draw(range(10), None, SHARES, 1)["valid"].tolist() == [4, 8]


def test_small_shares_get_one_row_and_no_rows_are_an_error():
    drawn = draw(range(5), None, {"valid": 0.1, "test": 0.1}, 1)
    assert [len(rows) for rows in drawn.values()] == [3, 1, 1]
    with pytest.raises(
        DataError, match=r"too few examples to hold out a share of 0\.1 for valid: 2, 1 of them distinct"
    ):
        draw(["same", "same"], None, {"valid": 0.1}, 1)


def test_a_share_of_nothing():
    drawn = draw(range(10), None, {"valid": 0.0, "test": 0.3}, 1)
    assert [len(rows) for rows in drawn.values()] == [7, 0, 3]
