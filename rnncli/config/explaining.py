"""pydantic's errors in the words of a config: keys as the user wrote them, one mistake for each place.

pydantic puts the tag of a choice and a label for each member of a union into the location of an error; walking the
errors along the shape of the settings takes them out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from rnncli.config.document import Mistake
from rnncli.config.shapes import Choice, Items, Leaf, OneOf, Section, Shape, Table, shape_of_field
from rnncli.config.tree import Location
from rnncli.config.writing import shown
from rnncli.errors import nearest, unknown

_LIMITS = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "finite_number": "must be finite",
    "too_short": "needs {min_length} items or more",
    "too_long": "takes {max_length} items or fewer",
    "string_too_short": "needs {min_length} characters or more",
    "string_too_long": "takes {max_length} characters or fewer",
    "string_pattern_mismatch": "must match {pattern}",
}
_WRONG_TYPE = ("_type", "_parsing", "_from_float", "literal_error", "enum")
_EXPLAINED = "explained"
"""The type of an error that is a finished mistake."""
_COUNTED = ("whole number", "number", "path", "list")


class _Error(NamedTuple):
    """An error of pydantic, with what is left of its location."""

    rest: tuple[str | int, ...]
    type: str
    message: str
    found: Any
    context: dict[str, Any]

    @property
    def of_type(self) -> bool:
        """Whether it says that the whole value is of a wrong type."""
        return not self.rest and self.type.endswith(_WRONG_TYPE)


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Mistake]:
    """The mistakes behind a failed validation of a config."""
    errors = [
        _Error(detail["loc"], _kind(detail), detail["msg"], detail["input"], detail.get("ctx", {}))
        for detail in error.errors(include_url=False)
    ]
    return _explain(Section(model), (), errors)


def _kind(detail: ErrorDetails) -> str:
    """pydantic looks for the tag of a choice also in text from an override, a class of its own with attributes."""
    textual = detail["type"] == "union_tag_not_found" and isinstance(detail["input"], str)
    return "model_attributes_type" if textual else detail["type"]


def explained(mistakes: Iterable[Mistake], part: str) -> ValidationError:
    """Mistakes of a part that is validated by itself, as an error that the validation around it passes on."""
    details: list[InitErrorDetails] = []
    for mistake in mistakes:
        error = PydanticCustomError(_EXPLAINED, "{text}", {"text": mistake.text, "on_key": mistake.on_key})
        details.append({"type": error, "loc": mistake.location, "input": None})
    return ValidationError.from_exception_data(part, details)


def _explain(shape: Shape | None, location: Location, errors: Sequence[_Error]) -> Iterator[Mistake]:
    for error in errors:
        if error.type == _EXPLAINED:
            yield Mistake((*location, *error.rest), error.context["text"], error.context["on_key"])
    errors = [error for error in errors if error.type != _EXPLAINED]
    yield from (_here(shape, location, error) for error in errors if not error.rest)
    groups = {
        step: [error._replace(rest=error.rest[1:]) for error in group]
        for step, group in groupby(errors, key=lambda error: error.rest[0] if error.rest else None)
        if step is not None
    }
    if isinstance(shape, OneOf) and groups:
        yield from _of_union(shape, location, list(groups.values()))
        return
    misspelt = [str(step) for step, [first, *_] in groups.items() if first[:2] == ((), "extra_forbidden")]
    for step, below in groups.items():
        here = (*location, step)
        first = below[0]
        match shape:
            case Section() if first.type == "extra_forbidden" and not first.rest:
                yield Mistake(here, unknown("key", str(step), shape.fields), on_key=True)
            case Section() if first.type == "missing" and not first.rest:
                if not any(nearest(key, shape.fields) == step for key in misspelt):
                    yield Mistake(location, _missing(shape, str(step)))
            case Section():
                field = shape.fields.get(str(step))
                yield from _explain(shape_of_field(field) if field else None, here, below)
            case Choice():  # the step is the tag, which is no key
                yield from _explain(Section(shape.models[str(step)]), location, below)
            case Items() if first.type == "missing" and not first.rest:
                yield Mistake(location, f"expected {_counted(shape.words)}, found {shown(first.found)}")
            case Items():
                yield from _explain(shape.at(int(step)), here, below)
            case Table() if first.rest == ("[key]",):
                yield Mistake(here, _here(shape.key, here, first._replace(rest=())).text, on_key=True)
            case Table():
                yield from _explain(shape.value, here, below)
            case _:
                yield from _explain(None, here, below)


def _of_union(shape: OneOf, location: Location, groups: Sequence[Sequence[_Error]]) -> Iterator[Mistake]:
    """The errors of the one member whose type fits, or else one mistake for all members.

    Every member has a group of errors, in the order of the members.
    """
    if len(groups) == len(shape.members):
        fitting = [
            (member, group)
            for member, group in zip(shape.members, groups, strict=True)
            if not any(error.of_type for error in group)
        ]
        if len(fitting) == 1:
            member, group = fitting[0]
            yield from _explain(member, location, group)
            return
    found = next((error.found for group in groups for error in group if not error.rest), None)
    text = f"expected {_counted(shape.words)}, found {shown(found)}"
    allowed = [name for member in shape.members if isinstance(member, Leaf) for name in member.allowed]
    close = nearest(found, allowed) if isinstance(found, str) else None
    yield Mistake(location, text + (f"; did you mean {close!r}?" if close else ""))


def _here(shape: Shape | None, location: Location, error: _Error) -> Mistake:
    """The mistake of an error about the whole value at a location."""
    found = error.found
    if error.type in ("value_error", "assertion_error"):
        return Mistake(location, str(error.context["error"]))
    if error.type in _LIMITS:
        return Mistake(location, f"{_limit(error)}, found {shown(found)}")
    if isinstance(shape, Choice):
        if error.type == "union_tag_not_found":
            close = next((close for key in shape.keys if (close := nearest(key, found))), None)
            hint = f"; did you mean it by {close!r}?" if close else ""
            brought = f", or {shape.brought.key!r}" if shape.brought else ""
            return Mistake(location, f"missing key {shape.key!r}: one of {', '.join(shape.models)}{brought}{hint}")
        if error.type == "union_tag_invalid":
            return Mistake((*location, shape.key), _not_among(shape.key, found[shape.key], tuple(shape.models)))
        if error.of_type and isinstance(found, str) and found in shape.models:
            return Mistake(location, f"write {{{shape.key}: {found}}} instead of {found!r}")
    if isinstance(shape, Leaf) and shape.allowed and error.of_type:
        return Mistake(location, _not_among("value", found, shape.allowed))
    if shape is not None and error.of_type:
        return Mistake(location, f"expected {_counted(shape.words)}, found {shown(found)}{_remedy(error)}")
    return Mistake(location, error.message)


def _not_among(noun: str, found: Any, allowed: tuple[str, ...]) -> str:
    if isinstance(found, str) and found not in allowed and len(allowed) > 1:
        return unknown(noun, found, allowed)
    return f"expected {'one of ' * (len(allowed) > 1)}{', '.join(allowed)}, found {shown(found)}"


def _limit(error: _Error) -> str:
    context = {
        name: int(limit) if isinstance(limit, float) and limit.is_integer() else limit
        for name, limit in error.context.items()
    }
    return _LIMITS[error.type].format_map(context)


def _missing(section: Section, key: str) -> str:
    help_text = section.fields[key].description
    return f"missing key {key!r}" + (f" ({' '.join(help_text.split()).rstrip('.')})" if help_text else "")


def _remedy(error: _Error) -> str:
    number = isinstance(error.found, int | float)
    if number and error.type in ("string_type", "path_type"):
        return "; quotes around it make it text"
    if error.type in ("int_type", "int_from_float") and isinstance(error.found, float) and error.found.is_integer():
        return f"; write {int(error.found)}" if abs(error.found) < 1e15 else ""
    return ""


def _counted(words: str) -> str:
    return f"a {words}" if words.startswith(_COUNTED) else words
