"""What the type of a settings field admits, for messages and help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rnncli.config.writing import inline
from rnncli.registry import Brought, ChosenBy


@dataclass(frozen=True)
class Leaf:
    """One value. `plural` names many of them; `bounds` is " (at least 1)" or the like."""

    words: str
    plural: str
    bounds: str = ""
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """The options of one settings class."""

    model: type[BaseModel]
    words = plural = "keys with values"
    bounds = ""

    @property
    def fields(self) -> dict[str, FieldInfo]:
        """The fields by the keys that a config writes."""
        return {field.alias or name: field for name, field in self.model.model_fields.items()}


@dataclass(frozen=True)
class Choice:
    """The options of a settings class that is chosen by `key`, or brought by the user."""

    key: str
    models: dict[str, type[BaseModel]]
    brought: Brought | None = None
    bounds = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of which one must be given."""
        return (self.key,) if self.brought is None else (self.key, self.brought.key)

    @property
    def words(self) -> str:
        return f"keys with values, {' or '.join(map(repr, self.keys))} among them"

    plural = words


@dataclass(frozen=True)
class Items:
    """A list of one shape, or with a shape for each place."""

    items: tuple[Shape, ...]
    words: str
    bounds: str = ""

    def at(self, place: int) -> Shape:
        return self.items[min(place, len(self.items) - 1)]

    @property
    def plural(self) -> str:
        return self.words.replace("list of", "lists of", 1)


@dataclass(frozen=True)
class Table:
    """Any keys, each with a value of one shape."""

    key: Shape
    value: Shape
    bounds: str = ""

    @property
    def words(self) -> str:
        return f"keys with {self.value.plural}"

    plural = words


@dataclass(frozen=True)
class OneOf:
    """A value of any of several shapes."""

    members: tuple[Shape, ...]
    bounds = ""

    @property
    def words(self) -> str:
        return " or ".join(member.words + member.bounds for member in self.members)

    @property
    def plural(self) -> str:
        return " or ".join(member.plural for member in self.members)


Shape: TypeAlias = Leaf | Section | Choice | Items | Table | OneOf

_LEAVES: dict[Any, tuple[str, str]] = {
    int: ("whole number", "whole numbers"),
    float: ("number", "numbers"),
    bool: ("true or false", "true or false"),
    str: ("text", "texts"),
    Path: ("path", "paths"),
    Any: ("any value", "values"),
}
_BOUNDS = {
    "gt": "greater than {}",
    "ge": "at least {}",
    "lt": "less than {}",
    "le": "at most {}",
    "multiple_of": "a multiple of {}",
    "min_length": "of length {} or more",
    "max_length": "of length {} or less",
}


def shape_of_field(field: FieldInfo) -> Shape:
    """What a field admits besides null."""
    return shape_of(field.annotation, field.metadata)


def shape_of(kind: Any, marks: Iterable[Any] = ()) -> Shape:
    """What a type with its `Annotated` marks admits besides null."""
    marks = list(marks)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return shape_of(arguments[0], [*arguments[1:], *marks])
    for mark in marks:
        if isinstance(mark, ChosenBy):
            return Choice(mark.key, mark.choices(), mark.brought())
    if origin in (Union, UnionType):
        members = [shape_of(argument) for argument in arguments if argument is not NoneType]
        return OneOf(tuple(members)) if len(members) > 1 else shape_of(_only_type(arguments), marks)
    bounds = _bounds(marks)
    if origin is Literal:
        return _one_of(arguments, bounds)
    container = origin or kind
    if isinstance(container, type):
        if issubclass(container, BaseModel):
            return Section(container)
        if issubclass(container, Enum):
            return _one_of([member.value for member in container], bounds)
        if issubclass(container, Mapping):
            key, value = arguments or (str, Any)
            return Table(shape_of(key), shape_of(value), bounds)
        if issubclass(container, tuple) and arguments and arguments[-1] is not ...:
            places = tuple(shape_of(argument) for argument in arguments)
            return Items(places, f"list of {', '.join(place.words + place.bounds for place in places)}", bounds)
        if issubclass(container, Sequence | set | frozenset) and not issubclass(container, str):
            item = shape_of(arguments[0] if arguments else Any)
            return Items((item,), f"list of {item.plural}{item.bounds}", bounds)
    words, plural = _LEAVES.get(kind, (getattr(kind, "__name__", str(kind)),) * 2)
    return Leaf(words, plural, bounds)


def _only_type(arguments: Sequence[Any]) -> Any:
    return next(argument for argument in arguments if argument is not NoneType)


def _one_of(values: Iterable[Any], bounds: str) -> Leaf:
    allowed = tuple(value if isinstance(value, str) else inline(value) for value in values)
    words = f"one of {', '.join(allowed)}" if len(allowed) > 1 else repr(allowed[0])
    return Leaf(words, words, bounds, allowed)


def _bounds(marks: Iterable[Any]) -> str:
    """The limits among the marks, in brackets."""
    flat = [part for mark in marks for part in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]
    limits = [(words, getattr(mark, name, None)) for mark in flat for name, words in _BOUNDS.items()]
    found = [words.format(limit) for words, limit in limits if limit is not None]
    return f" ({', '.join(found)})" if found else ""
