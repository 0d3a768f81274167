"""Options of synthetic data: what is refused, and why."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from rnncli.inputs.synthetic.settings import SyntheticSettings, TaskName

OTHER: dict[str, Any] = {
    "length": 37,
    "sizes": {"train": 11},
    "scored": "recalled",
    "symbols": 3,
    "digits": 3,
    "distractors": 0.1,
    "permuted": True,
}
"""An option of some tasks and a value that is not its default."""

OF_TASK: dict[str, set[str]] = {
    "adding": {"length", "sizes"},
    "copy": {"length", "sizes", "scored"},
    "temporal-order": {"length", "sizes", "symbols"},
    "permutation": {"length", "sizes"},
    "memorization": {"length", "sizes"},
    "arithmetic": {"sizes", "digits", "distractors"},
    "xml": {"sizes"},
    "digits": {"permuted"},
}


def settings(**options: Any) -> SyntheticSettings:
    return SyntheticSettings.model_validate({"loader": "synthetic", **options})


def test_every_task_and_option_is_spoken_of_here() -> None:
    assert set(OF_TASK) == set(get_args(TaskName))
    assert set(OTHER) == set(SyntheticSettings.model_fields) - {"loader", "name", "seed"}


@pytest.mark.parametrize("option", OTHER)
@pytest.mark.parametrize("name", OF_TASK)
def test_an_option_of_another_task_is_refused(name: str, option: str) -> None:
    if option in OF_TASK[name]:
        assert getattr(settings(name=name, **{option: OTHER[option]}), option) != getattr(settings(name=name), option)
        return
    with pytest.raises(ValidationError, match=rf"{option}: is for .*; name is {name} "):
        settings(name=name, **{option: OTHER[option]})


@pytest.mark.parametrize("name", OF_TASK)
def test_the_settings_of_a_run_are_accepted_again(name: str) -> None:
    """A run keeps every key, so a default that is written out may not be refused."""
    full = settings(name=name)
    assert settings(**full.model_dump(exclude={"loader"})) == full


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"name": "temporal-order", "length": 9}, "length: temporal-order needs at least 10 steps; found 9"),
        ({"name": "adding", "length": 1}, "length: adding needs at least 2 steps; found 1"),
        ({"name": "copy", "length": 0}, "greater than or equal to 1"),
        ({"name": "arithmetic", "digits": 19}, "less than or equal to 18"),
        ({"name": "arithmetic", "distractors": 1.0}, "less than 1"),
        ({"name": "temporal-order", "symbols": 4}, "2 or 3"),
        ({"name": "xml", "sizes": {"train": 0}}, "greater than or equal to 1"),
        ({"name": "xml", "seed": -1}, "greater than or equal to 0"),
        ({"name": "sorting"}, "'adding', 'copy'"),
        ({"name": "xml", "train": "file.txt"}, "Extra inputs"),
    ],
)
def test_a_bad_value_is_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        settings(**options)


def test_the_usual_length_of_each_task() -> None:
    lengths = {name: settings(name=name).steps for name in OF_TASK if "length" in OF_TASK[name]}
    assert lengths.pop("memorization") == 5
    assert set(lengths.values()) == {100}
    assert settings(name="copy", length=7).steps == 7
