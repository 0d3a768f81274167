"""Options of the pairs loader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rnncli.config.paths import BelowRoot, InputPath
from rnncli.config.settings import Settings
from rnncli.inputs.answer_settings import AnswerSettings, check_columns
from rnncli.inputs.cutting import CutSettings
from rnncli.inputs.settings import SplitSettings, TableSettings


class AlignedFiles(Settings):
    """Two files whose lines with the same number belong together."""

    source: InputPath
    """File with an input on each line."""

    target: InputPath
    """File with what answers it on the same line."""

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.source == self.target:
            raise ValueError("source and target are one file")
        return self


def _listed(value: Path | list[Path] | AlignedFiles) -> list[Path] | AlignedFiles:
    return [value] if isinstance(value, Path) else value


if TYPE_CHECKING:
    PartFiles = list[Path] | AlignedFiles
else:
    PartFiles = Annotated[AlignedFiles | InputPath | list[InputPath], BelowRoot, AfterValidator(_listed)]


class SourceSettings(CutSettings):
    """What a target is made from."""

    kind: Literal["text", "class", "values"] = "text"
    """A text, one class, or the numbers of some columns."""

    column: str = "source"
    """Column of a table that holds the text or class."""

    columns: list[str] | None = Field(None, min_length=1)
    """For values: columns of a table that hold the numbers, which are scaled by the training part."""

    max_length: int | None = Field(None, ge=1)
    """Units after which a text is cut; training pairs with a longer one are left out."""

    @property
    def names(self) -> list[str]:
        """The columns of a table that hold it."""
        return list(self.columns) if self.columns else [self.column]

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        check_columns(self.kind, self.columns, "reads")
        return self

    def idle(self) -> Iterator[str]:
        if self.columns and self.kind != "values":
            yield "source.columns: is for kind: values; source.column names the one that holds a text or class"
        if self.changed("column") and self.kind == "values":
            yield "source.column: kind: values reads source.columns"
        if self.kind != "text":
            for name in (*CutSettings.model_fields, "max_length"):
                if self.changed(name):
                    yield f"source.{name}: is for kind: text"
        else:
            yield from self.cut_idly("source")


class PairsSettings(TableSettings):
    """Texts with a text that answers each, and texts that are written from a class or numbers."""

    loader: Literal["pairs"]

    train: PartFiles  # type: ignore[assignment]  # beside paths, two files by their names
    """Training part: a table, dictionary or folder, a list of them, or two files of lines, {source: ..., target: ...}.
    """

    valid: PartFiles | None = None  # type: ignore[assignment]
    """The same of the validation part; without it a share of the training part is held out."""

    test: PartFiles | None = None  # type: ignore[assignment]
    """The same of the test part; without it a share of the training part is held out."""

    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "dictionary", "files"] = "auto"
    """Form of the files: auto goes by the file's name; dictionary is lines of a word and its pronunciation as in
    CMUdict; files is a folder whose sub-folders or files are classes (source.kind: class) with a text on each line."""

    source: SourceSettings = SourceSettings()

    target: AnswerSettings = AnswerSettings()

    shared_vocabulary: bool = False
    """One vocabulary, and one sentencepiece model, for both sides."""

    several_references: bool = False
    """In the validation and test part rows with the same source are one example, and each of their targets is right."""

    split: SplitSettings = SplitSettings()
    """Parts that have no file of their own; of sources that are classes each class is drawn on its own, and rows with
    equal targets fall into the same part."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        kind, aligned = self.source.kind, [part for part in self.parts if isinstance(part, AlignedFiles)]
        if kind == "values" and (aligned or self.format in ("dictionary", "files")):
            raise ValueError(
                "source.kind: values are columns of a table; two files, dictionaries and folders have none"
            )
        if self.target.kind == "values" and (aligned or self.format in ("dictionary", "files")):
            raise ValueError(
                "target.kind: values are columns of a table; two files, dictionaries and folders have none"
            )
        if self.target.kind == "values" and kind == "text":
            raise ValueError("target.kind: values are written from a class or values (source.kind), found text")
        if self.format == "dictionary" and kind != "text":
            raise ValueError(f"source.kind: the words of a dictionary are texts (kind: text), found {kind}")
        if self.format == "files" and kind != "class":
            raise ValueError(f"source.kind: with format: files the source is a class (kind: class), found {kind}")
        return self

    @property
    def parts(self) -> list[list[Path] | AlignedFiles]:
        """The files of the parts that have any."""
        return [part for part in (self.train, self.valid, self.test) if part is not None]

    def idle(self) -> Iterator[str]:
        source, target, tables = self.source, self.target, ("auto", "csv", "tsv")
        idle = {
            "columns: names the columns of CSV and TSV alone": self.columns and self.format not in tables,
            "separator: is for CSV alone": self.changed("separator") and self.format not in ("auto", "csv"),
            "format: the two files of a part are lines": self.changed("format")
            and all(isinstance(part, AlignedFiles) for part in self.parts),
            "target.column: is the source's column": target.kind == "text" and target.column in source.names,
            "target.columns: have a column of the source": target.kind == "values"
            and not set(target.names).isdisjoint(source.names),
            "several_references: is for targets of kind: text": self.several_references and target.kind == "values",
            "shared_vocabulary: is for sources of kind: text": self.shared_vocabulary and source.kind != "text",
            "several_references: is for sources of kind: text or values; every text of a class is one that is right": (
                self.several_references and source.kind == "class"
            ),
        }
        yield from (sentence for sentence, applies in idle.items() if applies)
        if self.shared_vocabulary and source.kind == "text":
            for name in ("units", "sentencepiece_size", "min_count", "lowercase"):
                if getattr(source, name) != getattr(target, name):
                    yield f"shared_vocabulary: needs the same {name} on both sides"
        yield from source.idle()
        yield from target.idle()
        yield from self.idle_split(self.split)
