"""One way to register a named part, and to let a config choose among the registered ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import core_schema

from rnncli.errors import UserError, unknown

Part = TypeVar("Part")


class Registry(Generic[Part]):
    """The parts of one noun ("cell", "loader", "head") by their names, in the order of registration."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._parts: dict[str, Part] = {}

    def register(self, name: str) -> Callable[[Part], Part]:
        """Decorator that registers a class or function under `name`."""

        def keep(part: Part) -> Part:
            if name in self._parts:
                raise ValueError(f"{self.noun} {name!r} is registered twice")
            self._parts[name] = part
            return part

        return keep

    def __getitem__(self, name: str) -> Part:
        """The part of that name.

        Raises:
            UserError: no such part; the nearest name is given.
        """
        if name not in self._parts:
            raise UserError(unknown(self.noun, name, self._parts))
        return self._parts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def items(self) -> Iterator[tuple[str, Part]]:
        yield from self._parts.items()


@dataclass(frozen=True)
class Brought:
    """A choice that no registry has, because the user brings it.

    Attributes:
        key: of the config, given instead of the one that names a registered part.
        settings: the options that all that is brought have; its own class is a subclass.
        validate: makes settings of a mapping that has the key.
    """

    key: str
    settings: type[BaseModel]
    validate: Callable[[Mapping[str, Any], ValidationInfo], BaseModel]


class ChosenBy:
    """Annotates a settings field whose class is chosen by one of its own keys.

    `Annotated[CellSettings, ChosenBy("type", lambda: {"lstm": LSTMSettings, ...})]` validates
    `{type: lstm, ...}` with LSTMSettings. The choices are asked for when the schema is built.

    Args:
        brought: what may stand there instead of a registered part.
    """

    def __init__(
        self,
        key: str,
        choices: Callable[[], dict[str, type[BaseModel]]],
        brought: Callable[[], Brought | None] = lambda: None,
    ) -> None:
        self.key, self.choices, self.brought = key, choices, brought

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        named = core_schema.tagged_union_schema(
            choices={name: handler.generate_schema(model) for name, model in self.choices().items()},
            discriminator=self.key,
            from_attributes=True,
        )
        brought = self.brought()
        if brought is None:
            return named

        def validate(value: Any, choose: core_schema.ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
            if isinstance(value, brought.settings):
                return value
            if isinstance(value, Mapping) and brought.key in value:
                return brought.validate(value, info)
            return choose(value)

        # Written by the class that it has: the union knows the registered ones alone.
        written = core_schema.wrap_serializer_function_ser_schema(
            lambda value, write: write(value), schema=core_schema.any_schema()
        )
        return core_schema.with_info_wrap_validator_function(validate, named, serialization=written)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        named, brought = handler(schema), self.brought()
        if brought is None:
            return named
        named.pop("discriminator")  # what is brought has no such key
        return named | {"oneOf": [*named["oneOf"], handler(brought.settings.__pydantic_core_schema__)]}
