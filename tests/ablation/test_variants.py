"""The variants of each form: exact names and changes."""

from __future__ import annotations

from typing import Any

import pytest

from rnncli.ablation.settings import AblationSettings, ClaimSettings, flat, merged
from rnncli.ablation.variants import baseline_of, order_of, variants

COMMON: dict[str, Any] = {"base": "base.yaml", "metric": "test.mse"}
LSTM, GRU = {"type": "lstm", "hidden_size": 3}, {"type": "gru", "hidden_size": 4}

FORMS: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "one axis": (
        {"vary": {"model.layers": [1, 2]}},
        {"1": {"model.layers": 1}, "2": {"model.layers": 2}},
    ),
    "axis of odd values": (
        {"vary": {"a": [None, True, 0.1, "1", [1, 2], {"type": "x"}, {"type": "y", "z": 1}]}},
        {
            "null": {"a": None},
            "true": {"a": True},
            "0.1": {"a": 0.1},
            "1": {"a": "1"},
            "[1, 2]": {"a": [1, 2]},
            "x": {"a": {"type": "x"}},
            "y {z: 1}": {"a": {"type": "y", "z": 1}},
        },
    ),
    "several axes": (
        {"vary": {"model.cell.type": ["lstm", "gru"], "model.layers": [1, 2]}},
        {
            "lstm, layers=1": {"model.cell.type": "lstm", "model.layers": 1},
            "lstm, layers=2": {"model.cell.type": "lstm", "model.layers": 2},
            "gru, layers=1": {"model.cell.type": "gru", "model.layers": 1},
            "gru, layers=2": {"model.cell.type": "gru", "model.layers": 2},
        },
    ),
    "axes that end alike": (
        {"vary": {"model.dropout.input": [0.1], "data.crop.input": [1, 2]}},
        {
            "dropout.input=0.1, crop.input=1": {"model.dropout.input": 0.1, "data.crop.input": 1},
            "dropout.input=0.1, crop.input=2": {"model.dropout.input": 0.1, "data.crop.input": 2},
        },
    ),
    "named": (
        {"variants": {"plain": {}, "wide": {"model": {"cell": LSTM, "layers": 2}}}},
        {"plain": {}, "wide": {"model.cell": LSTM, "model.layers": 2}},
    ),
    "named and varied": (
        {"variants": {"A": {"model.cell": LSTM}, "B": {"model.cell": GRU}}, "vary": {"model.layers": [1, 3]}},
        {
            "A, 1": {"model.cell": LSTM, "model.layers": 1},
            "A, 3": {"model.cell": LSTM, "model.layers": 3},
            "B, 1": {"model.cell": GRU, "model.layers": 1},
            "B, 3": {"model.cell": GRU, "model.layers": 3},
        },
    ),
    "one at a time": (
        {
            "vary": {"model.layers": [1, 2, 3], "model.cell": [LSTM, GRU]},
            "one_at_a_time": True,
            "baseline": {"model": {"layers": 2, "cell": LSTM, "skip": True}},
        },
        {
            "baseline": {"model.layers": 2, "model.cell": LSTM, "model.skip": True},
            "layers=1": {"model.layers": 1, "model.cell": LSTM, "model.skip": True},
            "layers=3": {"model.layers": 3, "model.cell": LSTM, "model.skip": True},
            "cell=gru {hidden_size: 4}": {"model.layers": 2, "model.cell": GRU, "model.skip": True},
        },
    ),
}


def settings(**given: Any) -> AblationSettings:
    return AblationSettings(**{**COMMON, **given})


@pytest.mark.parametrize("form", FORMS)
def test_the_variants_of_each_form(form: str) -> None:
    given, expected = FORMS[form]
    found = variants(settings(**given))
    assert found == expected
    assert list(found) == list(expected)


def test_what_is_said_last_is_put_last() -> None:
    assert list(merged({"a.b": 1, "c": 2}, {"a": {"type": "x"}}, {"a.b": 3}).items()) == [
        ("c", 2),
        ("a", {"type": "x"}),
        ("a.b", 3),
    ]
    assert list(flat({"a": {"b": 1}, "c": 2, "a.b": 3}).items()) == [("c", 2), ("a.b", 3)]
    assert flat({"a": {"loader": "x", "y": {"z": 1}}, "b": {}, "c": {"d": {"e": None}}}) == {
        "a": {"loader": "x", "y": {"z": 1}},
        "b": {},
        "c.d.e": None,
    }


BASELINES: dict[str, tuple[Any, str]] = {
    "the first": (None, "lstm, layers=1"),
    "by name": ("gru, layers=2", "gru, layers=2"),
    "by changes": ({"model.cell.type": "gru", "model.layers": 1}, "gru, layers=1"),
    "by nested changes": ({"model": {"cell": {"type": "gru"}, "layers": 1}}, "gru, layers=1"),
}


@pytest.mark.parametrize("kind", BASELINES)
def test_the_baseline(kind: str) -> None:
    given, expected = BASELINES[kind]
    asked = settings(vary={"model.cell.type": ["lstm", "gru"], "model.layers": [1, 2]}, baseline=given)
    assert baseline_of(asked, variants(asked)) == expected


NO_BASELINE: dict[str, tuple[Any, str]] = {
    "unknown": ("lstm, layer=1", "unknown variant 'lstm, layer=1'; did you mean 'lstm, layers=1'? allowed: "),
    "matching two": (
        {"model.cell.type": "gru"},
        "2 variants have {model.cell.type: gru}; the variants are lstm, layers=1, lstm, layers=2, gru",
    ),
    "matching all": ({}, "4 variants have {}"),
    "matching none": ({"model.layers": [1]}, "no variant has {model.layers: [1]}"),
}


@pytest.mark.parametrize("kind", NO_BASELINE)
def test_no_baseline(kind: str) -> None:
    given, message = NO_BASELINE[kind]
    asked = settings(vary={"model.cell.type": ["lstm", "gru"], "model.layers": [1, 2]}, baseline=given)
    with pytest.raises(ValueError) as caught:
        baseline_of(asked, variants(asked))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "given",
    [
        {"vary": {"a": ["x", "x"]}},
        {"vary": {"a": ["1", 1]}},
        {"variants": {"A, 1": {}, "A": {}}, "vary": {"a": ["1", 1]}},
    ],
)
def test_two_of_the_same_name(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="two variants would be called"):
        variants(settings(**given))


NAMES = {name: {} for name in ("A", "B", "C", "B, C", "lstm, layers=1")}
ORDERS: dict[str, list[list[str]]] = {
    "A < B": [["A"], ["B"]],
    "A, C < B": [["A", "C"], ["B"]],
    "A < B, C": [["A"], ["B, C"]],  # a name with a comma goes first
    "lstm, layers=1, A < B": [["lstm, layers=1", "A"], ["B"]],
    "C < A < B": [["C"], ["A"], ["B"]],
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_claimed_order(order: str) -> None:
    assert order_of(ClaimSettings(order=order), NAMES) == ORDERS[order]


WRONG_ORDERS = {
    "A < D": ["unknown variant 'D'; allowed: "],
    "A": ["'A' has no < between two variants"],
    "": ["unknown variant ''; ", "'' has no <"],
    "A < ": ["unknown variant ''; "],
    "A < B < A": ["'A < B < A' names 'A' twice"],
    "A, A < B": ["'A, A < B' names 'A' twice"],
    "D < E": ["unknown variant 'D'; ", "unknown variant 'E'; "],
}


@pytest.mark.parametrize("order", WRONG_ORDERS)
def test_an_order_that_is_none(order: str) -> None:
    with pytest.raises(ValueError) as caught:
        order_of(ClaimSettings(order=order), NAMES)
    assert all(part in str(caught.value) for part in WRONG_ORDERS[order])
    assert str(caught.value).startswith(WRONG_ORDERS[order][0])
