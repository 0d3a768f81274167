"""YAML 1.2 scalars, and mistakes in the text itself."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from rnncli.config.tree import MOST_NODES, Tree
from rnncli.config.yaml12 import Place
from rnncli.errors import ConfigError

from .example import Example
from .reading import mistakes

SCALARS = {
    "1e-3": 0.001, "1e5": 1e5, "1E+2": 100.0, "-1.5e-3": -0.0015, ".5": 0.5, "1.": 1.0,
    "-.inf": -math.inf, ".INF": math.inf,
    "010": 10, "+7": 7, "-0": 0, "0o10": 8, "0x1F": 31, "12": 12,
    "true": True, "True": True, "FALSE": False,
    "NO": "NO", "no": "no", "on": "on", "off": "off", "yes": "yes", "y": "y", "tRUE": "tRUE",
    "12:30:45": "12:30:45", "2024-01-31": "2024-01-31", "2024-01-31 10:00:00": "2024-01-31 10:00:00",
    "1_000": "1_000", "0b11": "0b11", "-0x1": "-0x1", "1e": "1e", "e5": "e5", ".": ".",
    "=": "=", "inf": "inf", "nan": "nan",
    "~": None, "null": None, "Null": None, "": None, "nUll": "nUll",
    "'12'": "12", '"true"': "true", "''": "", "!!str 12": "12", "!!float 3": 3.0, "!!int '7'": 7,
}  # fmt: skip


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_follow_yaml_1_2(text: str) -> None:
    value = Tree(f"a: {text}").value["a"]
    assert value == SCALARS[text]
    assert type(value) is type(SCALARS[text])


def test_nan() -> None:
    assert math.isnan(Tree("a: .NaN").value["a"])


def test_keys_are_text_as_written() -> None:
    assert Tree("{1: a, 010: b, true: c, 1e-3: d, ~: e}").value == {
        "1": "a",
        "010": "b",
        "true": "c",
        "1e-3": "d",
        "~": "e",
    }


def test_aliases_and_merge_keys() -> None:
    tree = Tree(
        "base: &b {x: 1, y: {z: 2}}\n"
        "more: &m {x: 5, w: 6}\n"
        "same: *b\n"
        "one:\n  y: 3\n  <<: *b\n"
        "two: {<<: [*m, *b], w: 7}\n"
        "quoted: {'<<': 4}\n"
    )  # fmt: skip
    assert tree.value["same"] == {"x": 1, "y": {"z": 2}}
    assert tree.value["one"] == {"x": 1, "y": 3}
    assert tree.value["two"] == {"x": 5, "y": {"z": 2}, "w": 7}
    assert tree.value["quoted"] == {"<<": 4}
    assert not tree.problems
    tree.value["same"]["x"] = 9
    assert tree.value["base"]["x"] == 1, "an alias is a copy, so that an override changes one place"


def test_places_of_keys_and_values() -> None:
    tree = Tree("a: 1\nbb:\n  c:   [10, {d: 2}]\n  e:\n  - x\n")
    assert tree.keys == {
        ("a",): Place(1, 1), ("bb",): Place(2, 1), ("bb", "c"): Place(3, 3), ("bb", "c", 1, "d"): Place(3, 14),
        ("bb", "e"): Place(4, 3),
    }  # fmt: skip
    assert tree.values["bb", "c"] == Place(3, 8)
    assert tree.values["bb", "c", 0] == Place(3, 9)
    assert tree.values["bb", "e"] == Place(4, 3), "a block begins at its key"
    assert tree.values["bb", "e", 0] == Place(5, 5)


TEXTS = {
    "tab": ("cell: 3\n\twhole: 3\n", ":2:1: a tab stands where YAML wants spaces"),
    "dedent": ("cell:\n    type: lstm\n  hidden_size: 3\n", ":3:3: the indentation does not fit the lines above"),
    "colon": ("name: a: b\n", ":1:8: a ':' is not allowed here"),
    "bracket": ("size: [1, 2\nname: x\n", ":2:5: expected ',' or ']'"),
    "quote": ("name: 'x\nwhole: 2\n",
              ":3:1: found unexpected end of stream (in the quoted scalar that begins on line 1)"),
    "alias": ("name: *x\n", ":1:7: found undefined alias 'x'"),
    "control": ("whole: 3\nname: a\x07b\n", ":2:8: the character '\\x07' is not allowed"),
    "documents": ("whole: 3\n---\nwhole: 4\n", ":2:1: only one YAML document is allowed"),
    "list": ("- 1\n- 2\n", ":1:1: expected keys with values, found a list"),
    "text": ("just words\n", ":1:1: expected keys with values, found 'just words'"),
    "deep": ("cell: " + "[" * 5000, ": the text is nested too deeply"),
    "empty": ("", ": the file is empty"),
    "comment": ("# nothing\n\n", ": the file is empty"),
    "python": ("cell: {type: lstm, hidden_size: 2}\nname: !!python/object/apply:os.system [ls]\n",
               ":2:7: the tag !!python/object/apply:os.system is not allowed"),
    "python key": ("cell: {type: lstm, hidden_size: 2}\n!!python/name:os.system x: 1\n",
                   ":2:1: the tag !!python/name:os.system"),
    "own tag": ("cell: {type: lstm, hidden_size: 2}\nname: !secret x\n", ":2:7: the tag !secret is not allowed"),
    "wrong tag": ("cell: {type: lstm, hidden_size: 2}\nwhole: !!int x\n", ":2:8: 'x' does not fit the tag !!int"),
    "key": ("cell: {type: lstm, hidden_size: 2}\n? [1, 2]\n: 3\n", ":2:3: a key must be text"),
    "itself": ("cell: {type: lstm, hidden_size: 2}\nsize: &s [*s]\n", ":2:7: an anchor holds an alias of itself"),
    "merge": ("cell: {type: lstm, hidden_size: 2, <<: 3}\n", ":1:40: << takes a mapping or a list of mappings"),
    "digits": (f"cell: {{type: lstm, hidden_size: 2}}\nwhole: {'9' * 5000}\n",
               ":2:8: a whole number of 5000 digits is too long"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_mistakes_of_the_text(kind: str, tmp_path: Path) -> None:
    text, message = TEXTS[kind]
    blocks = mistakes(tmp_path, text)
    assert len(blocks) == 1
    assert blocks[0].startswith(f"{tmp_path}/x.yaml{message}")


def test_excerpt_with_caret(tmp_path: Path) -> None:
    [block] = mistakes(tmp_path, "cell: {type: lstm, hidden_size: 2}\n\n\n\n\n\n\n\n\nname:  *x # y\n")
    assert block.splitlines()[1:] == ["  10 | name:  *x # y", "     |        ^"]


def test_excerpt_of_a_long_line_is_cut_around_the_caret(tmp_path: Path) -> None:
    text = "weights: {" + ", ".join(f"a{i}: {i}" for i in range(1000)) + ", b: x}\ncell: {type: lstm, hidden_size: 2}\n"
    [block] = mistakes(tmp_path, text)
    _, excerpt, caret = block.splitlines()
    assert len(excerpt) < 120
    assert excerpt[caret.index("^")] == "x"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_mark(newline: str, tmp_path: Path) -> None:
    text = "\ufeff" + newline.join(["# ü", "cell: {type: lstm, hidden_size: 2}", "whole: x"])
    [block] = mistakes(tmp_path, text)
    assert block.splitlines()[1:] == ["  3 | whole: x", "    |        ^"]


def test_duplicate_keys_name_both_lines_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    duplicate, wrong = mistakes(
        tmp_path, "cell:\n  type: lstm\n  hidden_size: 2\n  # again\n  hidden_size: 3\nwhole: many\n"
    )
    assert duplicate.startswith(f"{tmp_path}/x.yaml:5:3: the key 'hidden_size' is given twice, first on line 3\n")
    assert ":6:8: whole:" in wrong


def test_a_billion_laughs_are_refused(tmp_path: Path) -> None:
    lines = ["l0: &l0 [lol, lol, lol]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 20)]
    [block] = mistakes(tmp_path, "\n".join(lines))
    assert f"the anchors expand to more than {MOST_NODES} values" in block


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    from rnncli.config import read

    (tmp_path / "sentiment.yaml").write_bytes(b"cell: 3\nname: \xff\n")
    with pytest.raises(ConfigError, match=r"sentiment.yaml:2: the file is not UTF-8: found the byte 0xff"):
        read(tmp_path / "sentiment.yaml", Example)
    with pytest.raises(ConfigError, match=r"sentimnt.yaml: no such file; did you mean '.*/sentiment.yaml'\?"):
        read(tmp_path / "sentimnt.yaml", Example)
    with pytest.raises(ConfigError, match=r"no such file$"):
        read(tmp_path / "nowhere" / "a.yaml", Example)
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        read(tmp_path, Example)
