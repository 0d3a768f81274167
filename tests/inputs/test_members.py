"""Files below a folder or in a zip file."""

import os
import zipfile
from pathlib import Path

import pytest

from rnncli.errors import DataError
from rnncli.inputs import members
from rnncli.inputs.members import Members, read_whole

FILES = {
    "b/_DSC1.jpg": b"a camera's name",
    "b/x.wav": b"two",
    "a.png": b"one",
    ".hidden.png": b"no",
    "b/.git/c.wav": b"no",
    "__MACOSX/b/._x.wav": b"no",
    "c\\d.wav": b"from Windows",
}
SEEN = ["a.png", "b/_DSC1.jpg", "b/x.wav", "c\\d.wav"]


def folder(path):
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def packed(path, files, how=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_folder_and_zip_have_the_same_files_without_the_hidden_ones(tmp_path):
    for path in (folder(tmp_path / "f"), packed(tmp_path / "f.zip", FILES | {"b/": b""})):
        found = Members(path)
        assert found.names == SEEN
        assert [found.read(name) for name in SEEN] == [FILES[name] for name in SEEN]
        assert found.place("b/x.wav") == f"{path}/b/x.wav"


def test_a_name_that_is_no_text(tmp_path):
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.wav")).touch()
    with pytest.raises(DataError, match=r"has a file whose name is no valid Unicode, '\\udcff\.wav'; rename it"):
        Members(tmp_path)


def test_names_that_lead_out_of_a_zip_stay_in_it(tmp_path):
    (tmp_path / "x.png").write_bytes(b"outside")
    path = packed(tmp_path / "sub.zip", {str(tmp_path / "x.png"): b"inside", "../x.png": b"hidden"})
    found = Members(path)
    assert [found.read(name) for name in found.names] == [b"inside"]
    assert (tmp_path / "x.png").read_bytes() == b"outside"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_counts_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"first")
        archive.writestr("a.png", b"last")
    found = Members(tmp_path / "a.zip")
    assert [found.read(name) for name in found.names] == [b"last"]


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path, monkeypatch, how):
    monkeypatch.setattr(members, "LARGEST", 10**6)
    path = packed(tmp_path / "a.zip", {"large.wav": bytes(10**6 + 1), "largest.wav": bytes(10**6)}, how)
    assert path.stat().st_size < 10**4
    found = Members(path)
    assert len(found.read("largest.wav")) == 10**6
    with pytest.raises(DataError, match=r"a\.zip/large\.wav: has 1,000,001 bytes, more than the 1,000,000 that"):
        found.read("large.wav")
    # A directory that tells less than there is: no more than it tells is read.
    content = path.read_bytes()
    path.write_bytes(content.replace((10**6 + 1).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with pytest.raises(DataError, match=r"large\.wav: can't be read from the zip file"):
        Members(path).read("large.wav")
    with (tmp_path / "b.wav").open("wb") as file:
        file.truncate(10**6 + 1)
    with pytest.raises(DataError, match=r"b\.wav: has 1,000,001 bytes"):
        read_whole(tmp_path / "b.wav")


def test_zip_files_that_cannot_be_read(tmp_path):
    whole = packed(tmp_path / "a.zip", {"a.wav": bytes(range(256)) * 9}, zipfile.ZIP_STORED).read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:-30])
    with pytest.raises(DataError, match=r"a\.zip: is no folder and can't be opened as a zip file \("):
        Members(tmp_path / "a.zip")
    damaged = bytearray(whole)
    damaged[200] ^= 1
    (tmp_path / "a.zip").write_bytes(damaged)
    with pytest.raises(DataError, match=r"a\.zip/a\.wav: can't be read from the zip file \(Bad CRC"):
        Members(tmp_path / "a.zip").read("a.wav")
    locked = bytearray(whole)
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[whole.index(mark) + flags] |= 1
    (tmp_path / "a.zip").write_bytes(locked)
    with pytest.raises(DataError, match=r"a\.zip/a\.wav: can't be read from the zip file \(.*password"):
        Members(tmp_path / "a.zip").read("a.wav")
