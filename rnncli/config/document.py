"""One config: the file's values with the overrides on top, and where each of them was written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from rnncli.config.overrides import Change, change, override
from rnncli.config.tree import Location, Tree, Value
from rnncli.config.writing import shown
from rnncli.config.yaml12 import Place, Problem, problem_of
from rnncli.errors import ConfigError, nearest

_WIDEST_EXCERPT = 100


@dataclass(frozen=True)
class Mistake:
    """What is wrong with the value at a location, or with its key."""

    location: Location
    text: str
    on_key: bool = False


class Document:
    """A config file with overrides on top: `a.b=c` of the command line, or changes that another file asks for.

    Attributes:
        value: the plain data; text from an override is `FromCommand`.

    Raises:
        ConfigError: the file can't be read or is not YAML with a mapping at the top.
    """

    def __init__(self, path: Path, overrides: Sequence[str | Change] = ()) -> None:
        self.path = path
        text = _text(path)
        self._lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)
        try:
            tree = Tree(text)
        except yaml.YAMLError as error:
            raise ConfigError([self._block(problem_of(error, text))]) from error
        except RecursionError as error:
            raise ConfigError([f"{path}: the text is nested too deeply"]) from error
        if tree.empty:
            raise ConfigError([f"{path}: the file is empty"])
        if not isinstance(tree.value, dict):
            found = "a list" if isinstance(tree.value, list) else shown(tree.value)
            place = tree.values[()]
            raise ConfigError([self._block(Problem(place, f"expected keys with values, found {found}"))])
        self.value: dict[str, Value] = tree.value
        self._keys, self._values, self._problems = tree.keys, tree.values, tree.problems
        self._overrides: dict[Location, str | Change] = {}
        self._bad_overrides: list[str] = []
        for wanted in overrides:
            try:
                self._override(wanted)
            except ValueError as error:
                self._bad_overrides.append(f"{_named(wanted)}: {error}")

    def report(self, mistakes: Sequence[Mistake]) -> list[str]:
        """Every mistake as a block of text: those of the file in its order, then those of the overrides."""
        in_file = {problem.place: [problem.text] for problem in self._problems}
        in_overrides = list(self._bad_overrides)
        spoilt = set(in_file)
        for mistake in mistakes:
            source = self._source(mistake)
            dotted = ".".join(str(step) for step in mistake.location)
            if isinstance(source, Place):
                if source not in spoilt:
                    in_file.setdefault(source, []).append(f"{dotted}: {mistake.text}" if dotted else mistake.text)
            elif _key(source) == dotted:
                in_overrides.append(f"{_named(source)}: {mistake.text}")
            else:
                in_overrides.append(f"{_named(source)}: {dotted}: {mistake.text}")
        return [
            self._block(Problem(place, text)) for place in sorted(in_file) for text in in_file[place]
        ] + in_overrides

    def _source(self, mistake: Mistake) -> Place | str | Change:
        """The place in the file, or the override, that the nearest written part of the location comes from."""
        for length in range(len(mistake.location), -1, -1):
            location = mistake.location[:length]
            if location in self._overrides:
                return self._overrides[location]
            value = self._values.get(location)
            if value is not None:
                exact = length == len(mistake.location) and not mistake.on_key
                return value if exact else self._keys.get(location, value)
        return Place(1, 1)

    def _block(self, problem: Problem) -> str:
        line, column = problem.place
        head = f"{self.path}:{line}:{column}: {problem.text}"
        written = self._lines[line - 1].replace("\t", " ") if line <= len(self._lines) else ""
        if not written.strip():
            return head
        start = max(0, column - 1 - _WIDEST_EXCERPT // 2) if len(written) > _WIDEST_EXCERPT else 0
        excerpt = written[start : start + _WIDEST_EXCERPT].rstrip()
        return f"{head}\n  {line} | {excerpt}\n  {' ' * len(str(line))} | {' ' * (column - 1 - start)}^"

    def _override(self, wanted: str | Change) -> None:
        location = change(self.value, wanted) if isinstance(wanted, Change) else override(self.value, wanted)
        for places in (self._keys, self._values):
            for below in [known for known in places if known[: len(location)] == location]:
                del places[below]
        self._overrides = {
            known: other for known, other in self._overrides.items() if known[: len(location)] != location
        } | {location: wanted}


def _key(wanted: str | Change) -> str:
    return wanted.key if isinstance(wanted, Change) else wanted.split("=")[0].strip()


def _named(wanted: str | Change) -> str:
    """An override as a message names it."""
    return str(wanted) if isinstance(wanted, Change) else f"--set {wanted}"


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        names = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, names)
        hint = f"; did you mean {str(path.with_name(close))!r}?" if close else ""
        raise ConfigError([f"{path}: no such file{hint}"]) from error
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror}"]) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            [f"{path}:{line}: the file is not UTF-8: found the byte 0x{content[error.start]:02x}"]
        ) from error
