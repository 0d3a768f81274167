"""Options of the captions loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rnncli.config.paths import InputPath
from rnncli.inputs.answer_settings import AnswerSettings
from rnncli.inputs.files import suffix
from rnncli.inputs.settings import SplitSettings, TableSettings
from rnncli.inputs.tables import FORMATS

Side = Annotated[int, Field(ge=1)]


class CaptionSettings(AnswerSettings):
    """The caption, or the numbers, to be written of an image."""

    column: str = "caption"
    """Column of a table that holds the caption."""

    max_length: int | None = Field(None, ge=1)
    """Training captions with more units are left out; the other parts are not cut."""


class CaptionsSettings(TableSettings):
    """Images, or features of images, and captions of each."""

    loader: Literal["captions"]

    images: InputPath
    """Folder or zip of images, read where they lie; or features of images: a .npy of (images, numbers) or (images,
    regions, numbers), or a table of the image column and numbers."""

    names: InputPath | None = None
    """For a .npy: file with the names of its images, one a line."""

    captions: InputPath | None = None
    """File with the captions of all images; data.train, data.valid and data.test then list the images of the parts,
    one a line. Without it they are the files with the captions."""

    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "tokens"] = "auto"
    """Form of the files with captions: auto goes by the file's name; tokens is <image>#<number> TAB <caption> on each
    line, as in Flickr8k."""

    image: str = "image"
    """Column of a table that names the image."""

    target: CaptionSettings = CaptionSettings()

    size: tuple[Side, Side] = (64, 64)
    """Height and width in pixels; images of another size are resized."""

    shuffle_images: bool = False
    """A control: each image's captions are given another image of the same part, drawn by split.seed, which shows what
    a model can say without seeing; what a model gains on it is what the images are worth."""

    split: SplitSettings = SplitSettings()
    """Parts that have no file of their own, drawn by image: all captions of an image, and equal images, fall into the
    same part."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if suffix(self.images) == ".npy" and self.names is None:
            raise ValueError(f"names: is missing; {self.images.name} has no names of its images")
        return self

    @property
    def vectors(self) -> bool:
        """Whether data.images holds features, not pixels."""
        return holds_vectors(self.images)

    def idle(self) -> Iterator[str]:
        tables, target = ("auto", "csv", "tsv"), self.target
        idle = {
            "columns: names the columns of CSV and TSV alone": self.columns and self.format not in tables,
            "separator: is for CSV alone": self.changed("separator") and self.format not in ("auto", "csv"),
            "names: is for a .npy of features": self.names is not None and suffix(self.images) != ".npy",
            "size: features of images have none": self.changed("size") and self.vectors,
            "target.column: is data.image, the column that names the image": target.names == [self.image],
            "target.columns: one is data.image, the column that names the image": self.image in (target.columns or []),
            "format: tokens holds captions, and target.kind is values": self.format == "tokens" and target.numbers,
        }
        yield from (sentence for sentence, applies in idle.items() if applies)
        yield from target.idle()
        drawn = "split.seed" if self.shuffle_images else None
        yield from (told for told in self.idle_split(self.split) if drawn is None or not told.startswith(drawn))


def holds_vectors(path: Path) -> bool:
    """Whether a file is one of features, not of images."""
    return suffix(path) == ".npy" or suffix(path) in FORMATS
