"""Recordings with a class or the text that is spoken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnncli.errors import ConfigError, DataError, RunError, UserError
from rnncli.inputs.answered import Answered
from rnncli.inputs.audio.entries import Entry, entries, left_out
from rnncli.inputs.audio.parts import column, parted, some
from rnncli.inputs.audio.recordings import Part, Recordings, usable
from rnncli.inputs.audio.settings import AudioSettings
from rnncli.inputs.audio.transcripts import Transcripts, cleaned
from rnncli.inputs.bad_rows import BadRows
from rnncli.inputs.batches import Dataset, Ragged, Sequences
from rnncli.inputs.features import Values
from rnncli.inputs.frame import is_frame
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Source, SplitName
from rnncli.inputs.splits import draw
from rnncli.inputs.targets import TaskMode
from rnncli.inputs.time_series.scaling import Scale, fit

FEATURES = "features"

CHUNK = 256
"""Recordings predicted together."""

PARTS: tuple[SplitName, ...] = ("train", "valid", "test")


@LOADERS.register("audio")
class AudioLoader(Loader[AudioSettings]):
    """Sounds, or features stored beforehand, from folders, zip files and manifests.

    Its one feature is "features". A split is a Sequences with a class each, or an Answered with the text of each. To
    predict, each file is an example by itself.
    """

    def __init__(self, settings: AudioSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        fitting = {"class": "many-to-one", "sequence": "many-to-many"}[settings.target.kind]
        if task != fitting:
            raise ConfigError(
                [
                    f"data.target.kind: {settings.target.kind} does not go with task: {task}; of recordings, "
                    "many-to-one predicts a class (kind: class), many-to-many the text that is spoken (kind: sequence)"
                ]
            )
        self._recordings = Recordings(settings)
        self._scale: Scale | None = None
        self._transcripts: Transcripts

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        settings, bad = self.settings, BadRows(self.settings.skip_bad_rows)
        parts = self._parts(limit, bad)
        if refit and "valid" in parts:
            parts["train"] += parts.pop("valid")
        self._transcripts = Transcripts.fit(parts["train"].texts, settings.target, settings.train[0])
        for name in PARTS:
            if name in parts:
                parts[name] = self._finished(parts[name], name, limit, bad)
        if settings.normalization == "training":
            self._scale = fit("standard", np.concatenate(parts["train"].signals, dtype=np.float64))
        self._complete()
        self.notes += self._recordings.notes()
        self.notes += self._transcripts.notes({name: parts[name].texts for name in PARTS if name in parts})
        self.notes += bad.notes()
        return {name: self._dataset(parts[name]) for name in PARTS if name in parts}

    def state(self) -> dict[str, Any]:
        scale = None if self._scale is None else self._scale.to_json()
        return {**self._transcripts.to_json(), "recordings": self._recordings.to_json(), "scale": scale}

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            self._transcripts = Transcripts.from_json(self.settings.target, state)
            self._recordings = Recordings.from_json(self.settings, state["recordings"])
            self._scale = None if state["scale"] is None else Scale.from_json(state["scale"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"the saved state of the audio loader is damaged ({error!r})") from None
        self._complete()

    def labelled(self, path: Path) -> Dataset:
        bad = BadRows(self.settings.skip_bad_rows)
        part = self._finished(self._read(self._found([path], bad), bad), "test", None, bad)
        self.notes += [*self._recordings.notes(), *self._transcripts.notes({"": part.texts}), *bad.notes()]
        return self._dataset(part)

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        if not (isinstance(source, Path | Sequence) or is_frame(source)):
            raise UserError("recordings are read from a file, folder, zip file or manifest, not from standard input")
        found = entries(source, self.settings, on_bad_row, named=False)
        for start in range(0, len(found), CHUNK):
            part = usable(found[start : start + CHUNK], lambda entry: (self._features(entry), None), on_bad_row)
            if part:
                yield Chunk(self._dataset(part), [entry.own for entry in part.entries])
        self.notes += self._recordings.notes()

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        yield from ({**own, **prediction} for own, prediction in zip(chunk.rows, predictions, strict=True))

    def positions(self, chunk: Chunk) -> list[list[str]] | None:
        assert isinstance(chunk.dataset, Answered | Sequences)
        seconds = self._recordings.seconds(int(chunk.dataset.lengths.max()))
        return None if seconds is None else [seconds[:length] for length in chunk.dataset.lengths.tolist()]

    def _parts(self, limit: int | None, bad: BadRows) -> dict[SplitName, Part]:
        """The recordings of each part; sounds that are to be joined are samples still."""
        settings = self.settings
        filed: dict[SplitName, list[Path]] = {}
        chosen: dict[SplitName, Mapping[str, Sequence[str | int]]] = {}
        shares: dict[str, float] = {}
        ways = (("valid", settings.valid, settings.split.valid), ("test", settings.test, settings.split.test))
        for name, paths, way in ways:
            if paths:
                filed[name] = paths  # type: ignore[index]
            elif isinstance(way, dict):
                chosen[name] = way  # type: ignore[index]
            elif way:
                shares[name] = way
        found = parted(self._found(settings.train, bad), chosen)
        found |= {name: self._found(paths, bad) for name, paths in filed.items()}
        kinds = settings.target.column if settings.target.kind == "class" else None
        parts = {name: self._read(some(found[name], limit, kinds), bad) for name in PARTS if name in found}
        if shares:
            train = parts["train"]
            keys = [sha256(signal.tobytes()).digest() for signal in train.signals]
            classes = None if kinds is None else np.unique(train.texts, return_inverse=True)[1]
            drawn = draw(keys, classes, shares, settings.split.seed, settings.train[0])
            parts |= {name: train.take(drawn[name].tolist()) for name in PARTS if name in drawn}
        return parts

    def _found(self, paths: Sequence[Path], bad: BadRows) -> list[Entry]:
        found = [entry for path in paths for entry in entries(path, self.settings, bad)]
        self.notes += filter(None, map(left_out, paths))
        manifests = [path for path in paths if path.is_file()]
        self.files += dict.fromkeys([*manifests, *(entry.file for entry in found)])
        return found

    def _read(self, found: Sequence[Entry], bad: BadRows) -> Part:
        def read(entry: Entry) -> tuple[np.ndarray, str]:
            raw = column(entry, self.settings.target.column, "data.target.column")
            try:
                text = cleaned(raw, self.settings.target)
            except ValueError as error:
                raise entry.bad(str(error)) from None
            return (self._recordings.signal(entry) if self.settings.join else self._features(entry)), text

        part = usable(found, read, bad)
        if not part:
            raise DataError(f"has no file that can be used; the first mistake: {bad.first}", found[0].file)
        return part

    def _features(self, entry: Entry) -> np.ndarray:
        return self._recordings.features(self._recordings.signal(entry), entry)

    def _finished(self, part: Part, name: SplitName, limit: int | None, bad: BadRows) -> Part:
        """Examples with features, joined where the settings ask for it, whose classes the training part has."""
        kept = []
        for row, (entry, text) in enumerate(zip(part.entries, part.texts, strict=True)):
            if sentence := self._transcripts.unknown(text):
                bad(entry.bad(sentence))
            else:
                kept.append(row)
        if not kept:
            raise DataError(f"has no file that can be used; the first mistake: {bad.first}", part.entries[0].file)
        part, join = part.take(kept), self.settings.join
        if join is None:
            return part
        count = min(getattr(join, name), limit or getattr(join, name))
        part = part.joined(count, join.recordings, (join.seed, PARTS.index(name)), self._transcripts.joined)
        features = [self._recordings.features(*both) for both in zip(part.signals, part.entries, strict=True)]
        return Part(part.entries, features, part.texts)

    def _dataset(self, part: Part) -> Dataset:
        values = [self._normalized(features) for features in part.signals]
        offsets = np.cumsum([0, *map(len, values)])
        inputs = {FEATURES: Ragged(torch.from_numpy(np.concatenate(values)), offsets)}
        return self._transcripts.dataset(inputs, part.texts or None)

    def _normalized(self, features: np.ndarray) -> np.ndarray:
        if self.settings.normalization == "none":
            return features
        scale = self._scale or fit("standard", features.astype(np.float64))
        normalized: np.ndarray = ((features - scale.center) / scale.scale).astype(np.float32)
        return normalized

    def _complete(self) -> None:
        self.target = self._transcripts.target
        self.features = {FEATURES: Values(self._recordings.width)}
