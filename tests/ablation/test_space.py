"""Where a search draws from, as it is written."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rnncli.ablation.space import Choice, Interval, distribution, middle, whole

WRITTEN: dict[str, Any] = {
    "uniform 0 1": Interval(0, 1, log=False),
    "uniform -2.5 1e3": Interval(-2.5, 1000, log=False),
    "log-uniform 20 200": Interval(20, 200, log=True),
    "  log-uniform   6e-5  0.6 ": Interval(6e-5, 0.6, log=True),
    "1 - log-uniform 0.01 1": Interval(0.01, 1, log=True, from_one=True),
    "1 - uniform 0 0.5": Interval(0, 0.5, log=False, from_one=True),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_what_is_written(text: str) -> None:
    assert distribution(text) == WRITTEN[text]


def test_a_list_is_a_choice_of_anything() -> None:
    values: list[Any] = [1, True, None, "a", {"type": "uniform", "scale": 0.3}, [1, 2]]
    assert distribution(values) == Choice(tuple(values))


FORMS = "expected uniform 0 1, log-uniform 20 200, 1 - log-uniform 0.01 1, or a list of values; found "
WRONG: dict[str, str] = {
    "uniform 1 0": "expected two numbers, the first the smaller; found 'uniform 1 0'",
    "uniform 1 1": "expected two numbers, the first the smaller; found 'uniform 1 1'",
    "log-uniform 0 1": "expected two numbers, the first the smaller and above 0; found 'log-uniform 0 1'",
    "log-uniform -1 1": "expected two numbers, the first the smaller and above 0; found 'log-uniform -1 1'",
    "loguniform 1 2": FORMS + "'loguniform 1 2'",
    "uniform 1": FORMS + "'uniform 1'",
    "uniform 1 2 3": FORMS + "'uniform 1 2 3'",
    "2 - uniform 0 1": FORMS + "'2 - uniform 0 1'",
    "": FORMS + "''",
    "uniform a b": "expected two numbers, as in uniform 20 200; found 'uniform a b'",
    "uniform nan 1": "expected two finite numbers; found 'uniform nan 1'",
    "uniform 0 inf": "expected two finite numbers; found 'uniform 0 inf'",
    "uniform -1e308 1e308": "expected two finite numbers; found 'uniform -1e308 1e308'",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_written_wrongly(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        distribution(text)
    assert str(caught.value) == WRONG[text]


def test_an_empty_list() -> None:
    with pytest.raises(ValueError, match="the list of values is empty"):
        distribution([])


def test_whole_numbers() -> None:
    found = whole(distribution("log-uniform 20 200"))  # type: ignore[arg-type]
    assert found == Interval(20, 200, log=True, whole=True)
    assert [type(found.value(drawn)) for drawn in (20, 37)] == [int, int]
    for text in ("uniform 0.5 3", "uniform 1 3.5", "1 - uniform 1 3"):
        with pytest.raises(ValueError, match="a whole number is wanted, so that both ends must be whole numbers"):
            whole(distribution(text))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["uniform 0 16", "uniform -3 5", "log-uniform 20 200", "1 - uniform 0 4", "uniform 0 1"]
)
def test_the_middle_is_inside_and_whole_only_where_only_whole_numbers_are_drawn(text: str) -> None:
    space = {"a": distribution(text), "b": distribution(["x", "y"])}
    found, interval = middle(space)["a"], space["a"]
    assert isinstance(interval, Interval)
    assert interval.low < (1 - found if interval.from_one else found) < interval.high
    assert found % 1 and math.isfinite(found)
    assert middle(space)["b"] == "x"
    if not interval.from_one:
        assert isinstance(middle({"a": whole(interval)})["a"], int)
