"""What is written reads back to the same."""

from __future__ import annotations

import math
import random
import warnings
from pathlib import Path

import pytest
import yaml

from rnncli.config import read, write

from .example import GRU, LSTM, Clip, Colour, Data, Example

AWKWARD = [
    "NO", "on", "yes", "y", "1e-3", "010", "0o10", "null", "~", "", " ", "  a", "a ", "a: b", "a #b", "#",
    "0x1F", "1_000",
    "12:30:45", "2024-01-31", ".inf", ".nan", "<<", "=", "-", "- a", "?", "? a", "[", "{a}",
    "*x", "&x", "!x", "%x", "@", "`",
    "'", '"', "it's", "\\", "\t", "a\tb", "\n", "a\nb", "a\n\n b\n", "\r", "a\r\nb",
    "ünï", "日本語", "😀", "\x00", "\x07", "\x85",
    "\u2028", "\ufeff", "\ud800", "true", "True", "...", "---", "x" * 500, "word " * 100, "a\u00a0b",
    ",", ":", "::", "a:", "1:",
]  # fmt: skip
FLOATS = [0.1, 1e-5, 1e22, 1e300, 5e-324, 1 / 3, -0.0, 100.0, 1e16, 123456789.125, math.inf, -math.inf, 2.0**-1074]


def again(settings: Example, folder: Path) -> Example:
    path = folder / "written.yaml"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path.write_text(write(settings), encoding="utf-8")
    return read(path, Example)


CELL = LSTM(type="lstm", hidden_size=3)


@pytest.mark.parametrize("text", AWKWARD, ids=ascii)
def test_awkward_texts(text: str, tmp_path: Path) -> None:
    settings = Example(cell=CELL, name=text, weights={text: 1.0, "b" + text: 2.0})
    read_back = again(settings, tmp_path)
    assert read_back == settings
    assert list(read_back.weights) == [text, "b" + text]


def test_random_texts(tmp_path: Path) -> None:
    draw = random.Random(3)
    pieces = [*AWKWARD, *"abc: -#,[]{}&*!|>'\"%@`?\n\t ~=.0123e"]
    for _ in range(300):
        text = "".join(draw.choices(pieces, k=draw.randint(1, 6)))
        assert again(Example(cell=CELL, name=text), tmp_path).name == text


@pytest.mark.parametrize("value", FLOATS)
def test_floats_are_exact(value: float, tmp_path: Path) -> None:
    rate = again(Example(cell=CELL, rate=value), tmp_path).rate
    assert (rate, math.copysign(1, rate)) == (value, math.copysign(1, value))


def test_nan(tmp_path: Path) -> None:
    assert math.isnan(again(Example(cell=CELL, rate=math.nan), tmp_path).rate)


def test_all_forms_and_all_defaults(tmp_path: Path) -> None:
    settings = Example(
        cell=CELL,
        second=GRU(type="mgu", hidden_size=4, reset="before"),
        stack=[CELL, CELL, GRU(type="gru", hidden_size=5)],
        data=Data(root="r", train=["a", "~/b", "-"], index="i", extra=["x: y"]),  # type: ignore[arg-type, list-item]
        colour=Colour.BLUE,
        rates=(1.0, 0.5),
        pair=(1, "no"),
        size=[2, 3],
        parts={"valid": 0.1},
        clip=Clip(norm=2),
        limits=Clip(),
    )
    assert again(settings, tmp_path) == settings
    written = yaml.safe_load(write(Example(cell=CELL)))
    assert set(written) == set(Example.model_fields)
    assert written["limits"] is None
    assert written["data"]["separator"] == ","
    assert "&" not in write(settings), "no anchors"


def test_other_readers_of_yaml_read_the_same() -> None:
    """Text that YAML 1.1 would take for something else is quoted."""
    texts = {f"k{i}": text for i, text in enumerate(AWKWARD) if text != "\ud800"}
    for text in texts.values():
        assert yaml.safe_load(write(Example(cell=CELL, name=text)))["name"] == text
