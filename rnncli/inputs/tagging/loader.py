"""The loader of tagged sentences."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from rnncli.errors import DataError, RunError, UserError
from rnncli.inputs import vectors
from rnncli.inputs.batches import Dataset, Ragged, Sequences
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Memory, Piece, Source, SplitName
from rnncli.inputs.splits import draw
from rnncli.inputs.tagging.columns import Columns, is_conllu
from rnncli.inputs.tagging.corpus import Gathering, Part, Table
from rnncli.inputs.tagging.gold import read_gold
from rnncli.inputs.tagging.lexicon import Described, Lexicon
from rnncli.inputs.tagging.reader import tokens
from rnncli.inputs.tagging.schemes import from_bio, sound_bio, to_bio
from rnncli.inputs.tagging.settings import TaggingSettings
from rnncli.inputs.tagging.untagged import Untagged, read_untagged, untagged
from rnncli.inputs.targets import Target, TaskMode
from rnncli.inputs.vocabulary import Vocabulary

SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")
CHUNK = 1000
"""Sentences that are predicted together."""


@dataclass(frozen=True)
class Numbered:
    """A sentence to be tagged and its number from 1 in its source."""

    number: int
    sentence: Untagged


@LOADERS.register("tagging")
class TaggingLoader(Loader[TaggingSettings]):
    """Sentences in columns, a tag for each token: parts of speech, chunks, names.

    The task one-to-one takes each token by itself, as a baseline without context.

    A tag that only the validation or test part has becomes one of the target's names, with a count of 0: no example
    teaches it, and each of its tokens counts as wrong.
    """

    def __init__(self, settings: TaggingSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        if task == "many-to-one":
            raise UserError(
                "task: many-to-one gives one answer for a whole sentence, but the loader tagging has a tag for each "
                "token; allowed: many-to-many, or one-to-one for each token by itself"
            )
        columns = self._columns_of(settings.train[0])
        for name in ("separator", "comment"):
            if columns.conllu and settings.changed(name):
                raise UserError(f"data.{name}: CoNLL-U says itself what stands between columns and before comments")

    def _columns_of(self, source: Path | None) -> Columns:
        """The columns of a file, or of a stream in the format of the training part."""
        conllu = None if source is None else is_conllu(self.settings, source)
        if conllu is None:
            conllu = is_conllu(self.settings, self.settings.train[0]) or False
        return Columns.of(self.settings, conllu)

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        settings = self.settings
        tokens, tags = Table(), Table()
        parts: dict[SplitName, Part] = {}
        for name, paths in zip(SPLITS, (settings.train, settings.valid, settings.test), strict=True):
            if paths is not None:
                parts[name] = self._read(name, paths, tokens, tags, limit=limit)
        self._hold_out(parts)
        if refit and "valid" in parts:
            parts["train"] = parts["train"].joined(parts.pop("valid"))
        self._fit(parts, tokens.texts, tags.texts)
        described = self._lexicon.describe(tokens.texts)
        ids_by_name = Table(self.target.names).positions
        ids = np.array([ids_by_name[tag] for tag in tags.texts])
        for name, part in parts.items():
            if name != "train":
                self._note_unknown(name, described.unknown(part), len(part.tokens))
        return {name: self._dataset(replace(part, tags=ids[part.tags]), described) for name, part in parts.items()}

    def _read(
        self,
        name: str,
        paths: Sequence[Path],
        tokens: Table,
        tags: Table,
        *,
        known: Collection[str] | None = None,
        limit: int | None = None,
    ) -> Part:
        self.files += paths
        gold = read_gold(paths, self.settings, self._columns_of, tokens, tags, known=known, limit=limit)
        self.notes += gold.notes(name, self.settings.scheme)
        return gold.part

    def _hold_out(self, parts: dict[SplitName, Part]) -> None:
        """Draws the parts without a file of their own from the training part; equal sentences fall into one part."""
        split = self.settings.split
        shares = {name: share for name, share in (("valid", split.valid), ("test", split.test)) if name not in parts}
        if not any(shares.values()):
            return
        whole = parts["train"]
        drawn = draw(whole.keys(), None, shares, split.seed, self.settings.train[0])
        for name in SPLITS:
            if name in drawn and len(drawn[name]):
                parts[name] = whole.chosen(drawn[name])

    def _fit(self, parts: Mapping[SplitName, Part], tokens: Sequence[str], tags: Sequence[str]) -> None:
        train = parts["train"]
        self._lexicon = Lexicon.fit(self.settings, tokens, np.bincount(train.tokens, minlength=len(tokens)))
        self.target = self._fit_target(parts, tags)
        pretrained = None if self.settings.vectors is None else self._read_vectors(self.settings.vectors)
        self._vector_width = None if pretrained is None else pretrained.shape[1]
        self.features = self._lexicon.features(pretrained)

    def _fit_target(self, parts: Mapping[SplitName, Part], tags: Sequence[str]) -> Target:
        counts = {name: np.bincount(part.tags, minlength=len(tags)).tolist() for name, part in parts.items()}
        known = counts["train"]
        if sum(map(bool, known)) == 1:
            raise DataError(
                f"every token of the training part has the tag {tags[int(np.argmax(known))]!r}, so there is nothing to "
                "learn (data.tag_column)",
                self.settings.train[0],
            )
        for name, there in counts.items():
            unseen = [
                f"{tag} ({count:,})" for tag, count, seen in zip(tags, there, known, strict=True) if count > seen == 0
            ]
            if unseen:
                self.notes.append(
                    f"{name}: tags that the training part does not have can't be learnt, and count as wrong: "
                    f"{', '.join(unseen)}"
                )
        by_count = sorted(zip(tags, known, strict=True), key=lambda tag: (-tag[1], tag[0]))
        names, training_counts = tuple(tag for tag, _ in by_count), tuple(count for _, count in by_count)
        if self.task == "one-to-one":
            return Target("class", names, training_counts)
        scheme = None if self.settings.scheme == "none" else self.settings.train_scheme
        return Target("tag", names, training_counts, per_step=True, scheme=scheme)

    def _read_vectors(self, path: Path) -> np.ndarray:
        self.files.append(path)
        words = self._lexicon.words
        found = vectors.read(path, words.ids, words.size)
        known = int((~np.isnan(found[:, 0])).sum())
        self.notes.append(f"{known:,} of the {words.size:,} words of the vocabulary have a pretrained vector")
        return found

    def _note_unknown(self, name: str, unknown: int, tokens: int) -> None:
        self.notes.append(f"unknown words: {name} {100 * unknown / tokens:.1f} % of {tokens:,} tokens")

    def _dataset(self, part: Part, described: Described) -> Sequences:
        single = self.task == "one-to-one"
        offsets = np.arange(len(part.tokens) + 1) if single else part.offsets
        targets: Ragged | torch.Tensor | None = None
        if len(part.tags):
            ids = torch.from_numpy(part.tags)
            targets = ids if single else Ragged(ids, offsets)
        spelled = None if described.spellings is None else "characters"
        return Sequences(described.inputs(part, offsets), targets, described.spellings, spelled)

    def state(self) -> dict[str, Any]:
        words, characters = self._lexicon.words, self._lexicon.characters
        return {
            "words": words.to_json(),
            "characters": None if characters is None else characters.to_json(),
            "vector_width": self._vector_width,
            "target": self.target.to_json(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            words = Vocabulary.from_json(state["words"])
            characters = Vocabulary.from_json(state["characters"]) if self.settings.characters else None
            self.target = Target.from_json(state["target"])
            width = self._vector_width = state["vector_width"]
            # The vectors themselves are among the weights of the run.
            pretrained = None if width is None else np.full((words.size, width), np.nan, np.float32)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise RunError("what the run saved of its data (loader tagging) is damaged") from None
        self._lexicon = Lexicon(self.settings, words, characters)
        self.features = self._lexicon.features(pretrained)

    def labelled(self, path: Path) -> Sequences:
        tokens, tags = Table(), Table(self.target.names)
        part = self._read(path.name, [path], tokens, tags, known=frozenset(self.target.names))
        described = self._lexicon.describe(tokens.texts)
        self._note_unknown(path.name, described.unknown(part), len(part.tokens))
        return self._dataset(part, described)

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        """The sentences of columns as in training, or of one token a line, or of texts whose tokens white space parts.

        The datasets have no targets: a file with tags is for `labelled`.
        """
        found = read_untagged(source, self._columns_of, self.settings.encoding, on_bad_row)
        numbered = (Numbered(number, sentence) for number, sentence in enumerate(found, 1))
        seen = unknown = 0
        while rows := list(islice(numbered, CHUNK)):
            part, described = self._described(rows)
            seen += len(part.tokens)
            unknown += described.unknown(part)
            yield Chunk(self._dataset(part, described), rows)
        if seen:
            self._note_unknown("input", unknown, seen)

    def _described(self, rows: Sequence[Numbered]) -> tuple[Part, Described]:
        table = Table()
        gathering = Gathering(table, Table())
        for row in rows:
            gathering.add(row.sentence.tokens)
        return gathering.part(), self._lexicon.describe(table.texts)

    @property
    def carries(self) -> bool:
        return self.task != "one-to-one"

    def stream(
        self, source: BinaryIO, memory: Memory, on_bad_row: Callable[[DataError], None]
    ) -> Generator[Piece, None, None]:
        """One token a line, an empty line between sentences. Of a bad line that line alone is left out."""
        scheme, trained = self.settings.scheme, self.settings.train_scheme
        if scheme not in ("none", trained):
            raise UserError(
                f"--stream: tags of {trained} (data.train_scheme) are written as {scheme} (data.scheme) sentence by "
                "sentence, not token by token; predict without it"
            )
        return self._pieces(source, memory, on_bad_row)

    def _pieces(
        self, source: BinaryIO, memory: Memory, on_bad_row: Callable[[DataError], None]
    ) -> Generator[Piece, None, None]:
        columns, encoding = self._columns_of(None), self.settings.encoding
        number, goes_on = memory.get("sentence", 0), memory.get("goes_on", False)
        seen = unknown = 0
        try:
            for _, row in tokens(source, columns, encoding, on_bad_row, tagged=False):
                if row is None:
                    goes_on = False
                    continue
                begins, goes_on = not goes_on, True
                number += begins
                rows = [Numbered(number, untagged([row], columns))]
                part, described = self._described(rows)
                seen, unknown = seen + 1, unknown + described.unknown(part)
                yield Piece(self._dataset(part, described), rows, "" if self.carries else None, begins)
        finally:
            memory |= {"sentence": number, "goes_on": goes_on}
            if seen:
                self._note_unknown("input", unknown, seen)

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """One row a token: the number of its sentence, its own columns, its tag in the scheme of the files."""
        begin = 0
        for row in chunk.rows:
            own = predictions[begin : begin + len(row.sentence.tokens)]
            begin += len(own)
            tags = self._in_file_scheme([prediction["prediction"] for prediction in own])
            for columns, prediction, tag in zip(row.sentence.columns, own, tags, strict=True):
                yield {"sentence": row.number, **columns, **prediction, "prediction": tag}

    def _in_file_scheme(self, tags: list[str]) -> list[str]:
        scheme, trained = self.settings.scheme, self.settings.train_scheme
        if scheme == "none" or scheme == trained:
            return tags
        # Malformed BIOES is no span to the metrics, so it is none in the file; all BIO can be read as spans.
        return from_bio(sound_bio(tags, trained) if trained == "BIOES" else to_bio(tags), scheme)
