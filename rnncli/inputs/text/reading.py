"""Texts out of tables, plain lines and folders, one after another, with what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from rnncli.errors import ConfigError, DataError
from rnncli.inputs import tables
from rnncli.inputs.files import COMPRESSED, OnBadRow, check_exists, lines, place, suffix
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


def holds_folders(path: Path) -> bool:
    """Whether the classes of a folder are its sub-folders, each file of theirs one text."""
    return path.is_dir() and any(
        _is_text(inner) for entry in path.iterdir() if _is_folder(entry) for inner in entry.iterdir()
    )


def texts_of(path: Path, whole: bool) -> list[Path]:
    """The files of texts that a path stands for: itself, or the .txt files of a folder, or of its sub-folders where
    there are any and each file is one text.

    Raises:
        DataError: there are none.
    """
    check_exists(path)
    if path.is_file():
        return [path]
    folders = [entry for entry in path.iterdir() if _is_folder(entry)] if whole and holds_folders(path) else [path]
    entries = [entry for folder in folders for entry in folder.iterdir()]
    found = sorted(entry for entry in entries if _is_text(entry))
    if not found:
        raise DataError("has no .txt files", path)
    return found


def class_of(file: Path, whole: bool) -> str:
    """The class that a file's place says: its folder, or its own name."""
    if whole:
        return file.parent.name
    return (file.with_suffix("") if file.suffix.lower() in COMPRESSED else file).stem


def left_out(folder: Path, whole: bool) -> list[str]:
    """The names of the visible files of a folder of classes that hold no texts."""
    visible = [entry for entry in folder.iterdir() if entry.is_file() and entry.name[0] != "."]
    return sorted(entry.name for entry in visible if whole or not _is_text(entry))


def _is_text(path: Path) -> bool:
    return path.is_file() and suffix(path) == ".txt" and path.name[0] != "."


def _is_folder(path: Path) -> bool:
    return path.is_dir() and path.name[0] != "."


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
    for line, values in ((row.line, row.values) for row in rows):
        missing = next((key for key in needed if key not in values), None)
        if missing is not None:
            try:
                # In JSON lines each row has its own columns; in other tables it is the table that lacks one.
                tables.require(values, [missing], f"{name}:{line}" if form == "jsonl" else name, needed[missing])
            except DataError as bad:
                if on_bad_row is None or form != "jsonl":
                    raise
                on_bad_row(bad)
            continue
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
