"""Options that all loaders share."""

from __future__ import annotations

from pydantic import Field

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


class DataSettings(Settings):
    """Files and how they are read."""

    loader: str
    """The kind of data."""

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
