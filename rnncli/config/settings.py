"""The base of every settings class: one place for how options behave."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Options of one part. A field's docstring is its help text; unknown keys are refused; values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
