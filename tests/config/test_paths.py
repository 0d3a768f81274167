"""What paths are relative to."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncli.config import read

from .example import Data, Example
from .reading import CELL, mistakes, settings


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The config's folder and another one, which is the current one."""
    config, current = tmp_path / "config", tmp_path / "current"
    config.mkdir()
    current.mkdir()
    monkeypatch.chdir(current)
    return config, current


def test_paths_of_a_file_are_relative_to_it(folders: tuple[Path, Path]) -> None:
    config, _ = folders
    data = settings(config, CELL + "data: {train: a/b.csv, index: ../c.csv, extra: [d, /e//f/../g]}\n").data
    assert data.train == [config / "a/b.csv"]
    assert data.index == config.parent / "c.csv"
    assert data.extra == [config / "d", Path("/e/g")]


def test_a_relative_config_path(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    config, _ = folders
    (config / "x.yaml").write_text(CELL + "data: {index: a}\n")
    assert read(Path("../config/x.yaml"), Example).data.index == config / "a"
    monkeypatch.chdir(config)
    assert read(Path("x.yaml"), Example).data.index == config / "a"


def test_paths_of_the_command_line_are_relative_to_the_current_folder(folders: tuple[Path, Path]) -> None:
    config, current = folders
    text = CELL + "data: {root: r, train: [a, b], extra: [c]}\n"
    data = settings(config, text, "data.train.1=b", "data.index=i.csv", "data.extra=[d, ../e]").data
    assert data.train == [config / "r/a", current / "b"]
    assert data.index == current / "i.csv"
    assert data.extra == [current / "d", current.parent / "e"]


def test_root_comes_before_the_files_folder(folders: tuple[Path, Path]) -> None:
    config, current = folders
    text = CELL + "data: {train: [a, /b], root: r, extra: [c]}\n"
    assert settings(config, text).data.train == [config / "r/a", Path("/b")]
    moved = settings(config, text, "data.root=s").data
    assert (moved.root, moved.train, moved.extra) == (current / "s", [current / "s/a", Path("/b")], [current / "s/c"])


def test_home_folder(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert settings(folders[0], CELL + "data: {index: ~/a, root: r}\n").data.index == Path("/somewhere/a")
    [block] = mistakes(folders[0], CELL + "data: {index: ~nobody-of-that-name/a}\n")
    assert "data.index: '~nobody-of-that-name/a' names no known home folder" in block


def test_links_are_left_as_they_are(folders: tuple[Path, Path]) -> None:
    config, current = folders
    (config / "link").symlink_to(current)
    assert settings(config, CELL + "data: {index: link/a}\n").data.index == config / "link/a"


def test_in_python_paths_are_relative_to_the_current_folder(folders: tuple[Path, Path]) -> None:
    _, current = folders
    data = Data(root="r", train="a", extra=[Path("b")])  # type: ignore[arg-type, list-item]
    assert (data.root, data.train, data.extra) == (current / "r", [current / "a"], [current / "b"])
