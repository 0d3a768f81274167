"""The scalars of the YAML 1.2 core schema on PyYAML's parser, and its complaints in plain words.

PyYAML follows YAML 1.1, where `NO` is a boolean, `1e-3` text and `010` is 8.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

CORE = "tag:yaml.org,2002:"
_PATTERNS = {
    f"{CORE}null": (re.compile(r"(?:null|Null|NULL|~|)\Z"), ["n", "N", "~", ""]),
    f"{CORE}bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    f"{CORE}int": (re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z"), list("-+0123456789")),
    f"{CORE}float": (
        re.compile(
            r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
        ),
        list("-+.0123456789"),
    ),
}
MERGE = f"{CORE}merge"


class Loader(yaml.SafeLoader):
    """PyYAML's parser with the scalars of YAML 1.2; used for its nodes only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own form)


class Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.1 or 1.2 would take for something else."""

    def ignore_aliases(self, data: object) -> bool:
        return True


for _tag, (_pattern, _first) in _PATTERNS.items():
    Loader.add_implicit_resolver(_tag, _pattern, _first)
    Dumper.add_implicit_resolver(_tag, _pattern, _first)
Loader.add_implicit_resolver(MERGE, re.compile(r"<<\Z"), ["<"])

SCALAR_TAGS = (*_PATTERNS, f"{CORE}str", MERGE)


def scalar(node: yaml.ScalarNode, text_type: type[str]) -> bool | int | float | str | None:
    """The value of a scalar; text as `text_type`.

    Raises:
        ValueError: the text does not fit the tag that is written before it.
    """
    kind, text = node.tag.removeprefix(CORE), str(node.value)
    if kind in ("str", "merge"):
        return text_type(text)
    if not _PATTERNS[node.tag][0].match(text):
        raise ValueError(f"{text!r} does not fit the tag !!{kind}")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "float":
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    try:
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    except ValueError as error:  # Python's own limit on the digits of a number
        raise ValueError(f"a whole number of {len(text)} digits is too long") from error


class Place(NamedTuple):
    """Line and column, both from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: yaml.Mark) -> Place:
        return cls(mark.line + 1, mark.column + 1)


class Problem(NamedTuple):
    """A mistake in the text itself."""

    place: Place
    text: str


def problem_of(error: yaml.YAMLError, text: str) -> Problem:
    """One sentence about a text that is not YAML."""
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return Problem(place, f"the character {text[error.position]!r} is not allowed")
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem is None:
        return Problem(Place(1, 1), str(error))
    sentence = next((plain for found, plain in _PLAIN if found in error.problem), error.problem)
    mark = error.problem_mark or error.context_mark
    place = Place.of(mark) if mark else Place(1, 1)
    if error.context and error.context_mark and error.context_mark.line + 1 != place.line:
        inside = re.match(r"while (?:parsing|scanning) an? (.+)", error.context)
        sentence += f" (in the {inside[1]} that begins on line {error.context_mark.line + 1})" if inside else ""
    return Problem(place, sentence)


_PLAIN = [
    ("'\\t' that cannot start", "a tab stands where YAML wants spaces"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("mapping values are not allowed", "a ':' is not allowed here; indent by spaces, quote text that holds ': '"),
    ("could not find expected ':'", "a key needs ': ' and a value"),
    ("but found another document", "only one YAML document is allowed"),
]
