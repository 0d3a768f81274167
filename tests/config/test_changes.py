"""Changes of a config that another file asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rnncli.config import read
from rnncli.config.overrides import Change
from rnncli.config.paths import FromCommand
from rnncli.errors import ConfigError

from .example import Example
from .reading import CELL


def changed(folder: Path, text: str, *asked: tuple[str, Any] | str) -> Example:
    """A config in `folder/config`, changed from `folder/other`."""
    path = folder / "config" / "x.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    origin = "other.yaml: A"
    return read(
        path,
        Example,
        [each if isinstance(each, str) else Change(*each, f"{origin}: {each[0]}", folder / "other") for each in asked],
    )


def test_changes_are_put_as_overrides_are_and_the_last_wins(tmp_path: Path) -> None:
    text = CELL + "stack: [{type: gru, hidden_size: 5}]\nwhole: 4\n"
    found = changed(
        tmp_path,
        text,
        ("whole", 5),
        ("stack.0.hidden_size", 7),
        ("second", {"type": "mgu", "hidden_size": 9}),
        ("second.hidden_size", 8),
        ("limits.norm", 2.5),
        ("rates", [1, 2.5]),
        ("whole", 6),
    )
    assert (found.whole, found.rates) == (6, (1.0, 2.5))
    assert found.second is not None and (found.second.type, found.second.hidden_size) == ("mgu", 8)
    assert found.stack[0].hidden_size == 7
    assert found.limits is not None and found.limits.norm == 2.5
    assert changed(tmp_path, text, ("whole", 5), "whole=7").whole == 7
    assert changed(tmp_path, text, "whole=7", ("whole", 5)).whole == 5


def test_a_change_leaves_what_it_was_made_of(tmp_path: Path) -> None:
    value: dict[str, Any] = {"type": "mgu", "hidden_size": 9}
    changed(tmp_path, CELL, ("second", value), ("second.hidden_size", 8))
    assert value == {"type": "mgu", "hidden_size": 9}


def test_paths_of_a_change_are_relative_to_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "current").mkdir()
    monkeypatch.chdir(tmp_path / "current")
    data = changed(
        tmp_path,
        CELL + "data: {train: a.csv}\n",
        ("data.index", "i.csv"),
        ("data.extra", ["../e", FromCommand("f"), "/g"]),
    ).data
    assert data.train == [tmp_path / "config/a.csv"]
    assert data.index == tmp_path / "other/i.csv"
    assert data.extra == [tmp_path / "e", tmp_path / "current/f", Path("/g")]
    data = changed(tmp_path, CELL, ("data", {"root": "r", "train": "t"})).data
    assert (data.root, data.train) == (tmp_path / "other/r", [tmp_path / "other/r/t"])
    data = changed(tmp_path, CELL + "data: {root: r}\n", ("data.train", "t")).data
    assert data.train == [tmp_path / "config/r/t"]


def test_a_folder_that_is_relative_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(CELL)
    found = read(Path("x.yaml"), Example, [Change("data.index", "a", "here", Path("other"))])
    assert found.data.index == tmp_path / "other/a"


WRONG: dict[str, tuple[str, Any, str]] = {
    "unknown key": ("whol", 3, ": unknown key 'whol'; did you mean 'whole'? allowed: "),
    "unknown key below": ("limits.nrom", 3, ": unknown key 'nrom'; did you mean 'norm'? allowed: default, norm"),
    "unknown key in a value": ("limits", {"nrom": 3}, ": limits.nrom: unknown key 'nrom'; did you mean 'norm'?"),
    "wrong type": ("whole", "many", ": expected a whole number, found 'many'"),
    "null": ("whole", None, ": expected a whole number, found null"),
    "list": ("whole", [1], ": expected a whole number, found [1]"),
    "mapping": ("name", {"a": {"b": 1}}, ": expected text, found {a: {b: 1}}"),
    "out of range": ("whole", 12, ": must be at most 9, found 12"),
    "nothing under it": ("whole.a.b", 1, ": whole is 4, so nothing can be set under it"),
    "no such item": ("stack.0", 1, ": stack is a list with no items, so there is no '0'"),
    "missing key": ("second", {"type": "gru"}, ": missing key 'hidden_size' (Units of the state)"),
    "empty key": ("", 1, ": expected a key such as training.epochs"),
    "empty step": ("limits..norm", 1, ": expected a key such as training.epochs"),
    "path": ("data.index", "a\0b", ": 'a\\x00b' is not a path"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_mistakes_name_where_the_change_stands(kind: str, tmp_path: Path) -> None:
    key, value, message = WRONG[kind]
    with pytest.raises(ConfigError) as caught:
        changed(tmp_path, CELL + "whole: 4\nstack: []\n", (key, value))
    [found] = caught.value.mistakes
    assert found.startswith(f"other.yaml: A: {key}{message}")


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        changed(tmp_path, CELL + "rate: fast\n", ("whole", 12), ("a..b", 1), "name=[1]")
    assert [each.splitlines()[0].partition("x.yaml:")[2] or each for each in caught.value.mistakes] == [
        "2:7: rate: expected a number, found 'fast'",
        "other.yaml: A: a..b: expected a key such as training.epochs",
        "other.yaml: A: whole: must be at most 9, found 12",
        "--set name=[1]: expected text, found [1]",
    ]
