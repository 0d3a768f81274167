"""Compiled code is kept only where nobody else can put code of theirs, and not for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnncli.engines.native.cache import checked_place, find, keep, ready_folder
from rnncli.errors import CompilerError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of the libraries; not there yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "rnncli" / "native"


def refusal() -> str:
    """What both say: the question that makes nothing, and the one that makes the folder."""
    with pytest.raises(CompilerError) as asked:
        checked_place()
    with pytest.raises(CompilerError) as made:
        ready_folder()
    assert str(asked.value) == str(made.value)
    assert str(asked.value).isprintable()
    return str(asked.value)


def test_the_question_makes_nothing_and_the_folder_is_of_the_user_alone(folder):
    before = os.umask(0)
    try:
        assert checked_place() == folder and not folder.parents[1].exists()
        assert ready_folder() == checked_place() == folder
    finally:
        os.umask(before)
    assert [part.stat().st_mode & 0o777 for part in (folder, *folder.parents[:2])] == [0o700] * 3


@pytest.mark.parametrize(
    ("above", "mode", "safe"),
    [
        (0, 0o777, False),
        (0, 0o1777, False),  # sticky: others could still add a file
        (0, 0o770, False),
        (0, 0o755, True),
        (1, 0o777, False),
        (2, 0o703, False),
        (2, 0o1777, True),
        (2, 0o775, True),
        (3, 0o777, False),
    ],
)
def test_folders_that_others_can_write(above, mode, safe, folder):
    ready_folder()
    part = [folder, *folder.parents][above]
    part.chmod(mode)
    if safe:
        assert ready_folder() == folder
    else:
        assert refusal() == f"{part}: other users can write there, and could put code there; chmod go-w {part}"


def test_nothing_is_made_where_others_can_write(tmp_path, folder):
    tmp_path.chmod(0o777)
    refusal()
    assert not folder.parents[1].exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("above", [0, 1, 3])
def test_folders_of_another_user(above, folder):
    ready_folder()
    part = [folder, *folder.parents][above]
    os.chown(part, 12345, -1)
    assert refusal().startswith(f"{part}: belongs to another user (uid 12345)")


def test_what_is_above_the_home_is_not_looked_at(tmp_path, monkeypatch):
    home = tmp_path / "above" / "home"
    home.mkdir(parents=True)
    home.parent.chmod(0o777)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert ready_folder().is_relative_to(home)
    home.chmod(0o777)
    assert refusal().startswith(f"{home}: other users can write there")


def test_a_link_is_followed_once_and_the_real_folders_are_looked_at(tmp_path, folder):
    real = tmp_path / "elsewhere" / "real"
    real.mkdir(parents=True)
    folder.parents[1].symlink_to(real)
    assert ready_folder() == real / "rnncli" / "native"
    real.parent.chmod(0o777)
    assert refusal().startswith(f"{real.parent}: other users can write there")


def test_a_link_in_a_circle(folder):
    folder.parents[1].symlink_to(folder.parents[1])
    refusal()


@pytest.mark.parametrize("xdg", [None, "", "relative/caches"])
def test_without_a_name_it_stands_in_the_home(xdg, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME") if xdg is None else monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    caches = tmp_path / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    assert checked_place() == caches / "rnncli" / "native"


@pytest.mark.parametrize("home", ["absent", "file", "file/below", "relative"])
def test_no_home(home, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", home if home == "relative" else str(tmp_path / home))
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert "there is no home folder" in refusal()
    assert not (tmp_path / "absent").exists()


def test_a_file_where_a_folder_should_be(folder):
    folder.parents[1].touch()
    assert "Not a directory" in refusal()


@pytest.mark.parametrize("above", [0, 1, 2])
@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_folder_that_cannot_be_written(above, folder):
    part = [folder, *folder.parents][above]
    part.mkdir(parents=True)
    part.chmod(0o500)
    assert f"({part}: Permission denied)" in refusal()


def test_a_file_system_on_which_code_cannot_be_executed(tmp_path_factory, monkeypatch):
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux says whether a file system is mounted noexec")
    mounted = [line.split()[1:4] for line in Path("/proc/mounts").read_text().splitlines()]
    places = [Path(place) for place, _, options in mounted if {"noexec", "rw"} <= set(options.split(","))]
    place = next((place for place in places if place.is_dir() and os.access(place, os.W_OK)), None)
    if place is None:
        pytest.skip("no file system here is mounted noexec and can be written")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place))
    with pytest.raises(CompilerError, match=r"mounted noexec|other users"):
        checked_place()


def test_what_nobody_used_for_long_goes(tmp_path):
    folder = ready_folder()

    def kept(key: str) -> Path:
        new = tmp_path / "new"
        new.write_text(f"library {key}")
        return keep(folder, key, new)

    old, old_and_used, young = kept("a"), kept("b"), kept("c")
    abandoned, under_way = folder / "compiling-x", folder / "compiling-y"
    for part in (abandoned, under_way):
        (part / "deep").mkdir(parents=True)
    hour = 3600
    ages = {old: 91 * 24, old_and_used: 91 * 24, young: 89 * 24, abandoned: 1.1, under_way: 0.9}
    for path, age in ages.items():
        os.utime(path, (time.time() - age * hour,) * 2)
    assert find(folder, "b") == old_and_used
    assert set(folder.iterdir()) == set(ages)
    new = kept("d")
    assert set(folder.iterdir()) == {new, old_and_used, young, under_way}


def test_asking_does_not_import_torch():
    code = "import sys; from rnncli.engines.native.compiler import why_not; why_not(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
