"""Options of what is to be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from rnncli.inputs.cutting import TargetSettings


class AnswerSettings(TargetSettings):
    """What is to be written."""

    kind: Literal["text", "values"] = "text"
    """A text, or numbers that are written one after another."""

    columns: list[str] | None = Field(None, min_length=1)
    """For values: columns of a table that hold the numbers, in the order in which they are written; the training part
    gives all of them one scale."""

    @property
    def numbers(self) -> bool:
        """Whether numbers are written."""
        return self.kind == "values"

    @property
    def names(self) -> list[str]:
        """The columns of a table that hold it."""
        return list(self.columns) if self.columns else [self.column]

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        check_columns(self.kind, self.columns, "writes")
        return self

    def idle(self) -> Iterator[str]:
        if self.kind == "text":
            yield from self.cut_idly("target")
            if self.columns:
                yield "target.columns: is for kind: values; target.column names the one that holds a text"
            return
        for name in ("column", "units", "sentencepiece_size", "lowercase", "remove", "min_count", "max_length"):
            if self.changed(name):
                yield f"target.{name}: is for kind: text"


def check_columns(kind: str, columns: list[str] | None, does: str) -> None:
    """Raises a ValueError where the columns of numbers are missing, or one stands twice."""
    if kind == "values" and columns is None:
        raise ValueError(f"columns: is missing; kind: values {does} the numbers of these columns")
    if columns and len(set(columns)) < len(columns):
        raise ValueError("columns: a name stands twice")
