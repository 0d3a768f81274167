import numpy as np
import pytest

from rnncli.inputs.batches import NO_TARGET
from rnncli.inputs.stream import Stream

GRID = [(n, columns, steps) for n in (2, 3, 7, 20, 21, 23, 50) for columns in (1, 3, 4, 30) for steps in (1, 3, 5, 100)]


@pytest.mark.parametrize(("tokens", "columns", "steps"), GRID)
def test_every_token_but_the_first_is_predicted_once_from_the_one_before(tokens, columns, steps):
    ids = np.random.default_rng(0).permutation(1000)[:tokens]
    stream = Stream(ids)
    plan = stream.plan(columns, np.random.default_rng(1), steps)
    read, predicted, firsts = {}, [], []
    for number, entry in enumerate(plan):
        batch = stream.batch(entry)
        tokens_in = batch.inputs["tokens"]
        assert batch.continues == (number > 0)
        assert tokens_in.lengths.min() >= 1
        assert tokens_in.time <= steps + 1
        if number < len(plan) - 1:
            assert tokens_in.full
        for column, length in enumerate(tokens_in.lengths.tolist()):
            inputs = tokens_in.values[column, :length].tolist()
            targets = batch.targets[column, :length].tolist()
            read.setdefault(column, []).extend(zip(inputs, targets, strict=True))
            predicted += targets
            firsts.append((int(batch.rows[column]), inputs[0]))
    assert sorted(predicted) == sorted(ids[1:].tolist())
    assert len(stream) == tokens - 1
    # Columns are contiguous, and side by side they are the stream.
    pairs = [pair for column in sorted(read) for pair in read[column]]
    assert pairs == list(zip(ids[:-1].tolist(), ids[1:].tolist(), strict=True))
    assert all(ids[row] == first for row, first in firsts)
    lengths = [len(column) for column in read.values()]
    assert max(lengths) - min(lengths) <= 1
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize(("columns", "steps"), [(1, 4), (3, 5), (7, 100)])
def test_only_some_tokens_may_be_asked_for(columns, steps):
    random = np.random.default_rng(3)
    ids, asked = random.permutation(60) + 2, random.random(60) < 0.4
    everything, some = Stream(ids), Stream(ids, asked)
    assert len(some) == len(everything) == 59
    for entry in everything.plan(columns, None, steps):
        one, other = everything.batch(entry), some.batch(entry)
        np.testing.assert_array_equal(other.inputs["tokens"].values, one.inputs["tokens"].values)
        expected = [[token if token in ids[asked] else NO_TARGET for token in row] for row in one.targets.tolist()]
        assert other.targets.tolist() == expected


def test_windows_are_views_of_one_layout():
    stream = Stream(np.arange(101))
    first, second = (stream.batch(entry).inputs["tokens"].values for entry in stream.plan(4, None, 10)[:2])
    assert first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
    assert stream.batch(stream.plan(5, None, 10)[0]).inputs["tokens"].batch == 5
