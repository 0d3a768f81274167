"""Texts with a text that answers each, and texts that are written from a class or numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from rnncli.errors import ConfigError, DataError, RunError
from rnncli.inputs.answered import Answered
from rnncli.inputs.bad_rows import BadRows
from rnncli.inputs.batches import Dataset, Ragged
from rnncli.inputs.curves import CurveAnswers, Curves
from rnncli.inputs.cutting import prepared
from rnncli.inputs.encoding import Encoder, unknown_shares
from rnncli.inputs.fitting import uncut
from rnncli.inputs.folders import holds_folders, left_out
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Source, SplitName
from rnncli.inputs.pairs.aligned import beside
from rnncli.inputs.pairs.fitting import Tallies, fit
from rnncli.inputs.pairs.parts import Part, hold_out, read
from rnncli.inputs.pairs.reading import Form, form_of, sources
from rnncli.inputs.pairs.settings import AlignedFiles, PairsSettings
from rnncli.inputs.pairs.sources import (
    ClassSources,
    Sources,
    TextSources,
    ValuesSources,
    parse,
    sources_from_json,
)
from rnncli.inputs.tables import BLOCK
from rnncli.inputs.targets import Target, TaskMode


@LOADERS.register("pairs")
class PairsLoader(Loader[PairsSettings]):
    """Two files of lines, tables, dictionaries and folders of pairs.

    Its one feature is "tokens", "class" or "values"; of the last two each example is one step. A split is an Answered.
    The names of the target are the entries of its vocabulary, the first of which, padding, is never true. References
    are the targets as `prepared` gives them, whole and not cut.

    To predict, sources alone are read: standard input has the form of the training part, lines of texts or classes
    where that was two files or a folder.
    """

    def __init__(self, settings: PairsSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        kind = settings.source.kind
        needed: TaskMode = "many-to-many" if kind == "text" else "one-to-many"
        if task != needed:
            raise ConfigError(
                [
                    f"data.source.kind: {kind} does not go with task: {task}; of pairs, many-to-many reads texts "
                    "(kind: text), one-to-many a class or values"
                ]
            )
        self._form: Form = "lines"
        self._whole = False
        self._sources: Sources
        self._encoder: Encoder
        self._curves: CurveAnswers | None = None

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        settings, bad = self.settings, BadRows(self.settings.skip_bad_rows)
        if not isinstance(settings.train, AlignedFiles):
            self._form, self._whole = form_of(settings.train[0], settings), holds_folders(settings.train[0])
        parts = self._parts(limit, bad)
        if refit and "valid" in parts:
            parts["train"] += parts.pop("valid")
        seen = Tallies({}, {})
        train = self._some(self._fit(parts.pop("train")), bad, "train", seen)
        self._complete(_counts(train, self._encoder.vocabulary.size) if isinstance(train, Answered) else [])
        datasets: dict[SplitName, Dataset] = {"train": train}
        merged = []
        for name, part in parts.items():
            one = part.merged() if settings.several_references else part
            merged.append(f"{name} {len(part)} rows are {len(one)}")
            datasets[name] = self._some(one, bad, name, seen)
        self.notes += self._told(seen)
        if settings.several_references and merged:
            self.notes.append(f"rows of equal sources are one example: {', '.join(merged)}")
        self.notes += bad.notes()
        return datasets

    def state(self) -> dict[str, Any]:
        return {
            "sources": self._sources.to_json(),
            "answers": self._encoder.to_json() if self._curves is None else self._curves.to_json(),
            "counts": list(self.target.counts),
            "form": self._form,
            "whole_files": self._whole,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            self._sources = sources_from_json(self.settings.source, state["sources"])
            if self.settings.target.kind == "values":
                self._curves = CurveAnswers.from_json(state["answers"])
            else:
                self._encoder = uncut(Encoder.from_json(self.settings.target, state["answers"]))
            self._form, self._whole = state["form"], bool(state["whole_files"])
            self._complete([int(count) for count in state["counts"]])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"the saved state of the pairs loader is damaged ({error!r})") from None

    def labelled(self, path: Path) -> Dataset:
        """A table, dictionary or folder; of two files of lines that of the sources, if the other one's name differs
        from it as in the training part."""
        bad = BadRows(self.settings.skip_bad_rows)
        files: list[Path] | AlignedFiles = [path]
        if isinstance(self.settings.train, AlignedFiles) and form_of(path, self.settings) == "lines":
            files = beside(path, self.settings.train)
        part = self._read(files, None, bad)
        if self.settings.several_references:
            part = part.merged()
        seen = Tallies({}, {})
        dataset = self._some(part, bad, "", seen)
        self.notes += [*self._told(seen), *bad.notes()]
        return dataset

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        form = self._form
        if isinstance(source, Path):
            found = form_of(source, self.settings)
            form = form if found == "lines" and form == "dictionary" else found
        examples = sources(source, form, self.settings, whole=self._whole, on_bad_row=on_bad_row)
        seen = Tallies({}, {})
        while rows := list(islice(examples, BLOCK)):
            part = Part()
            for row in rows:
                try:
                    part.sources.append(parse(row.source, self.settings.source))
                except ValueError as error:
                    on_bad_row(DataError(str(error), row.place, row.line))
                    continue
                part.places.append((row.place, row.line))
                part.own.append(row.own)
            part, dataset = self._encoded(part, on_bad_row, "", seen)
            if part:
                yield Chunk(dataset, part.own)
        self.notes += self._told(seen)

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        if self._curves is not None:
            yield from self._curves.written(chunk.rows, predictions)
            return
        yield from ({**own, **prediction} for own, prediction in zip(chunk.rows, predictions, strict=True))

    def positions(self, chunk: Chunk) -> list[list[str]] | None:
        if not isinstance(self._sources, TextSources):
            return None
        source, cutter = self.settings.source, self._sources.encoder
        texts = (prepared(own[source.column], source) for own in chunk.rows)
        return [cutter.units(text)[: source.max_length] for text in texts]

    def _parts(self, limit: int | None, bad: BadRows) -> dict[SplitName, Part]:
        settings = self.settings
        filed = {"valid": settings.valid, "test": settings.test}
        parts: dict[Any, Part] = {"train": self._read(settings.train, limit, bad)}
        shares = {"valid": settings.split.valid, "test": settings.split.test}
        shares = {name: share for name, share in shares.items() if share and not filed[name]}
        if shares:
            parts = hold_out(parts["train"], settings, shares, self.files[0])
        for name, files in filed.items():
            if files:
                parts[name] = self._read(files, limit, bad)
        return parts

    def _read(self, files: Sequence[Path] | AlignedFiles, limit: int | None, bad: BadRows) -> Part:
        part, found = read(files, self.settings, limit, bad)
        self.files += found
        for path in () if isinstance(files, AlignedFiles) else files:
            if path.is_dir():
                others = left_out(path, holds_folders(path))
                self.notes += [f"left out of {path.name}: {', '.join(others)}"] if others else []
        return part

    def _fit(self, train: Part) -> Part:
        settings, kept = self.settings, train
        encoders: list[Encoder] = []
        if settings.target.kind == "values":
            self._curves = CurveAnswers.fit(settings.target.names, train.answers)
        else:
            encoders, kept = fit(train, settings, self.files[0])
            self._encoder = encoders[-1]
        match settings.source.kind:
            case "text":
                self._sources = TextSources(encoders[0])
            case "class":
                self._sources = ClassSources.fit(train.sources)
            case "values":
                self._sources = ValuesSources.fit(train.sources)
        if len(kept) < len(train):
            sides = {"source": settings.source.max_length, "target": settings.target.max_length}
            limits = ", ".join(f"{side} {limit}" for side, limit in sides.items() if limit)
            self.notes.append(
                f"pairs of the training part left out, longer than max_length ({limits}): "
                f"{len(train) - len(kept)} of {len(train)}"
            )
        return kept

    def _complete(self, counts: list[int]) -> None:
        """Sets features and target, of whose vocabulary the training part has these counts."""
        self.features = {self._sources.name: self._sources.feature}
        if self._curves is not None:
            self.target = self._curves.target
            return
        entries, settings = self._encoder.vocabulary.entries, self.settings
        if len(counts) != len(entries):
            raise ValueError(f"{len(counts)} counts of {len(entries)} entries")
        self.target = Target(
            "sequence",
            entries,
            tuple(counts),
            units=settings.target.units,
            from_one=settings.source.kind != "text",
            shared=settings.shared_vocabulary,
        )

    def _some(self, part: Part, bad: BadRows, name: str, seen: Tallies) -> Answered | Curves:
        kept, dataset = self._encoded(part, bad, name, seen)
        if not kept:
            raise bad.none_left(part.places[0][0])
        return dataset

    def _encoded(
        self, part: Part, on_bad_row: Callable[[DataError], None], name: str, seen: Tallies
    ) -> tuple[Part, Answered | Curves]:
        """The pairs of a part that can be encoded."""
        inputs, of_sources = self._sources.encode(part.sources)
        of_targets = self._encoder.encode(part.answers) if part.references and self._curves is None else None
        wrong = {row: told for row, item in enumerate(part.sources) if (told := self._sources.mistake(item))}
        if wrong:
            for row in sorted(wrong):
                on_bad_row(DataError(wrong[row], *part.places[row]))
            return self._encoded(part.take(row for row in range(len(part)) if row not in wrong), on_bad_row, name, seen)
        seen.add(name, of_sources, of_targets)
        if self._curves is not None:
            return part, self._curves.dataset({self._sources.name: inputs}, part.answers or None)
        answers = None if of_targets is None else Ragged(torch.from_numpy(of_targets.ids), of_targets.offsets)
        return part, Answered({self._sources.name: inputs}, answers, part.references or None)

    def _told(self, seen: Tallies) -> list[str]:
        told, longest = [], self.settings.source.max_length
        if seen.sources:
            told.append(unknown_shares(seen.sources, self.settings.source.units, "source"))
        if seen.targets:
            told.append(unknown_shares(seen.targets, self.settings.target.units, "target"))
        cut = [f"{name} {one.cut} of {one.texts}".strip() for name, one in seen.sources.items() if name != "train"]
        if longest is not None and cut:
            told.append(f"sources cut at max_length {longest}: {', '.join(cut)}")
        return told


def _counts(answered: Answered, size: int) -> list[int]:
    """How often each entry of a vocabulary of this size stands in the targets."""
    ids = torch.zeros(0, dtype=torch.int64) if answered.answers is None else answered.answers.flat
    counts: list[int] = torch.bincount(ids, minlength=size).tolist()
    return counts
