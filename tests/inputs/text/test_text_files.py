import gzip

import pytest
from text_loading import decoded, loader, write

from rnncli.errors import ConfigError, DataError

FILES = {"target": {"kind": "class"}, "split": {"valid": 0, "test": 0}}


def test_a_file_for_each_class(tmp_path):
    write(tmp_path / "Irish.txt", "Adam\nAhearn\n\n")
    (tmp_path / "Dutch.txt.gz").write_bytes(gzip.compress(b"Aalst\r\n"))
    write(tmp_path / "README.md", "about")
    write(tmp_path / ".hidden.txt", "no")
    made = loader(tmp_path, **FILES, units="character")
    data = made.load()["train"]
    assert made.target.names == ("Dutch", "Irish")
    assert made.target.counts == (1, 2)
    assert ["".join(units) for units in decoded(made, data)] == ["Aalst", "Adam", "Ahearn"]
    assert "left out of " + tmp_path.name + ": README.md" in made.notes
    assert [path.name for path in made.files] == ["Dutch.txt.gz", "Irish.txt"]
    (chunk,) = made.chunks(tmp_path, lambda bad: None)
    assert chunk.rows[1] == {"file": "Irish.txt", "text": "Adam"}
    # The files by themselves are the same as their folder.
    listed = loader(tmp_path / "Irish.txt", **FILES, format="files")
    with pytest.raises(DataError, match="only one class, 'Irish'"):
        listed.load()


def test_a_folder_for_each_class(tmp_path):
    write(tmp_path / "pos" / "1.txt", "good film\nindeed\n")
    write(tmp_path / "pos" / "2.txt", "fine")
    write(tmp_path / "neg" / "1.txt", "bad")
    write(tmp_path / "urls.txt", "not a text")
    made = loader(tmp_path, **FILES)
    data = made.load()["train"]
    assert made.target.names == ("neg", "pos")
    assert decoded(made, data) == [["bad"], ["good", "film", "indeed"], ["fine"]]
    assert data.targets.tolist() == [0, 1, 1]
    assert f"left out of {tmp_path.name}: urls.txt" in made.notes
    (chunk,) = made.chunks(tmp_path / "pos", lambda bad: None)
    assert [row["file"] for row in chunk.rows] == ["1.txt", "2.txt"]
    assert decoded(made, chunk.dataset)[0] == ["good", "film", "indeed"]
    (chunk,) = made.chunks(tmp_path / "pos" / "1.txt", lambda bad: None)
    assert decoded(made, chunk.dataset) == [["good", "film", "indeed"]]


def test_a_limit_takes_rows_of_each_class(tmp_path):
    for name in ("x", "y", "z"):
        write(tmp_path / f"{name}.txt", "".join(f"{name}{k}\n" for k in range(10)))
    made = loader(tmp_path, **FILES)
    made.load(limit=7)
    assert sorted(made.target.counts) == [2, 2, 3]


def test_folders_that_can_not_be_used(tmp_path):
    with pytest.raises(DataError, match=r"has no \.txt files"):
        loader(tmp_path, **FILES).load()
    write(tmp_path / "a.txt", "a")
    with pytest.raises(ConfigError, match="say a class"):
        loader(tmp_path, target={"kind": "value", "column": "x"}).load()
