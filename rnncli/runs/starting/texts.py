"""Texts: which column holds them, what they are to be mapped to, and how they are cut into units."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

from rnncli.errors import UserError
from rnncli.inputs.files import lines
from rnncli.inputs.folders import class_of, holds_folders, texts_of
from rnncli.inputs.tables import format_of
from rnncli.runs.starting.answers import answer_of
from rnncli.runs.starting.columns import Column
from rnncli.runs.starting.draft import Draft, Line, training
from rnncli.runs.starting.head import LOOKED_AT, look
from rnncli.runs.starting.language_model import language_model
from rnncli.runs.starting.siblings import Parts
from rnncli.runs.starting.table import Table, look_at_table

_LONGEST = 200


def draft_text(parts: Parts, task: str | None) -> Draft:
    """A config for texts.

    Raises:
        UserError: the file can't serve the task.
    """
    path = parts.train
    if path.is_dir():
        return _of_files(path, parts, task)
    if format_of(path) is None:
        return _of_lines(path, parts, task)
    table = look_at_table(path)
    text = text_column(table, task)
    if task == "many-to-many":
        named = {} if table.header else {text.name: "text"}
        draft = language_model(table.seen, text.filled, table.count, parts)
        said = Line("input", named.get(text.name, text.name), _longest(table, text))
        draft.data = [*table.lines(_renamed(table, named)), said, *draft.data]
        return draft
    answer = answer_of(table, text)
    named = {} if table.header else {text.name: "text", answer.column.name: _called(answer.kind)}
    target = {"column": named.get(answer.column.name, answer.column.name), "kind": answer.kind, **answer.more}
    draft = _classifier(table.seen, text.filled, table.count, parts, task, answer.kind)
    draft.data = [
        *table.lines(_renamed(table, named)),
        Line("input", named.get(text.name, text.name), _longest(table, text)),
        Line("target", target, answer.because),
        *draft.data,
    ]
    return draft


def text_column(table: Table, task: str | None) -> Column:
    """The column with the longest texts; of single words where each is to be read by itself.

    Raises:
        UserError: there is none.
    """
    texts = [column for column in table.columns if column.filled and not column.numeric and not column.times]
    if task == "one-to-one":
        texts = [column for column in texts if max(len(cell.split()) for cell in column.filled) == 1]
        if not texts:
            raise UserError(
                f"{table.path}: no column holds single words (its columns: {table.listed}), and task one-to-one reads "
                "one word; --task many-to-one reads texts"
            )
    if not texts:
        raise UserError(
            f"{table.path}: no column holds texts (its columns: {table.listed}); --loader time-series reads numbers"
        )
    return max(texts, key=lambda column: (column.words, len(column.counts)))


def _called(kind: str) -> str:
    return {"class": "label", "labels": "labels", "value": "value"}[kind]


def _renamed(table: Table, named: dict[str, str]) -> list[str]:
    return [named.get(column.name, column.name) for column in table.columns]


def _longest(table: Table, text: Column) -> str:
    if len(table.columns) == 1:
        return f"{text.words:.0f} words on average" if text.words >= 1.5 else "the only column"
    if text.words < 1.5:
        return f"{len(table.columns)} columns; this one has the most different words"
    return f"{len(table.columns)} columns; this one has the longest texts, {text.words:.0f} words on average"


def _of_lines(path: Path, parts: Parts, task: str | None) -> Draft:
    head = look(path)
    if task in ("many-to-one", "one-to-one"):
        raise UserError(
            f"{path}: lines of text with nothing beside them to predict, which task {task} needs: a table with a "
            "column of classes (.csv, .tsv, .jsonl) would do, or a folder with a file or a folder for each class; "
            "--task many-to-many predicts the next word of the text"
        )
    draft = language_model(head.seen("lines"), head.filled, head.count, parts)
    if head.encoding != "utf-8":
        draft.data.insert(0, Line("encoding", head.encoding, "bytes that are not UTF-8; a guess"))
    return draft


def _of_files(path: Path, parts: Parts, task: str | None) -> Draft:
    if task == "many-to-many":
        raise UserError(
            f"{path}: a folder gives each text a class, which task many-to-one predicts; a language model "
            "(many-to-many) reads a file of text"
        )
    whole = holds_folders(path)
    files = texts_of(path, whole)
    classes = Counter(class_of(file, whole) for file in files)
    if len(classes) < 2:
        raise UserError(
            f"{path}: holds one class only, {next(iter(classes))!r}; a folder for each class, or a file for each with "
            "one text a line, would do"
        )
    if whole:
        chosen = files[:: max(1, len(files) // 200)]
        texts, count = [" ".join(look(file).lines) for file in chosen], len(files)
        seen = f"{len(chosen):,} of {count:,} files"
    else:
        each = max(1, LOOKED_AT // len(files))
        texts = [text for file in files for _, text in islice(lines(file), each) if text.strip()]
        count = sum(look(file).count for file in files)
        seen = f"the first {each:,} lines of each of {len(files):,} files"
    if task == "one-to-one" and max(len(text.split()) for text in texts) > 1:
        raise UserError(f"{path}: its texts have several words, and task one-to-one reads one; take many-to-one")
    draft = _classifier(seen, texts, count, parts, task, "class")
    shown = ", ".join(sorted(classes)[:4]) + (", ..." if len(classes) > 4 else "")
    noun = "folders, each of their files one text" if whole else "files, one text a line"
    target = Line("target", {"kind": "class"}, f"{len(classes)} classes: {shown}")
    draft.data = [Line("format", "files", f"the classes are {noun}"), target, *draft.data]
    return draft


def _classifier(seen: str, texts: list[str], rows: int, parts: Parts, task: str | None, kind: str) -> Draft:
    noun = {"class": "class", "labels": "set of labels", "value": "number"}[kind]
    draft = Draft(Line("task", task or "many-to-one", f"a {noun} for each text"), seen)
    small = rows < 2000
    lengths = sorted(len(text.split()) for text in texts)
    mean = sum(lengths) / len(lengths)
    if mean < 2 and task != "one-to-one":
        draft.data.append(Line("units", "character", f"{mean:.1f} words a text: the spelling must tell"))
    else:
        draft.data += _words(texts, lengths, small)
    draft.split = parts.drawn(rows)
    draft.model = [Line("cell", {"type": "lstm", "hidden_size": 64 if small else 128}, f"about {rows:,} texts")]
    if task != "one-to-one":
        draft.model.append(Line("bidirectional", True, "the whole text is there when it is read"))
        if mean > 5:
            draft.model.append(Line("pooling", "max", "of each feature what speaks loudest, anywhere in the text"))
    draft.model.append(Line("embedding_size", 64 if small else 100))
    draft.model.append(
        Line("dropout", {"embedding": 0.5 if small else 0.3}, "against overfitting; more of it for fewer texts")
    )
    draft.training = training(
        epochs=30 if small else 10 if rows < 50_000 else 5,
        patience=5 if small else 3,
        batch_size=16 if small else 32 if rows < 20_000 else 64,
        learning_rate=0.002,
    )
    return draft


def _words(texts: list[str], lengths: list[int], small: bool) -> list[Line]:
    said = []
    if any(text != text.lower() for text in texts):
        said.append(Line("lowercase", True, "fewer words to learn; capitals seldom matter here"))
    if not small:
        said.append(Line("min_count", 2, "words seen once teach what an unknown word is like"))
    longest, usual = lengths[-1], lengths[int(0.95 * (len(lengths) - 1))]
    if longest > _LONGEST and longest > 1.5 * usual:
        said.append(Line("max_length", max(usual, _LONGEST), f"95% have up to {usual} words, the longest {longest}"))
    return said
