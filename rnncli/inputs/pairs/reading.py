"""Pairs out of tables, two files of lines, dictionaries and folders, one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from rnncli.errors import ConfigError, UserError
from rnncli.inputs import tables
from rnncli.inputs.files import OnBadRow, lines, place, suffix
from rnncli.inputs.folders import class_of, texts_of
from rnncli.inputs.frame import is_frame
from rnncli.inputs.loader import Source
from rnncli.inputs.pairs.settings import PairsSettings

if TYPE_CHECKING:
    import pandas as pd

Form = Literal["csv", "tsv", "jsonl", "parquet", "dictionary", "files", "lines"]

_COMMENT = re.compile(r"\s+#.*")
_READING = re.compile(r"(?<=.)\(\d+\)$")


class Example(NamedTuple):
    """One pair as it stands there.

    Attributes:
        source: the cells that are its source.
        target: the same of its target; empty where nothing is asked.
        place, line: where the source stands.
        own: the columns that a predictions file repeats.
        target_place: where the target stands, if elsewhere.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    place: str
    line: int
    own: Mapping[str, str]
    target_place: str | None = None


def form_of(path: Path, settings: PairsSettings) -> Form:
    """How a file or folder is read: as `data.format` says, or by its name."""
    if settings.format != "auto":
        return settings.format
    if path.is_dir():
        return "files"
    return "dictionary" if suffix(path) == ".dict" else tables.format_of(path) or "lines"


def check_pairs(path: Path, form: Form, settings: PairsSettings) -> None:
    """Checks that what is read so holds pairs of this kind.

    Raises:
        ConfigError: it doesn't.
    """
    kind = settings.source.kind
    if form == "lines":
        raise ConfigError(
            [
                f"data.format: {path} is read as lines, which hold no pairs; name the form of a table (csv, tsv, "
                "jsonl, parquet) or dictionary, or give two files, {source: ..., target: ...}"
            ]
        )
    if form == "files" and kind != "class":
        raise ConfigError([f"data.source.kind: folders and files say a class (kind: class), found {kind}"])
    if settings.target.kind == "values" and form in ("files", "dictionary"):
        raise ConfigError([f"data.target.kind: values are columns of a table, and {path} is none"])
    if form == "dictionary" and kind != "text":
        raise ConfigError([f"data.source.kind: the words of a dictionary are texts (kind: text), found {kind}"])
    if form not in ("csv", "tsv") and settings.columns:
        raise ConfigError([f"data.columns: names the columns of CSV and TSV files without a header, found {form}"])


def pairs(
    path: Path, form: Form, settings: PairsSettings, *, whole: bool, on_bad_row: OnBadRow | None
) -> Iterator[Example]:
    """The pairs of a file, or of the files of a folder, as they are read.

    Args:
        whole: in the form "files", each file is one text, its class the folder; else each line that is not blank is
            one, its class the file's name.

    Raises:
        DataError: a file can't be used; or a row, where `on_bad_row` is None.
    """
    if form == "dictionary":
        return _of_dictionary(path, settings, on_bad_row)
    if form == "files":
        return _of_files(path, settings, whole, on_bad_row)
    if form == "lines":
        raise ValueError("lines hold no pairs")
    return _of_table(path, form, settings, True, on_bad_row)


def sources(
    source: Source, form: Form, settings: PairsSettings, *, whole: bool, on_bad_row: OnBadRow
) -> Iterator[Example]:
    """What is to be answered, one after another; targets are not looked for.

    Args:
        whole: as of `pairs`.

    Raises:
        DataError: a file can't be used.
        UserError: plain texts where the source is the numbers of columns.
    """
    if is_frame(source):
        return _of_table(source, "csv", settings, False, on_bad_row)
    plain = isinstance(source, Sequence) or form in ("lines", "files", "dictionary")
    if settings.source.kind == "values" and plain:
        raise UserError("data.source.kind: values is predicted from a table or a frame; plain texts have no columns")
    if isinstance(source, Sequence):
        column = settings.source.column
        return (Example((text,), (), "texts", line, {column: text}) for line, text in enumerate(source, 1))
    if form == "dictionary":
        return _of_dictionary(source, settings, on_bad_row)
    if form == "files" and isinstance(source, Path) and source.is_dir():
        return _of_files(source, settings, whole, on_bad_row)
    if form == "lines" or form == "files":
        return _of_lines(source, settings, on_bad_row)
    return _of_table(source, form, settings, False, on_bad_row)


def _of_table(
    source: Path | BinaryIO | pd.DataFrame,
    form: tables.TableFormat,
    settings: PairsSettings,
    answers: bool,
    on_bad_row: OnBadRow | None,
) -> Iterator[Example]:
    name = "the frame" if is_frame(source) else place(source)
    columns, asked = settings.source.names, settings.target.names
    needed = dict.fromkeys(columns, "data.source.columns" if settings.source.columns else "data.source.column")
    if answers:
        needed |= dict.fromkeys(asked, "data.target.columns" if settings.target.columns else "data.target.column")
    rows = tables.rows(
        source,
        form,
        columns=settings.columns,
        without=[] if answers else asked,
        separator=settings.separator,
        encoding=settings.encoding,
        on_bad_row=on_bad_row,
    )
    for line, values in tables.complete(rows, needed, name, form, on_bad_row):
        cells = tuple(values[column] for column in columns)
        yield Example(cells, tuple(values[column] for column in asked) if answers else (), name, line, values)


def _of_lines(source: Path | BinaryIO, settings: PairsSettings, on_bad_row: OnBadRow | None) -> Iterator[Example]:
    name = place(source)
    for line, text in lines(source, settings.encoding, on_bad_row):
        yield Example((text,), (), name, line, {settings.source.column: text})


def _of_dictionary(source: Path | BinaryIO, settings: PairsSettings, on_bad_row: OnBadRow | None) -> Iterator[Example]:
    name = place(source)
    for line, text in lines(source, settings.encoding, on_bad_row):
        if text.startswith(";;;") or not text.strip():
            continue
        word, _, phones = _COMMENT.sub("", text).strip().partition(" ")
        word = _READING.sub("", word)
        yield Example((word,), (phones,), name, line, {settings.source.column: word})


def _of_files(path: Path, settings: PairsSettings, whole: bool, on_bad_row: OnBadRow | None) -> Iterator[Example]:
    for file in texts_of(path, whole):
        kind, numbered = class_of(file, whole), lines(file, settings.encoding, on_bad_row)
        own = {settings.source.column: kind}
        if whole:
            yield Example((kind,), ("\n".join(text for _, text in numbered),), str(file), 1, own)
        else:
            for line, text in numbered:
                if text.strip():
                    yield Example((kind,), (text,), str(file), line, own)
