"""Options that all loaders share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from rnncli.config.paths import InputPath, InputPaths
from rnncli.config.settings import Settings


class SplitSettings(Settings):
    """How the parts that have no file of their own are cut from the training file."""

    valid: float = Field(0.1, ge=0, lt=1)
    """Share of the rows held out for validation."""

    test: float = Field(0.1, ge=0, lt=1)
    """Share of the rows held out for the test."""

    seed: int = 1
    """Seed of the draw; rows with equal inputs always fall into the same part."""


Separator = Literal[",", ";", "|"]
"""What may stand between the cells of CSV files."""


class DataSettings(Settings):
    """Data and where they come from."""

    loader: str
    """The kind of data."""

    @model_validator(mode="after")
    def _each_does_something(self) -> Self:
        if told := list(self.idle()):
            raise ValueError("; ".join(told))
        return self

    def idle(self) -> Iterator[str]:
        """A sentence for each option, its key first, that would do nothing or gives the answer away."""
        yield from ()


class FileSettings(DataSettings):
    """Files and how they are read."""

    root: InputPath | None = None
    """Folder that the other paths of this section are relative to."""

    train: InputPaths
    """File, folder or list of files of the training part."""

    valid: InputPaths | None = None
    """The same of the validation part; without it a share of the training part is held out."""

    test: InputPaths | None = None
    """The same of the test part; without it a share of the training part is held out."""

    encoding: str = "utf-8"
    """Encoding of text files."""

    skip_bad_rows: bool = False
    """Leave out rows that can't be read, and say how many, instead of stopping at the first."""

    def idle_split(self, split: Settings) -> Iterator[str]:
        """Of the options of `split`, those that the parts with files of their own leave nothing to do."""
        filed = [part for part in ("valid", "test") if getattr(self, part) is not None]
        for part in filed:
            if split.changed(part):
                yield f"split.{part}: data.{part} has files of its own"
        if len(filed) == 2 and split.changed("seed"):
            yield "split.seed: nothing is drawn where data.valid and data.test have files of their own"


class TableSettings(FileSettings):
    """Files that may be tables."""

    columns: list[str] | None = None
    """Names of the columns of a table that has no header line."""

    separator: Separator = ","
    """What stands between the cells of CSV files."""

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        if self.columns and len(set(self.columns)) < len(self.columns):
            raise ValueError("columns: a name stands twice")
        return self
