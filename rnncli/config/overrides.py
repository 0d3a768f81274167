"""`a.b.0=c`: one value put on top of a config."""

from __future__ import annotations

import yaml

from rnncli.config.paths import FromCommand
from rnncli.config.tree import Location, Tree, Value
from rnncli.config.writing import shown
from rnncli.config.yaml12 import problem_of


def override(config: Value, command: str) -> Location:
    """Puts the value of `a.b=c` into `config` and returns the location of all that is now new.

    The value is YAML; keys that are missing on the way are made; a number is the place in a list.

    Raises:
        ValueError: the command is malformed, or there is no such place.
    """
    key, equals, text = command.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise ValueError("expected key=value, such as training.epochs=3")
    return _put(config, (), steps, _value(text))


def _put(parent: Value, location: Location, steps: list[str], value: Value) -> Location:
    step, *rest = steps
    if isinstance(parent, dict):
        here: Location = (*location, step)
        if rest and parent.get(step) is not None:
            return _put(parent[step], here, rest, value)
        for name in reversed(rest):
            value = {name: value}
        parent[step] = value
        return here
    where = ".".join(str(part) for part in location)
    if not isinstance(parent, list):
        raise ValueError(f"{where} is {shown(parent)}, so nothing can be set under it")
    if not step.isdecimal() or int(step) >= len(parent):
        held = f"items 0 to {len(parent) - 1}" if parent else "no items"
        raise ValueError(f"{where} is a list with {held}, so there is no {step!r}")
    here = (*location, int(step))
    if rest:
        return _put(parent[int(step)], here, rest, value)
    parent[int(step)] = value
    return here


def _value(text: str) -> Value:
    try:
        tree = Tree(text, FromCommand)
    except yaml.YAMLError as error:
        raise ValueError(problem_of(error, text).text) from error
    except RecursionError as error:
        raise ValueError("the value is nested too deeply") from error
    if tree.problems:
        raise ValueError(tree.problems[0].text)
    return FromCommand(text.strip()) if tree.empty and text.strip() else tree.value  # '#' is text here, no comment
