"""Files are replaced as a whole, and only what they should hold is read from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from rnncli.errors import RunError
from rnncli.runs.whole_files import read_json, read_tensors, write_json, write_tensors, write_whole


def test_a_file_is_replaced_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"before")
    with path.open("rb") as opened_before:
        write_whole(path, b"after!")
        assert opened_before.read() == b"before"
    assert path.read_bytes() == b"after!"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_a_kill_left_unfinished_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".file.unfinished").write_bytes(b"half of a longer one")
    write_whole(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_tensors_come_back_with_their_bits(tmp_path: Path) -> None:
    base = torch.randn(4, 6)
    tensors = {
        "shared": base[1:3],
        "turned": base.t(),
        "count": torch.tensor(3),
        "half": base.bfloat16(),
        "odd": torch.tensor([float("nan"), float("-inf"), -0.0]),
        "none": torch.empty(0, 3),
    }
    write_tensors(tmp_path / "file", tensors, {"about": "ä"})
    found, about = read_tensors(tmp_path / "file")
    assert about == {"about": "ä"} and found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0, equal_nan=True)
    write_tensors(tmp_path / "file", {"shared": torch.zeros(2, 6)}, {})
    torch.testing.assert_close(found["shared"], base[1:3], rtol=0, atol=0)  # no view of the file


def test_json(tmp_path: Path) -> None:
    write_json(tmp_path / "file", {"ä": [1, None]})
    assert read_json(tmp_path / "file") == {"ä": [1, None]}
    with pytest.raises(RunError, match="not there"):
        read_json(tmp_path / "other")
    with pytest.raises(RunError, match="can't be written: "):
        write_json(tmp_path / "file" / "below", {})
