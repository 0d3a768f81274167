"""What settings admit: for people, as a list of options; for editors, as a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rnncli.config.settings import Settings
from rnncli.config.shapes import Choice, Items, OneOf, Section, Shape, Table, shape_of_field
from rnncli.config.writing import inline

_REQUIRED = "required"


@dataclass(frozen=True)
class Option:
    """One key of a config.

    Attributes:
        key: dotted; `*` stands for the place in a list or any key.
        type: what it admits, in words.
        default: as it would be written, or "required".
        help: one sentence.
        when: the choice it belongs to, such as "model.cell.type: lstm, gru"; empty where it always holds.
    """

    key: str
    type: str
    default: str
    help: str
    when: str = ""


def schema(model: type[Settings]) -> dict[str, Any]:
    """JSON Schema of a config file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}


def options(model: type[Settings]) -> list[Option]:
    """Every option of a config, those of all choices included, in the order of declaration."""
    return list(_of_section(Section(model), "", None))


def _of_section(section: Section, prefix: str, default: BaseModel | None, skip: str = "") -> Iterator[Option]:
    names = {field.alias or name: name for name, field in section.model.model_fields.items()}
    for key, field in section.fields.items():
        if key != skip:
            given = _REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
            yield from _of_field(prefix + key, field, given if default is None else getattr(default, names[key]))


def _of_field(key: str, field: FieldInfo, default: Any) -> Iterator[Option]:
    shape = shape_of_field(field)
    text = _help(field)
    always_there = isinstance(shape, Section | Choice) and default is not None
    if not always_there:
        yield Option(key, shape.words + shape.bounds, default if default is _REQUIRED else inline(default), text)
    yield from _below(shape, key, default, text)


def _help(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _below(shape: Shape, key: str, default: Any, text: str) -> Iterator[Option]:
    """The options inside the value of a key."""
    model = default if isinstance(default, BaseModel) else None
    match shape:
        case Section():
            yield from _of_section(shape, f"{key}.", model)
        case Choice():
            yield from _of_choice(shape, key, model, text)
        case Items():
            for item in shape.items:
                yield from _below(item, f"{key}.*", None, text)
        case Table():
            yield from _below(shape.value, f"{key}.*", None, "")
        case OneOf():
            for member in shape.members:
                yield from _below(member, key, default, text)
        case _:
            pass


def _of_choice(choice: Choice, key: str, default: BaseModel | None, text: str) -> Iterator[Option]:
    """The key that chooses, then the options of each choice; what several have in common stands once."""
    chosen = None if default is None else getattr(default, choice.key)
    tag = f"{key}.{choice.key}"
    text = text or " ".join(f"{name}: {_help(model.model_fields[choice.key])}" for name, model in choice.models.items())
    yield Option(tag, f"one of {', '.join(choice.models)}", _REQUIRED if chosen is None else chosen, text)
    if choice.brought is not None:
        instead = choice.brought.settings.model_fields[choice.brought.key]
        yield Option(f"{key}.{choice.brought.key}", shape_of_field(instead).words, "null", _help(instead))
    owners: dict[Option, list[str]] = {}
    for name, model in choice.models.items():
        given = default if name == chosen else None
        for option in _of_section(Section(model), f"{key}.", given, skip=choice.key):
            owners.setdefault(option, []).append(name)
    for option, names in owners.items():
        whens = [f"{tag}: {', '.join(names)}"] if len(names) < len(choice.models) else []
        yield replace(option, when="; ".join([*whens, *([option.when] if option.when else [])]))
