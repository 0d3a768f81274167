"""The base of every settings class: one place for how options behave."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema


def _keep_numbers_apart(schema: Any) -> None:
    """Make every number and boolean inside a core schema strict.

    `strict=True` for the whole model would also refuse a list for a tuple and text for a path.
    """
    if isinstance(schema, dict):
        kind = schema.get("type")
        if kind in ("int", "float", "bool"):
            schema["strict"] = True
        for key, part in schema.items():
            if not (isinstance(kind, str) and key in ("default", "metadata")):  # values, not schemas
                _keep_numbers_apart(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            _keep_numbers_apart(part)


class Settings(BaseModel):
    """Options of one part.

    A field's docstring is its help text; unknown keys are refused; values don't change. Numbers and booleans are
    taken as they are: the text "12" is no number, true is no 1, and 3.0 is no whole number (3 is a number, though).
    Validators report a mistake with ValueError.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _keep_numbers_apart(handler.resolve_ref_schema(schema))
        return schema

    def changed(self, name: str) -> bool:
        """Whether a field has another value than its default.

        Validators ask this, not `model_fields_set`: the config of a run is filled in and gives every key.
        """
        return bool(getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True))
