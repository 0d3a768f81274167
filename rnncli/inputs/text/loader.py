"""Texts with a class, labels or a value each, and texts whose next token is to be predicted."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from rnncli.errors import ConfigError, DataError, RunError, UserError
from rnncli.inputs import vectors
from rnncli.inputs.bad_rows import BadRows
from rnncli.inputs.batches import Dataset, Ragged, Sequences
from rnncli.inputs.encoding import Encoded, Encoder, Tally, unknown_shares
from rnncli.inputs.features import UNKNOWN, Tokens
from rnncli.inputs.folders import holds_folders, left_out
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Memory, Piece, Source, SplitName
from rnncli.inputs.stream import Stream
from rnncli.inputs.tables import BLOCK
from rnncli.inputs.targets import SPACE, Target, TaskMode
from rnncli.inputs.text import answers
from rnncli.inputs.text.parts import Part, hold_out, read
from rnncli.inputs.text.reading import Form, examples, form_of
from rnncli.inputs.text.settings import TextSettings

END_OF_TEXT = "<eos>"
"""What ends each text of a language model of words or pieces."""


@LOADERS.register("text")
class TextLoader(Loader[TextSettings]):
    """Tables, lines and folders of texts.

    Its one feature is "tokens". A split is a Sequences with the target of each text or, where the next token is the
    target, a Stream: the texts one after another, each with its end, one more such end in front as the context of the
    first token, so that every token of the text is predicted. The names of that target are the entries of the
    vocabulary, so that output and embedding can share weights; the first, padding, is never true.

    To predict, a text is a sequence by itself, and standard input has the form of the training part (lines where that
    was a folder). Of a file without header the target column may be absent.
    """

    def __init__(self, settings: TextSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        self._following = settings.target.kind == "next"
        if self._following != (task == "many-to-many"):
            raise ConfigError(
                [
                    f"data.target.kind: {settings.target.kind} does not go with task: {task}; of texts, many-to-many "
                    "predicts the next token (kind: next), many-to-one and one-to-one a class, labels or a value; a "
                    "class for each token is read by loader: tagging"
                ]
            )
        self._center, self._scale = 0.0, 1.0
        self._form: Form = "lines"
        self._whole = False
        self._encoder: Encoder
        self._end: Sequence[str] = ()
        if self._following:
            self._end = ["\n"] if settings.units == "character" else [END_OF_TEXT]

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        settings, bad = self.settings, BadRows(self.settings.skip_bad_rows)
        self._form, self._whole = form_of(settings.train[0], settings), holds_folders(settings.train[0])
        parts = self._parts(limit, bad)
        if refit and "valid" in parts:
            parts["train"] += parts.pop("valid")
        self._encoder = Encoder.fit(settings, parts["train"].texts, self._end)
        train, encoded = self._some_usable(parts.pop("train"), bad)
        if self._following:
            counts = np.bincount(encoded.ids, minlength=self._encoder.vocabulary.size)
            self.target = Target("token", self._encoder.vocabulary.entries, tuple(counts.tolist()), per_step=True)
        else:
            self.target = answers.fit(train.answers, settings.target, settings.train[0])
            if self.target.kind == "value":
                values = np.array(train.answers, np.float64)
                self._center, self._scale = float(values.mean()), float(values.std()) or 1.0
        self._set_features(None if settings.vectors is None else self._read_vectors(settings.vectors))
        datasets: dict[SplitName, Dataset] = {"train": self._dataset(train, encoded)}
        tallies = {"train": Tally(encoded)}
        for name in ("valid", "test"):
            if name not in parts:
                continue
            part, encoded = self._some_usable(parts[name], bad, self.target)
            datasets[name], tallies[name] = self._dataset(part, encoded), Tally(encoded)
        self.notes += [*self._told(tallies), *bad.notes()]
        return datasets

    def state(self) -> dict[str, Any]:
        return self._encoder.to_json() | {
            "target": self.target.to_json(),
            "center": self._center,
            "scale": self._scale,
            "form": self._form,
            "whole_files": self._whole,
            "vectors_width": self._vectors_width,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            self._encoder = Encoder.from_json(self.settings, state, self._end)
            self.target = Target.from_json(state["target"])
            self._center, self._scale = float(state["center"]), float(state["scale"])
            self._form, self._whole = state["form"], bool(state["whole_files"])
            width = state["vectors_width"]
            # The vectors themselves are among the weights; the model is built by their width.
            shape = (self._encoder.vocabulary.size, width)
            self._set_features(None if width is None else np.full(shape, np.nan, np.float32))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"the saved state of the text loader is damaged ({error!r})") from None

    def labelled(self, path: Path) -> Dataset:
        bad = BadRows(self.settings.skip_bad_rows)
        part, encoded = self._some_usable(self._read([path], None, bad), bad, self.target)
        self.notes += [*self._told({"": Tally(encoded)}), *bad.notes()]
        return self._dataset(part, encoded)

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        form = form_of(source, self.settings) if isinstance(source, Path) else self._form
        if isinstance(source, Path) and form == "lines" and self._whole:
            form = "files"
        found = examples(source, form, self.settings, whole=self._whole, answers=False, on_bad_row=on_bad_row)
        tally = Tally()
        while rows := list(islice(found, BLOCK)):
            part = Part(
                [row.text for row in rows], [], [(row.source, row.line) for row in rows], [row.own for row in rows]
            )
            part, encoded = self._usable(part, on_bad_row)
            tally.add(encoded)
            if part:
                yield Chunk(self._rows(part, encoded), part.own)
        self.notes += self._told({"": tally})

    @property
    def carries(self) -> bool:
        return self._following

    def stream(
        self, source: BinaryIO, memory: Memory, on_bad_row: Callable[[DataError], None]
    ) -> Generator[Piece, None, None]:
        """Texts, each by itself; those of a language model go on from one another, as in a Stream."""
        if self._form == "parquet":
            raise UserError("--stream: Parquet is read from its end; predict without it, or give CSV (data.format)")
        return self._pieces(source, on_bad_row)

    def _pieces(self, source: BinaryIO, on_bad_row: Callable[[DataError], None]) -> Generator[Piece, None, None]:
        tally = Tally()
        try:
            form, whole = self._form, self._whole
            for row in examples(source, form, self.settings, whole=whole, answers=False, on_bad_row=on_bad_row):
                part, encoded = self._usable(Part([row.text], [], [(row.source, row.line)], [row.own]), on_bad_row)
                if not part:
                    continue
                tally.add(encoded)
                yield Piece(self._rows(part, encoded), part.own, "" if self._following else None)
        finally:
            self.notes += self._told({"": tally})

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Of a language model one row a text: its tokens with the end of the text, the sum of their nll in nats, and
        exp of its mean."""
        if not self._following:
            yield from ({**own, **prediction} for own, prediction in zip(chunk.rows, predictions, strict=True))
            return
        steps, texts = iter(predictions), chunk.dataset
        lengths = texts.lengths if isinstance(texts, Sequences) else ()
        for own, length in zip(chunk.rows, map(int, lengths), strict=True):
            nll = math.fsum(step["nll"] for step in islice(steps, length))
            yield {**own, "tokens": length, "nll": nll, "perplexity": float(np.exp(nll / length))}

    def prompt(self, text: str) -> np.ndarray:
        """The ids that a language model reads before it goes on: the end of what was before, and the text.

        Units that training has not met are read as unknown where it has met others that were, and else left out; a note
        says so.
        """
        ids = self._encoder.encode([text]).ids[:-1]
        units = self._encoder.units(text)[: len(ids)]
        strange = list(dict.fromkeys(unit for unit, known in zip(units, ids != UNKNOWN, strict=True) if not known))
        if strange:
            met = self.target.counts[UNKNOWN] > 0
            what = "read as unknown" if met else "left out"
            self.notes.append(f"not in the training text, {what}: {', '.join(map(repr, strange))}")
            ids = ids if met else ids[ids != UNKNOWN]
        return np.concatenate([[self._encoder.end], ids])

    def spoken(self, token: int) -> str:
        """What one token of a language model adds to a text."""
        entry = self.target.names[token]
        match self.settings.units:
            case "word":
                return "\n" if entry == END_OF_TEXT else entry + " "
            case "character":
                return entry
            case "sentencepiece":
                return "\n" if entry == END_OF_TEXT else entry.replace(SPACE, " ")

    def _parts(self, limit: int | None, bad: BadRows) -> dict[SplitName, Part]:
        settings = self.settings
        filed = {"valid": settings.valid, "test": settings.test}
        parts: dict[Any, Part] = {"train": self._read(settings.train, limit, bad)}
        shares = {"valid": settings.split.valid, "test": settings.split.test}
        shares = {name: share for name, share in shares.items() if share and not filed[name]}
        if shares:
            parts = hold_out(parts["train"], settings, shares)
        for name, paths in filed.items():
            if paths:
                parts[name] = self._read(paths, limit, bad)
        return parts

    def _read(self, paths: Sequence[Path], limit: int | None, bad: BadRows) -> Part:
        part, files = read(paths, self.settings, limit, bad)
        self.files += files
        for path in paths:
            if form_of(path, self.settings) == "files" and path.is_dir():
                others = left_out(path, holds_folders(path))
                self.notes += [f"left out of {path.name}: {', '.join(others)}"] if others else []
        return part

    def _read_vectors(self, path: Path) -> np.ndarray:
        vocabulary = self._encoder.vocabulary
        table = vectors.read(path, vocabulary.ids, vocabulary.size)
        found = np.count_nonzero(~np.isnan(table[:, 0]))
        self.files.append(path)
        self.notes.append(f"pretrained vectors: {found} of {vocabulary.size - 2} units of the vocabulary have one")
        return table

    def _set_features(self, pretrained: np.ndarray | None) -> None:
        self._vectors_width = None if pretrained is None else pretrained.shape[1]
        self.features = {"tokens": Tokens(self._encoder.vocabulary.size, pretrained)}

    def _told(self, tallies: Mapping[str, Tally]) -> list[str]:
        """Sentences about the parts by their names (a part alone needs none)."""
        told = [unknown_shares(tallies, self.settings.units)]
        if self.settings.max_length is not None:
            cut = (f"{part} {tally.cut} of {tally.texts}".strip() for part, tally in tallies.items())
            told.append(f"texts cut at max_length {self.settings.max_length}: {', '.join(cut)}")
        return told

    def _some_usable(self, part: Part, bad: BadRows, target: Target | None = None) -> tuple[Part, Encoded]:
        kept, encoded = self._usable(part, bad, target)
        if not kept:
            raise bad.none_left(part.places[0][0])
        return kept, encoded

    def _usable(
        self, part: Part, on_bad_row: Callable[[DataError], None], target: Target | None = None
    ) -> tuple[Part, Encoded]:
        """The rows of a part that can be encoded; with a target, whose answers the training part has too."""
        encoded = self._encoder.encode(part.texts)
        wrong = dict.fromkeys(np.flatnonzero(encoded.lengths == 0).tolist(), "the text is empty")
        if self.task == "one-to-one":
            for row in np.flatnonzero(encoded.lengths > 1).tolist():
                wrong[row] = (
                    f"the text has {encoded.lengths[row]} units (data.units: {self.settings.units}) where task: "
                    "one-to-one reads one; task: many-to-one reads several"
                )
        if target is not None and part.answers:
            known = set(target.names)
            for row, answer in enumerate(part.answers):
                if (sentence := answers.unknown(answer, target, known)) is not None:
                    wrong.setdefault(row, sentence)
        if not wrong:
            return part, encoded
        for row in sorted(wrong):
            on_bad_row(DataError(wrong[row], *part.places[row]))
        part = part.take(row for row in range(len(part)) if row not in wrong)
        return part, self._encoder.encode(part.texts)

    def _dataset(self, part: Part, encoded: Encoded) -> Dataset:
        if self._following:
            return Stream(np.concatenate([[self._encoder.end], encoded.ids]))
        return self._rows(part, encoded)

    def _rows(self, part: Part, encoded: Encoded) -> Sequences:
        tokens = Ragged(torch.from_numpy(encoded.ids), encoded.offsets)
        if self._following:
            # Every text ends with the end, so moving all by one puts the end in front of each.
            moved = np.concatenate([[self._encoder.end], encoded.ids[:-1]])
            return Sequences({"tokens": Ragged(torch.from_numpy(moved), encoded.offsets)}, tokens)
        if not part.answers:
            return Sequences({"tokens": tokens}, None)
        targets = answers.encode(part.answers, self.target, self._center, self._scale)
        if self.target.kind == "value":
            return answers.ScaledSequences({"tokens": tokens}, targets, self._center, self._scale)
        return Sequences({"tokens": tokens}, targets)
