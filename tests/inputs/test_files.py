import bz2
import gzip
import hashlib
import io
import lzma

import pytest
import zstandard

from rnncli.errors import DataError, UserError
from rnncli.inputs.files import lines, open_binary, sha256, suffix

PLAIN = "naïve\r\nsecond\rhalf\n\nlast without end".encode()
LINES = [(1, "naïve"), (2, "second\rhalf"), (3, ""), (4, "last without end")]
PACK = {
    "": lambda data: data,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    # Two frames, as `cat a.zst b.zst` makes them.
    ".zst": lambda data: zstandard.compress(data[:9]) + zstandard.compress(data[9:]),
}


@pytest.mark.parametrize("packed", PACK)
def test_lines_of_plain_and_compressed_files(tmp_path, packed):
    path = tmp_path / f"text.TXT{packed}"
    path.write_bytes(PACK[packed](PLAIN))
    assert list(lines(path, "utf-8")) == LINES
    assert suffix(path) == ".txt"
    with open_binary(path) as file:
        assert file.read() == PLAIN
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".xz", ".zst"])
def test_damaged_compression_is_a_sentence(tmp_path, packed):
    path = tmp_path / f"a.txt{packed}"
    whole = PACK[packed](PLAIN * 1000)
    for damaged in (b"not compressed at all", whole[: len(whole) // 2] if packed != ".zst" else whole[:3] + b"x" * 40):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.txt.*is damaged"):
            list(lines(path, "utf-8"))


def test_byte_order_mark_is_taken_away_in_the_first_line_only():
    data = "\ufeffa\n\ufeffb\n".encode()
    assert list(lines(io.BytesIO(data), "utf-8")) == [(1, "a"), (2, "\ufeffb")]
    assert list(lines(io.BytesIO(data), "utf-8-sig")) == [(1, "a"), (2, "\ufeffb")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "shift_jis", "latin-1"])
def test_other_encodings(encoding):
    text = "caf\u00e9 \u010a" if encoding.startswith("utf") else "e\u30bd" if encoding == "shift_jis" else "caf\u00e9"
    data = f"{text}\r\nb\rc\n".encode(encoding)
    assert list(lines(io.BytesIO(data), encoding)) == [(1, text), (2, "b\rc")]


def test_bad_bytes_are_located_and_the_rest_goes_on():
    data = b"good\nba\xffd\r\ngood again\n"
    with pytest.raises(DataError, match=r"^standard input:2: byte 0xff \(column 3\) is not utf-8"):
        list(lines(io.BytesIO(data), "utf-8"))
    told = []
    assert list(lines(io.BytesIO(data), "utf-8", told.append)) == [(1, "good"), (3, "good again")]
    assert [bad.line for bad in told] == [2]
    with pytest.raises(DataError, match="utf-16"):
        list(lines(io.BytesIO("ab\n".encode("utf-16") + b"\x00\xd8\x00"), "utf-16"))


def test_unknown_encoding():
    with pytest.raises(UserError, match="unknown encoding 'utf-9'"):
        list(lines(io.BytesIO(b"a"), "utf-9"))


def test_absent_files_name_their_nearest_neighbour(tmp_path):
    (tmp_path / "reviews").mkdir()
    (tmp_path / "reviews" / "train.csv").touch()
    with pytest.raises(DataError, match=r"trian\.csv: no such file; the nearest in .*reviews is train\.csv"):
        open_binary(tmp_path / "reviews" / "trian.csv")
    with pytest.raises(DataError, match=r"no such file; .*reviews has train\.csv"):
        open_binary(tmp_path / "reviews" / "xyz")
    with pytest.raises(DataError, match=r"no folder .*reviws; the nearest in .* is reviews"):
        open_binary(tmp_path / "reviws" / "deep" / "train.csv")
    with pytest.raises(DataError, match="is a folder"):
        open_binary(tmp_path / "reviews")
