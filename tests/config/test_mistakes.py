"""What a config's mistakes look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from .example import LSTM
from .reading import CELL, mistakes, settings

LINES = {
    # a line after CELL -> column and message
    "whole: abc": "8: whole: expected a whole number, found 'abc'",
    "whole: '3'": "8: whole: expected a whole number, found '3'",
    "whole: true": "8: whole: expected a whole number, found true",
    "whole: 3.5": "8: whole: expected a whole number, found 3.5",
    "whole: 1e0": "8: whole: expected a whole number, found 1.0; write 1",
    "whole:": "7: whole: expected a whole number, found null",
    "whole: [3]": "8: whole: expected a whole number, found [3]",
    "whole: 0": "8: whole: must be at least 1, found 0",
    "whole: 10": "8: whole: must be at most 9, found 10",
    "rate: '0.1'": "7: rate: expected a number, found '0.1'",
    "rate: no": "7: rate: expected a number, found 'no'",
    "rate: true": "7: rate: expected a number, found true",
    "flag: 1": "7: flag: expected true or false, found 1",
    "flag: yes": "7: flag: expected true or false, found 'yes'",
    "name: 12": "7: name: expected text, found 12; quotes around it make it text",
    "name: [a]": "7: name: expected text, found [a]",
    "mode: lats": "7: mode: unknown value 'lats'; did you mean 'last'? allowed: last, max, mean",
    "mode: 3": "7: mode: expected one of mean, max, last, found 3",
    "colour: rad": "9: colour: unknown value 'rad'; did you mean 'red'? allowed: blue, red",
    "rates: 3": "8: rates: expected a list of numbers, found 3",
    "rates: [1, x, 2]": "12: rates.1: expected a number, found 'x'",
    "pair: [1]": "7: pair: expected a list of whole number, text, found [1]",
    "pair: [1, a, b]": "7: pair: takes 2 items or fewer, found [1, a, b]",
    "pair: [a, b]": "8: pair.0: expected a whole number, found 'a'",
    "weights: {a: x}": "14: weights.a: expected a number, found 'x'",
    "weights: 3": "10: weights: expected keys with numbers, found 3",
    "parts: {vald: 1}": "9: parts.vald: unknown value 'vald'; did you mean 'valid'? allowed: test, valid",
    "size: -1": "7: size: must be greater than 0, found -1",
    "size: atuo": "7: size: expected a whole number (greater than 0) or 'auto' or list of whole numbers "
                  "(greater than 1), found 'atuo'; did you mean 'auto'?",
    "size: [2, 1]": "11: size.1: must be greater than 1, found 1",
    "clip: 3": "7: clip: expected true or false or keys with values, found 3",
    "clip: {norm: -1}": "14: clip.norm: must be greater than 0, found -1",
    "clip: {nrom: 1}": "8: clip.nrom: unknown key 'nrom'; did you mean 'norm'? allowed: default, norm",
    "limits: 3": "9: limits: expected keys with values, found 3",
    "limits: {default: '3'}": "19: limits.default: expected a whole number, found '3'",
    "even: 3": "7: even: 3 is not even",
    "data: {train: 3}": "15: data.train: expected a path or list of paths, found 3",
    "data: {train: [a, 3]}": "19: data.train.1: expected a path, found 3; quotes around it make it text",
    "data: {index: ''}": "15: data.index: '' is not a path",
    "data: {index: 3}": "15: data.index: expected a path, found 3; quotes around it make it text",
    "hole: 3": "1: hole: unknown key 'hole'; did you mean 'whole'? allowed: cell, clip, colour, data, even, flag, "
               "limits, mode, name, pair, parts, rate, rates, second, size, stack, weights, whole",
    "second: 3": "9: second: expected keys with values, 'type' among them, found 3",
    "second: gru": "9: second: write {type: gru} instead of 'gru'",
    "second: {hidden_size: 3}": "9: second: missing key 'type': one of lstm, gru, mgu",
    "second: {typ: gru}": "9: second: missing key 'type': one of lstm, gru, mgu; did you mean it by 'typ'?",
    "second: {type: grru, x: 3}": "16: second.type: unknown type 'grru'; did you mean 'gru'? allowed: gru, lstm, mgu",
    "second: {type: 3}": "16: second.type: expected one of lstm, gru, mgu, found 3",
    "second: {type: [gru]}": "16: second.type: expected one of lstm, gru, mgu, found [gru]",
    "second: {type: gru}": "9: second: missing key 'hidden_size' (Units of the state)",
    "second: {type: gru, hiden_size: 3}": "21: second.hiden_size: unknown key 'hiden_size'; did you mean "
                                          "'hidden_size'? allowed: hidden_size, reset, type",
    "second: {type: gru, hidden_size: 3, forget_bias: 1}": "37: second.forget_bias: unknown key 'forget_bias'; "
                                                           "allowed: hidden_size, reset, type",
    "second: {type: lstm, hidden_size: 13}": "9: second: 13 units bring bad luck",
    "stack: [{type: gru, hidden_size: 2}, {type: gru, hidden_size: x}]":
        "63: stack.1.hidden_size: expected a whole number, found 'x'",
    "stack: {type: gru}": "8: stack: expected a list of keys with values, 'type' among them, found {type: gru}",
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_one_mistake(line: str, tmp_path: Path) -> None:
    [block] = mistakes(tmp_path, CELL + line + "\n")
    head, excerpt, caret = block.splitlines()
    column = int(LINES[line].split(":")[0])
    assert head == f"{tmp_path}/x.yaml:2:{LINES[line]}"
    assert excerpt == f"  2 | {line}"
    assert caret == "    | " + " " * (column - 1) + "^"


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
whole: many
cell:
  hiden_size: 128
  type: lstm
stack:
- type: gru
  hidden_size: 2
  reset: befor
- type: rnn
colour: rde
"""
    blocks = mistakes(tmp_path, text, "rate=fast", "nonsense", "clip.norm=0", "whole.a=3")
    assert [block.splitlines()[0].removeprefix(f"{tmp_path}/x.yaml:") for block in blocks] == [
        "1:8: whole: expected a whole number, found 'many'",
        "3:3: cell.hiden_size: unknown key 'hiden_size'; did you mean 'hidden_size'? allowed: forget_bias, "
        "hidden_size, type",
        "8:10: stack.0.reset: unknown value 'befor'; did you mean 'before'? allowed: after, before",
        "9:9: stack.1.type: unknown type 'rnn'; allowed: gru, lstm, mgu",
        "10:9: colour: unknown value 'rde'; did you mean 'red'? allowed: blue, red",
        "--set nonsense: expected key=value, such as training.epochs=3",
        "--set whole.a=3: whole is 'many', so nothing can be set under it",
        "--set rate=fast: expected a number, found 'fast'",
        "--set clip.norm=0: must be greater than 0, found 0",
    ]  # fmt: skip


def test_a_missing_key_points_to_its_mapping(tmp_path: Path) -> None:
    [block] = mistakes(tmp_path, "whole: 3\ncell:\n  # nothing but\n  type: gru\n")
    assert block.splitlines() == [
        f"{tmp_path}/x.yaml:2:1: cell: missing key 'hidden_size' (Units of the state)",
        "  2 | cell:",
        "    | ^",
    ]
    [block] = mistakes(tmp_path, "whole: 3\nflag: true\n")
    assert block.startswith(f"{tmp_path}/x.yaml:1:1: missing key 'cell' (What is computed at each step)\n")


def test_values_are_shown_short(tmp_path: Path) -> None:
    [block] = mistakes(tmp_path, CELL + f"whole: {list(range(1000))}\n")
    assert len(block.splitlines()[0].split("found ")[1]) == 60


def test_numbers_of_python_are_checked_alike() -> None:
    with pytest.raises(ValueError, match="valid integer"):
        LSTM(type="lstm", hidden_size="3")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="valid integer"):
        LSTM(type="lstm", hidden_size=True)
    assert LSTM(type="lstm", hidden_size=3, forget_bias=2).forget_bias == 2.0


def test_whole_numbers_are_numbers_and_lists_are_tuples(tmp_path: Path) -> None:
    read = settings(tmp_path, CELL + "rate: 3\nrates: [1, 2.5]\npair: [1, b]\nclip: {}\nweights: {1: 2, no: 3}\n")
    assert (read.rate, read.rates, read.pair, read.weights) == (3.0, (1.0, 2.5), (1, "b"), {"1": 2.0, "no": 3.0})
