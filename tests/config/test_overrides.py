"""`--set a.b=c`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .reading import CELL, mistakes, settings

GIVEN: dict[str, tuple[str, Any]] = {
    "number": ("whole=7", lambda s: s.whole == 7),
    "float": ("rate=1e-3", lambda s: s.rate == 0.001),
    "text": ("name=NO", lambda s: s.name == "NO"),
    "quoted": ("name='12'", lambda s: s.name == "12"),
    "equals": ("name=a=b", lambda s: s.name == "a=b"),
    "comment sign": ("data.separator=#", lambda s: s.data.separator == "#"),
    "spaces": (" name = a b ", lambda s: s.name == "a b"),
    "list": ("rates=[1, 2.5]", lambda s: s.rates == (1.0, 2.5)),
    "mapping": ("weights={a: 1}", lambda s: s.weights == {"a": 1.0}),
    "new key": ("weights.b=1", lambda s: s.weights == {"b": 1.0}),
    "new mapping": ("limits.norm=3", lambda s: s.limits.norm == 3.0),
    "whole choice": ("second={type: gru, hidden_size: 3}", lambda s: s.second.hidden_size == 3),
    "null": ("size=", lambda s: s.size is None),
    "item": ("stack.1.hidden_size=8", lambda s: [c.hidden_size for c in s.stack] == [5, 8]),
    "whole item": ("stack.0={type: lstm, hidden_size: 4}", lambda s: [c.type for c in s.stack] == ["lstm", "mgu"]),
}


@pytest.mark.parametrize("kind", GIVEN)
def test_overrides(kind: str, tmp_path: Path) -> None:
    override, holds = GIVEN[kind]
    text = CELL + "whole: 3\nlimits:\nstack:\n- {type: gru, hidden_size: 5}\n- {type: mgu, hidden_size: 6}\n"
    if kind == "null":
        assert mistakes(tmp_path, text, override)[0].endswith("found null")
        assert settings(tmp_path, text + "second: {type: gru}\n", "second=").second is None
    else:
        assert holds(settings(tmp_path, text, override))


def test_the_file_wins_over_defaults_and_the_last_override_over_all(tmp_path: Path) -> None:
    assert settings(tmp_path, CELL).whole == 3
    assert settings(tmp_path, CELL + "whole: 4\n").whole == 4
    assert settings(tmp_path, CELL + "whole: 4\n", "whole=5").whole == 5
    assert settings(tmp_path, CELL + "whole: 4\n", "whole=5", "whole=6").whole == 6
    assert settings(tmp_path, CELL + "limits: {norm: 2.0}\n", "limits.norm=3", "limits={default: 7}").limits.norm == 1.0


WRONG = {
    "whole": "expected key=value, such as training.epochs=3",
    "=3": "expected key=value, such as training.epochs=3",
    "a..b=3": "expected key=value, such as training.epochs=3",
    "whole.a=3": "whole is 4, so nothing can be set under it",
    "rates.2=1": "rates is a list with items 0 to 1, so there is no '2'",
    "rates.-1=1": "rates is a list with items 0 to 1, so there is no '-1'",
    "rates.x=1": "rates is a list with items 0 to 1, so there is no 'x'",
    "stack.0=1": "stack is a list with no items, so there is no '0'",
    "rates=[1, 2": "expected ',' or ']', but got '<stream end>'",
    "name=!!python/none x": "the tag !!python/none is not allowed; a config holds plain values only",
    "weights={a: 1, a: 2}": "the key 'a' is given twice, first on line 1",
    "whole=many": "expected a whole number, found 'many'",
    "rates.1=x": "expected a number, found 'x'",
    "rates=[1, x]": "rates.1: expected a number, found 'x'",
    "cell.hidden_size=0": "must be greater than 0, found 0",
    "cell.type=lst": "unknown type 'lst'; did you mean 'lstm'? allowed: gru, lstm, mgu",
    "second.type=gru": "second: missing key 'hidden_size' (Units of the state)",
    "second=gru": "write {type: gru} instead of 'gru'",
    "second=grru": "expected keys with values, 'type' among them, found 'grru'",
    "limits.nrom=3": "unknown key 'nrom'; did you mean 'norm'? allowed: default, norm",
    "even=3": "3 is not even",
    "data.index=''": "'' is not a path",
}


@pytest.mark.parametrize("override", WRONG)
def test_mistakes_in_overrides_name_them(override: str, tmp_path: Path) -> None:
    text = CELL + "whole: 4\nrates: [1, 2]\nstack: []\n"
    assert mistakes(tmp_path, text, override) == [f"--set {override}: {WRONG[override]}"]


def test_the_file_is_blamed_for_what_an_override_did_not_give(tmp_path: Path) -> None:
    text = "cell: {type: lstm, hidden_size: 2, forget_bias: 1}\n"
    [block] = mistakes(tmp_path, text, "cell.type=gru")
    assert block.startswith(f"{tmp_path}/x.yaml:1:36: cell.forget_bias: unknown key 'forget_bias'")
