"""`a.b.0=c`: one value put on top of a config, given on the command line or in another file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from rnncli.config.paths import FromCommand, FromFolder
from rnncli.config.tree import Location, Tree, Value
from rnncli.config.writing import shown
from rnncli.config.yaml12 import problem_of


@dataclass(frozen=True)
class Change:
    """A value for a dotted key, given in another file than the config.

    Attributes:
        origin: how messages name it.
        folder: what paths in it are relative to.
    """

    key: str
    value: Value
    origin: str
    folder: Path

    def __str__(self) -> str:
        return self.origin


def change(config: Value, wanted: Change) -> Location:
    """Puts the value of a change into `config`, as `override` does.

    Raises:
        ValueError: the key is malformed, or there is no such place.
    """
    steps = wanted.key.split(".")
    if not all(steps):
        raise ValueError("expected a key such as training.epochs")
    return _put(config, (), steps, _in_folder(wanted.value, wanted.folder))


def _in_folder(value: Value, folder: Path) -> Value:
    match value:
        case FromCommand():
            return value
        case str():
            return FromFolder(value, folder)
        case list():
            return [_in_folder(each, folder) for each in value]
        case dict():
            return {key: _in_folder(each, folder) for key, each in value.items()}
    return value


def override(config: Value, command: str) -> Location:
    """Puts the value of `a.b=c` into `config` and returns the location of all that is now new.

    The value is YAML; keys that are missing on the way are made; a number is the place in a list.

    Raises:
        ValueError: the command is malformed, or there is no such place.
    """
    key, value = parsed(command)
    return _put(config, (), key.split("."), value)


def parsed(command: str) -> tuple[str, Value]:
    """The key and the value of `a.b=c`.

    Raises:
        ValueError: it is malformed.
    """
    key, equals, text = command.partition("=")
    key = key.strip()
    if not equals or not all(key.split(".")):
        raise ValueError("expected key=value, such as training.epochs=3")
    return key, _value(text)


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
