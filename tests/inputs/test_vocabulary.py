from collections import Counter

import pytest

from rnncli.errors import RunError
from rnncli.inputs.features import PADDING, UNKNOWN
from rnncli.inputs.vocabulary import Vocabulary

COUNTS = Counter(["the", "cat", "the", "dog", "a", "cat", "the", "<unk>", "<pad>", "<pad>", "rare"])


def test_ids_by_count_then_text():
    vocabulary = Vocabulary.count(COUNTS)
    assert vocabulary.entries == ("<pad>", "<unk>", "the", "cat", "a", "dog", "rare")
    assert vocabulary.size == 7
    assert Vocabulary.count(COUNTS, min_count=2).entries == ("<pad>", "<unk>", "the", "cat")


def test_encoding():
    vocabulary = Vocabulary.count(COUNTS)
    ids = vocabulary.encode(["dog", "unseen", "<unk>", "<pad>", "the"])
    assert ids.dtype == "int64"
    assert ids.tolist() == [5, UNKNOWN, UNKNOWN, UNKNOWN, 2]
    assert PADDING not in vocabulary.ids.values()


def test_saved_and_damaged():
    vocabulary = Vocabulary.count(COUNTS)
    assert Vocabulary.from_json(vocabulary.to_json()).ids == vocabulary.ids
    for damaged in (None, ["a"], ["<pad>", "<unk>", "a", "a"], ["<pad>", "<unk>", 3]):
        with pytest.raises(RunError):
            Vocabulary.from_json(damaged)
