"""Options of the text loader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from rnncli.config.paths import InputPath
from rnncli.config.settings import Settings
from rnncli.inputs.settings import SplitSettings, TableSettings


class TextTarget(Settings):
    """What a text is to be mapped to."""

    kind: Literal["class", "labels", "value", "next"]
    """One class, a set of labels, a number, or the next token (language modelling)."""

    column: str | None = None
    """Column that holds it; folders and files that are classes need none."""

    separator: str = " "
    """What stands between the labels of a set."""


class TextSettings(TableSettings):
    """Texts from tables, lines or folders."""

    loader: Literal["text"]

    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "lines", "files"] = "auto"
    """Form of the files: auto goes by the file's name; lines is one text a line; files is a folder whose sub-folders
    or files are the classes."""

    input: str = "text"
    """Column that holds the text."""

    target: TextTarget

    units: Literal["word", "character", "sentencepiece"] = "word"
    """What a text is cut into: words at white space, characters, or pieces of a sentencepiece model."""

    sentencepiece_size: int = Field(8000, ge=8)
    """Pieces of the sentencepiece model that is trained on the training part."""

    lowercase: bool = False
    """Lower-case every text."""

    min_count: int = Field(1, ge=1)
    """Units seen less often in the training part count as unknown."""

    max_length: int | None = Field(None, ge=1)
    """Units after which a text is cut."""

    vectors: InputPath | None = None
    """Pretrained vectors in the text format of GloVe or word2vec."""

    split: SplitSettings = SplitSettings()
    """Parts that have no file of their own; for a language model they follow one another, validation and test at the
    end of the text."""

    def idle(self) -> Iterator[str]:
        tables, following = ("auto", "csv", "tsv"), self.target.kind == "next"
        idle = {
            "columns: names the columns of CSV and TSV alone": self.columns and self.format not in tables,
            "separator: is for CSV alone": self.changed("separator") and self.format not in ("auto", "csv"),
            "sentencepiece_size: is for units: sentencepiece": self.changed("sentencepiece_size")
            and self.units != "sentencepiece",
            "max_length: a language model reads its text as one stream and cuts nothing": self.max_length and following,
            "target.column: with kind: next the text itself is the target": self.target.column and following,
            "target.separator: is for kind: labels": self.target.changed("separator") and self.target.kind != "labels",
            "target.column: is data.input, the column that is read": self.target.column == self.input,
        }
        yield from (sentence for sentence, applies in idle.items() if applies)
        yield from self.idle_split(self.split)
