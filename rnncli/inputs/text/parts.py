"""The texts of one split, and how splits without files of their own are cut from the training part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.errors import DataError
from rnncli.inputs.bad_rows import BadRows
from rnncli.inputs.folders import class_of, holds_folders, of_classes, texts_of
from rnncli.inputs.splits import draw
from rnncli.inputs.text.answers import Answer, parse
from rnncli.inputs.text.reading import Example, examples, form_of
from rnncli.inputs.text.settings import TextSettings


@dataclass
class Part:
    """Texts with what belongs to each, in lists side by side; those that nobody asked for are empty."""

    texts: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    own: list[Mapping[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.texts)

    def __add__(self, other: Part) -> Part:
        return Part(
            self.texts + other.texts, self.answers + other.answers, self.places + other.places, self.own + other.own
        )

    def take(self, rows: Iterable[int]) -> Part:
        """Some of the texts, in the order of `rows`."""
        rows = list(rows)

        def taken(values: list[Any]) -> list[Any]:
            return [values[row] for row in rows] if values else []

        return Part(taken(self.texts), taken(self.answers), taken(self.places), taken(self.own))


def read(paths: Sequence[Path], settings: TextSettings, limit: int | None, bad: BadRows) -> tuple[Part, list[Path]]:
    """The texts and answers of files and folders one after another, and the files they stand in.

    Args:
        limit: texts read; of files that are classes an equal share of each.

    Raises:
        ConfigError: the settings don't say where the target stands.
        DataError: a file can't be used, or there are no texts.
    """
    files: list[Path] = []
    readers: list[tuple[str, Iterator[Example]]] = []
    asked = settings.target.kind != "next"
    for path in paths:
        form, whole = form_of(path, settings), holds_folders(path)
        for file in texts_of(path, whole) if form == "files" else [path]:
            files.append(file)
            kind = class_of(file, whole) if form == "files" and asked else ""
            readers.append((kind, examples(file, form, settings, whole=whole, answers=asked, on_bad_row=bad)))
    part = Part()
    for example in of_classes(readers, limit):
        try:
            if asked:
                part.answers.append(parse(example.answer or "", settings.target))
        except ValueError as error:
            bad(DataError(str(error), example.source, example.line))
            continue
        part.texts.append(example.text)
        part.places.append((example.source, example.line))
    if not part:
        raise bad.none_left(paths[0])
    return part, files


def hold_out(part: Part, settings: TextSettings, shares: Mapping[str, float]) -> dict[str, Part]:
    """The training part without the parts of `shares`, and these.

    Rows are drawn by seed, equal texts into the same part, each class on its own. The stream of a language model is
    cut in time: training, validation and test part follow one another. Characters are cut exactly at the shares of the
    characters; words and pieces at the end of the line in which a share is reached.

    Raises:
        DataError: too few texts for a part to get any.
    """
    if settings.target.kind == "next":
        return _cut(part, settings, shares)
    classes = None
    if settings.target.kind == "class":
        numbers: dict[Answer, int] = {}
        classes = [numbers.setdefault(answer, len(numbers)) for answer in part.answers]
    keys = [_key(text, settings) for text in part.texts]
    drawn = draw(keys, classes, shares, settings.split.seed, settings.train[0])
    return {name: part.take(rows.tolist()) for name, rows in drawn.items()}


def _key(text: str, settings: TextSettings) -> str:
    """Equal for texts that are equal to the model."""
    if settings.lowercase:
        text = text.lower()
    match settings.units:
        case "word":
            return " ".join(text.split()[: settings.max_length])
        case "character":
            return text[: settings.max_length]
        case "sentencepiece":
            return text


def _cut(part: Part, settings: TextSettings, shares: Mapping[str, float]) -> dict[str, Part]:
    texts = list(part.texts)
    starts = np.cumsum([0, *(len(text) + 1 for text in texts)])
    names = ["train", *shares]
    cuts = [len(texts)]
    held_out = 0.0
    for name in reversed(list(shares)):
        held_out += shares[name]
        reached = round(float(starts[-1]) * (1 - held_out))
        line = int(np.searchsorted(starts[1:], reached))
        column = reached - int(starts[line])
        if settings.units == "character" and 0 < column < len(texts[line]):
            texts[line : line + 1] = [texts[line][:column], texts[line][column:]]
            cuts = [at + 1 for at in cuts]
        cuts.insert(0, line + 1)
    parts = {name: Part(texts[start:stop]) for name, start, stop in zip(names, [0, *cuts[:-1]], cuts, strict=True)}
    for name, cut in parts.items():
        if not cut:
            raise DataError(
                f"too few lines to cut a {name} part from: {len(part)}; give more text, or files of their own "
                "(data.valid, data.test)",
                settings.train[0],
            )
    return parts
