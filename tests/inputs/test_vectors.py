import numpy as np
import pytest

from rnncli.errors import DataError
from rnncli.inputs.vectors import read

WORDS = {"the": 2, "cat": 3, ". . .": 4, "absent": 5}


def table(tmp_path, text):
    path = tmp_path / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return read(path, WORDS, 6)


@pytest.mark.parametrize("header", ["", "4 3\n"])
def test_glove_and_word2vec(tmp_path, header):
    found = table(tmp_path, header + "the 0.5 -1 2e-1 \ncat 1 2 3\nother 7 7 7\n. . . 4 5 6\ncat 9 9 9\n")
    nan = [np.nan] * 3
    expected = np.array([nan, nan, [0.5, -1, 0.2], [1, 2, 3], [4, 5, 6], nan], np.float32)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no vectors"),
        ("the\n", ":1: has no numbers"),
        ("the 1 2\ncat 1\n", ":2: has 1 numbers, the first vector has 2"),
        ("the 1 2\ncat 1 2 3\n", ":2: has 3 numbers, the first vector has 2"),
        ("2 2\nthe 1 2\ncat 1 x\n", ":3: 'x' is no number"),
    ],
)
def test_bad_lines_are_located(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        table(tmp_path, text)
