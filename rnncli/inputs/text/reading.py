"""Texts out of tables, plain lines and folders, one after another, with what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from rnncli.errors import ConfigError
from rnncli.inputs import tables
from rnncli.inputs.files import OnBadRow, lines, place
from rnncli.inputs.folders import class_of, texts_of
from rnncli.inputs.frame import is_frame
from rnncli.inputs.loader import Source
from rnncli.inputs.text.settings import TextSettings

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["csv", "tsv", "jsonl", "parquet", "lines", "files"]


class Example(NamedTuple):
    """One text.

    Attributes:
        answer: what stands in the target column or the class that the file's place says; None where nothing is asked.
        source, line: where it stands.
        own: the columns that a predictions file repeats.
    """

    text: str
    answer: str | None
    source: str
    line: int
    own: Mapping[str, str]


def form_of(path: Path, settings: TextSettings) -> Form:
    """How a file or folder is read: as `data.format` says, or by its name."""
    if settings.format != "auto":
        return settings.format
    return "files" if path.is_dir() else tables.format_of(path) or "lines"


def examples(
    source: Source, form: Form, settings: TextSettings, *, whole: bool, answers: bool, on_bad_row: OnBadRow | None
) -> Iterator[Example]:
    """The texts of a source as they are read.

    Args:
        whole: in the form "files", each file is one text, its class the folder; else each line that is not blank is
            one, its class the file's name.
        answers: the target must be there too; else it is not looked for.

    Raises:
        ConfigError: the settings don't say where the target stands.
        DataError: a file can't be used; or a row, where `on_bad_row` is None.
    """
    if answers:
        _check_target(source, form, settings)
    if is_frame(source):
        return _of_table(source, "csv", settings, answers, on_bad_row)
    if isinstance(source, Sequence):
        return (Example(text, None, "texts", line, {settings.input: text}) for line, text in enumerate(source, 1))
    if form == "files" and isinstance(source, Path):
        return _of_files(source, settings, whole, on_bad_row)
    if form == "lines" or form == "files":
        return _of_lines(source, settings, on_bad_row)
    return _of_table(source, form, settings, answers, on_bad_row)


def _check_target(source: Source, form: Form, settings: TextSettings) -> None:
    target = settings.target
    if form == "files" and target.kind != "class":
        raise ConfigError([f"data.target.kind: folders and files say a class (kind: class), found {target.kind}"])
    if form == "lines":
        raise ConfigError(
            [
                f"data.format: {source} is read as lines, which hold texts without a {target.kind}; name the form of "
                "a table with a target column (csv, tsv, jsonl, parquet), give a folder whose sub-folders or files are "
                "the classes (files), or predict the next token (target: {kind: next})"
            ]
        )
    if form != "files" and target.column is None:
        raise ConfigError(["data.target.column: is missing; name the column of the table that holds the target"])
    if form not in ("csv", "tsv") and settings.columns:
        raise ConfigError([f"data.columns: names the columns of CSV and TSV files without a header, found {form}"])


def _of_table(
    source: Path | BinaryIO | pd.DataFrame,
    form: tables.TableFormat,
    settings: TextSettings,
    answers: bool,
    on_bad_row: OnBadRow | None,
) -> Iterator[Example]:
    name = "the frame" if is_frame(source) else place(source)
    column = settings.target.column
    needed = {settings.input: "data.input"}
    if answers and column is not None:
        needed[column] = "data.target.column"
    rows = tables.rows(
        source,
        form,
        columns=settings.columns,
        without=[] if answers or column is None else [column],
        separator=settings.separator,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    )
    for line, values in tables.complete(rows, needed, name, form, on_bad_row):
        answer = values[column] if answers and column is not None else None
        yield Example(values[settings.input], answer, name, line, values)


def _of_lines(source: Path | BinaryIO, settings: TextSettings, on_bad_row: OnBadRow | None) -> Iterator[Example]:
    name = place(source)
    for line, text in lines(source, settings.encoding, on_bad_row):
        yield Example(text, None, name, line, {settings.input: text})


def _of_files(path: Path, settings: TextSettings, whole: bool, on_bad_row: OnBadRow | None) -> Iterator[Example]:
    for file in texts_of(path, whole):
        answer, numbered = class_of(file, whole), lines(file, settings.encoding, on_bad_row)
        if whole:
            name = str(file.relative_to(path)) if file != path else file.name
            yield Example("\n".join(text for _, text in numbered), answer, str(file), 1, {"file": name})
        else:
            for line, text in numbered:
                if text.strip() or settings.target.kind == "next":
                    yield Example(text, answer, str(file), line, {"file": file.name, settings.input: text})
