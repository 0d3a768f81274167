"""Images, or features of images, with captions or numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import ConfigError, DataError, RunError
from rnncli.inputs.bad_rows import BadRows
from rnncli.inputs.batches import Dataset, Ragged
from rnncli.inputs.captions.album import Album
from rnncli.inputs.captions.dataset import Captions, Shared
from rnncli.inputs.captions.gallery import Taken, look
from rnncli.inputs.captions.new_images import pictures
from rnncli.inputs.captions.reading import Captioned, captioned, listed
from rnncli.inputs.captions.settings import CaptionsSettings
from rnncli.inputs.captions.vectors import Vectors, read_vectors
from rnncli.inputs.curves import CurveAnswers, Curves
from rnncli.inputs.encoding import Encoded, Encoder, Tally, unknown_shares
from rnncli.inputs.features import Images, Values
from rnncli.inputs.fitting import fit, uncut
from rnncli.inputs.loader import LOADERS, Chunk, Loader, Source, SplitName
from rnncli.inputs.splits import draw
from rnncli.inputs.targets import Target, TaskMode

FEATURE = "image"

_TOGETHER = 256
"""Images in memory at once while predicting."""


@LOADERS.register("captions")
class CaptionsLoader(Loader[CaptionsSettings]):
    """Images with a caption or several each, or with the numbers of some columns.

    Its one feature is "image": Images, or of features Values of one step a region, standardised together by the
    training part. There every caption is an example; in the other parts every image is one, whose target is its first
    caption. References are all captions of the image, the target before the others.
    """

    def __init__(self, settings: CaptionsSettings, task: TaskMode) -> None:
        super().__init__(settings, task)
        if task != "one-to-many":
            raise ConfigError([f"task: loader: captions writes a caption of an image: one-to-many, not {task}"])
        self._center, self._scale = 0.0, 1.0
        self._shape: tuple[int, ...] = ()
        self._encoder: Encoder
        self._curves: CurveAnswers | None = None

    def load(self, limit: int | None = None, refit: bool = False) -> dict[SplitName, Dataset]:
        settings, bad = self.settings, BadRows(self.settings.skip_bad_rows)
        parts, values = self._parts(limit, bad)
        if refit and "valid" in parts:
            parts["train"] += parts.pop("valid")
        self._set_shape(values.shape[1:])
        train = parts.pop("train")
        if settings.vectors:
            seen = values[sorted({row for _, row in train})].double()
            self._center, self._scale = float(seen.mean()), float(seen.std(correction=0)) or 1.0
            values = self._scaled(values)
        if settings.target.numbers:
            self._fit_numbers([image.numbers for image, _ in train])
            self.notes += bad.notes()
            return {name: self._with_numbers(part, values) for name, part in {"train": train, **parts}.items()}
        kept, encoded = self._fit([text for image, _ in train for text in image.texts])
        examples = [(row, _own_first(image.texts, own)) for image, row in train for own in range(len(image.texts))]
        rows, references = zip(*(examples[each] for each in kept), strict=True)
        shared = Shared(values, np.array(rows, np.int64))
        datasets: dict[SplitName, Dataset] = {"train": Captions({FEATURE: shared}, _ragged(encoded), references)}
        tallies = {"train": Tally(encoded)}
        for name, part in parts.items():
            datasets[name], tallies[name] = self._evaluated(part, values)
        self.notes += [unknown_shares(tallies, settings.target.units), *bad.notes()]
        return datasets

    def state(self) -> dict[str, Any]:
        answers = self._encoder.to_json() if self._curves is None else {"numbers": self._curves.to_json()}
        return answers | {
            "target": self.target.to_json(),
            "shape": list(self._shape),
            "center": self._center,
            "scale": self._scale,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            if self.settings.target.numbers:
                self._curves = CurveAnswers.from_json(state["numbers"])
            else:
                self._encoder = uncut(Encoder.from_json(self.settings.target, state))
            self.target = Target.from_json(state["target"])
            self._center, self._scale = float(state["center"]), float(state["scale"])
            self._set_shape(tuple(int(size) for size in state["shape"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"the saved state of the captions loader is damaged ({error!r})") from None

    def labelled(self, path: Path) -> Dataset:
        bad = BadRows(self.settings.skip_bad_rows)
        parts, values = self._seen({"test": [path]}, None, bad)
        part, values = self._shuffled(parts)["test"], self._scaled(values)
        if self._curves is not None:
            self.notes += bad.notes()
            return self._with_numbers(part, values)
        dataset, tally = self._evaluated(part, values)
        self.notes += [unknown_shares({"": tally}, self.settings.target.units), *bad.notes()]
        return dataset

    def chunks(self, source: Source, on_bad_row: Callable[[DataError], None]) -> Iterator[Chunk]:
        found, resized = pictures(source, self.settings, on_bad_row), 0
        while some := list(islice(found, _TOGETHER)):
            values = torch.from_numpy(np.stack([picture.values for picture in some]))
            resized += sum(picture.other for picture in some)
            inputs = {FEATURE: Shared(self._scaled(values), np.arange(len(some)))}
            data = Captions(inputs, None) if self._curves is None else self._curves.dataset(inputs, None)
            yield Chunk(data, [picture.own for picture in some])
        self._tell_resized(resized)

    def written(self, chunk: Chunk, predictions: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        if self._curves is not None:
            yield from self._curves.written(chunk.rows, predictions)
            return
        yield from ({**own, **prediction} for own, prediction in zip(chunk.rows, predictions, strict=True))

    def _parts(self, limit: int | None, bad: BadRows) -> tuple[dict[SplitName, Taken], Tensor]:
        """The images of each part that can be used, and the pixels or features of all."""
        settings = self.settings
        filed: dict[SplitName, list[Path]] = {"train": settings.train}
        shares: dict[SplitName, float] = {}
        own: tuple[tuple[SplitName, list[Path] | None, float], ...] = (
            ("valid", settings.valid, settings.split.valid),
            ("test", settings.test, settings.split.test),
        )
        for name, paths, share in own:
            if paths:
                filed[name] = paths
            elif share:
                shares[name] = share
        parts, values = self._seen(filed, limit, bad)
        if shares:
            train = parts["train"]
            keys = [hashlib.sha256(values[row].numpy().tobytes()).digest() for _, row in train]
            drawn = draw(
                keys, None, {str(name): share for name, share in shares.items()}, settings.split.seed, settings.train[0]
            )
            parts["train"] = [train[row] for row in drawn["train"]]
            parts |= {name: [train[row] for row in drawn[name]] for name in shares}
        return self._shuffled(parts), values

    def _seen(
        self, filed: Mapping[SplitName, Sequence[Path]], limit: int | None, bad: BadRows
    ) -> tuple[dict[SplitName, Taken], Tensor]:
        """The images that files with captions, or lists, name, and the pixels or features of all."""
        settings, known = self.settings, None
        if settings.captions is not None:
            self.files.append(settings.captions)
            known = captioned([settings.captions], settings, bad)
        named: list[list[Captioned]] = []
        for paths in filed.values():
            self.files += paths
            images = captioned(paths, settings, bad) if known is None else listed(paths, known, settings, bad)
            named.append([*islice(images.values(), limit)])
        source = self._source(bad)
        taken, values, resized = look(named, source, settings.size, bad)
        if isinstance(source, Album) and settings.images.is_dir():
            self.files += dict.fromkeys(source.file(image.name) for part in taken for image, _ in part)
        self._tell_resized(resized)
        for paths, part in zip(filed.values(), taken, strict=True):
            if not part:
                raise DataError(f"has no image that can be used; the first mistake: {bad.first}", paths[0])
        return dict(zip(filed, taken, strict=True)), values

    def _source(self, bad: BadRows) -> Album | Vectors:
        path = self.settings.images
        self.files += [file for file in (path, self.settings.names) if file is not None and file.is_file()]
        return read_vectors(path, self.settings, bad) if self.settings.vectors else Album(path)

    def _shuffled(self, parts: dict[SplitName, Taken]) -> dict[SplitName, Taken]:
        """The parts as they are or, for a control, with each image's captions at another image of their part."""
        if not self.settings.shuffle_images:
            return parts
        self.notes.append("a control: captions have images that were drawn, not their own (data.shuffle_images)")
        order = np.random.Generator(np.random.PCG64(self.settings.split.seed))
        return {
            name: [(part[k][0], part[other][1]) for k, other in enumerate(order.permutation(len(part)))]
            for name, part in parts.items()
        }

    def _fit(self, texts: Sequence[str]) -> tuple[np.ndarray, Encoded]:
        """Fits the encoder and the target; the positions and the units of the captions that are learnt."""
        settings = self.settings.target
        (encoder,), kept = fit([(settings, texts)])
        if not kept:
            raise DataError(
                f"all {len(texts)} captions of the training part have more units than data.target.max_length "
                f"({settings.max_length})",
                self.settings.train[0],
            )
        self._encoder = uncut(encoder)
        if len(kept) < len(texts):
            self.notes.append(
                f"training captions left out: {len(texts) - len(kept)} of {len(texts)} have more units than max_length "
                f"{settings.max_length}"
            )
        encoded = self._encoder.encode(texts[position] for position in kept)
        vocabulary = self._encoder.vocabulary
        counts = np.bincount(encoded.ids, minlength=vocabulary.size)
        self.target = Target(
            "sequence", vocabulary.entries, tuple(counts.tolist()), units=settings.units, from_one=True
        )
        return np.array(kept, np.int64), encoded

    def _fit_numbers(self, items: Sequence[tuple[float, ...]]) -> None:
        self._curves = CurveAnswers.fit(self.settings.target.names, items)
        self.target = self._curves.target

    def _with_numbers(self, part: Taken, values: Tensor) -> Curves:
        """Every image with its numbers."""
        if self._curves is None:
            raise ValueError("captions are written, not numbers")
        shared = Shared(values, np.array([row for _, row in part], np.int64))
        return self._curves.dataset({FEATURE: shared}, [image.numbers for image, _ in part])

    def _evaluated(self, part: Taken, values: Tensor) -> tuple[Captions, Tally]:
        """Every image with its first caption as the target, and how much of that is unknown."""
        encoded = self._encoder.encode(image.texts[0] for image, _ in part)
        shared = Shared(values, np.array([row for _, row in part], np.int64))
        return Captions({FEATURE: shared}, _ragged(encoded), [tuple(image.texts) for image, _ in part]), Tally(encoded)

    def _set_shape(self, shape: tuple[int, ...]) -> None:
        """Of one image: (1, 3, height, width), or (regions, numbers)."""
        self._shape = tuple(shape)
        self.features = {FEATURE: Values(shape[1]) if len(shape) == 2 else Images(*shape[2:])}

    def _scaled(self, values: Tensor) -> Tensor:
        """Pixels as they are, features standardised.

        Raises:
            DataError: features of another shape than those of the training part.
        """
        if not self.settings.vectors:
            return values
        if values.shape[1:] != self._shape:
            found, wanted = (" x ".join(map(str, shape)) for shape in (values.shape[1:], self._shape))
            raise DataError(f"features of an image are {found} numbers, in the training part {wanted} (data.images)")
        return (values - self._center) / self._scale

    def _tell_resized(self, count: int) -> None:
        if count:
            height, width = self.settings.size
            self.notes.append(f"images resized to {height} x {width} pixels (data.size): {count}")


def _own_first(texts: Sequence[str], own: int) -> tuple[str, ...]:
    return (texts[own], *texts[:own], *texts[own + 1 :])


def _ragged(encoded: Encoded) -> Ragged:
    return Ragged(torch.from_numpy(encoded.ids), encoded.offsets)
