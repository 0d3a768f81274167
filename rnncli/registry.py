"""One way to register a named part, and to let a config choose among the registered ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, GetCoreSchemaHandler
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


class ChosenBy:
    """Annotates a settings field whose class is chosen by one of its own keys.

    `Annotated[CellSettings, ChosenBy("type", lambda: {"lstm": LSTMSettings, ...})]` validates
    `{type: lstm, ...}` with LSTMSettings. The choices are asked for when the schema is built.
    """

    def __init__(self, key: str, choices: Callable[[], dict[str, type[BaseModel]]]) -> None:
        self.key, self.choices = key, choices

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.tagged_union_schema(
            choices={name: handler.generate_schema(model) for name, model in self.choices().items()},
            discriminator=self.key,
            from_attributes=True,
        )
