"""Examples that are drawn into parts as a whole: series, or rows of a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from rnncli.errors import DataError, UserError
from rnncli.inputs.batches import Dataset
from rnncli.inputs.features import Feature
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.loader import Chunk, SplitName
from rnncli.inputs.splits import draw
from rnncli.inputs.tables import counted
from rnncli.inputs.targets import Target
from rnncli.inputs.time_series import frames
from rnncli.inputs.time_series.encoding import Encoder, common_scaler
from rnncli.inputs.time_series.examples import Examples
from rnncli.inputs.time_series.form import Form, Streamed
from rnncli.inputs.time_series.missing import called, fill
from rnncli.inputs.time_series.reading import files_of, form_of
from rnncli.inputs.time_series.scaling import Scaler
from rnncli.inputs.time_series.series import Reading, Series
from rnncli.inputs.time_series.streaming import stream_series

CHUNK = 4000
"""Steps that are predicted together, unless one series alone has more."""

PARTS: tuple[SplitName, ...] = ("train", "valid", "test")
HELD = PARTS[1:]


class Drawn(Form):
    """Parts are files of their own or drawn by seed, stratified by class."""

    shortest = 1
    """Steps a series needs."""

    keep_rows = False
    """Whether predictions are written beside the rows of the input."""

    longest: int | None = None
    """Steps after which a series may be cut when it is streamed."""

    @property
    def features(self) -> dict[str, Feature]:
        return self.encoder.features()

    @abstractmethod
    def dataset(self, series: Sequence[Series], labelled: bool) -> Examples:
        """The examples of these series."""

    @abstractmethod
    def fit_target(self, training: Sequence[Series]) -> None:
        """Sets what the training part knows of the targets, `self.target` among it."""

    @abstractmethod
    def own_rows(self, series: Series) -> list[dict[str, Any]]:
        """What the predictions file says of each of the series' examples beside the prediction."""

    def scaler(self, training: Sequence[Series]) -> Scaler:
        """How values are scaled; a series that is scaled by itself needs nothing of the training part."""
        kind = self.settings.scaling
        return Scaler(kind) if self.settings.scaling_per_series else common_scaler(kind, training)

    def checked(self, series: Series) -> Series:
        """The series with its targets as this form wants them."""
        return series

    def load(self, limit: int | None, refit: bool) -> dict[SplitName, Dataset]:
        reading = self.read_training("train" if self._ready_parts else None)
        parts: dict[SplitName, list[Series]] = {}
        for part, read in (("train", reading), *((part, self._ready(part)) for part in HELD)):
            if read is not None:
                self._check_columns(read, reading.value_columns)
                usable = self._usable(read.series, reading.value_columns)
                parts[part] = usable if limit is None else self.thinned(usable, limit)
        parts |= self.drawn(parts["train"], [part for part in HELD if part not in parts])
        if refit:
            parts["train"] = parts["train"] + parts.pop("valid", [])
        self._fit(reading, parts["train"])
        return {part: self.dataset(series, labelled=True) for part, series in parts.items()}

    def state(self) -> dict[str, Any]:
        return {"encoder": self.encoder.to_json(), "target": self.target.to_json()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.encoder = Encoder.from_json(state["encoder"])
        self.target = Target.from_json(state["target"])

    def labelled(self, path: Path) -> Examples:
        reading = self._read_part([path], "test")
        self._check_columns(reading, self.encoder.columns)
        return self.dataset(self._usable(reading.series, reading.value_columns), labelled=True)

    def chunks(self, source: Streamed, on_bad_row: OnBadRow) -> Iterator[Chunk]:
        some: list[Series] = []
        steps = 0
        streamed = stream_series(source, self.settings, on_bad_row, keep_rows=self.keep_rows, longest=self.longest)
        for series in streamed:
            try:
                some.append(self.filled(series, self.encoder.columns))
            except DataError as error:
                on_bad_row(error)
                continue
            steps += len(some[-1])
            if steps >= CHUNK:
                yield self._chunk(some)
                some, steps = [], 0
        if some:
            yield self._chunk(some)

    def _chunk(self, series: list[Series]) -> Chunk:
        return Chunk(self.dataset(series, labelled=False), [row for one in series for row in self.own_rows(one)])

    def _fit(self, reading: Reading, training: list[Series]) -> None:
        settings = self.settings
        self.encoder = Encoder.fitted(
            reading.value_columns,
            reading.category_columns,
            settings.missing == "mask",
            training,
            self.scaler(training),
            settings.calendar,
        )
        self.fit_target(training)

    def step_rows(self, series: Series) -> list[dict[str, Any]]:
        """The input's own columns of each step; where there are none its series and its number."""
        if series.rows is not None and len(series.rows) == len(series):
            return [dict(row) for row in series.rows]
        name = {self.series_column(): series.name} if series.name else {}
        return [{**name, "step": step} for step in range(1, len(series) + 1)]

    def _usable(self, series: Sequence[Series], columns: Sequence[str]) -> list[Series]:
        if self.settings.missing is None:
            fill(series, columns, None)  # Refuses missing values, counting all of them.
        usable, bad = [], []
        for one in series:
            try:
                usable.append(self.checked(self.filled(one, columns)))
            except DataError as error:
                bad.append(error)
        self.leave_out(bad, "series", "can't be used")
        if not usable:
            raise bad[0]
        return usable

    def filled(self, series: Series, columns: Sequence[str]) -> Series:
        """The series with the policy for missing values applied; raises a DataError where it is too short."""
        if not len(series):
            raise DataError(f"{called(series)} has no steps", series.source)
        filled = fill([series], columns, self.settings.missing)[0]
        if len(filled) < self.shortest:
            raise DataError(
                f"{called(series)} has {counted(len(filled), 'step')}; target.kind {self.settings.target.kind} needs "
                f"{self.shortest} at least",
                series.source,
                int(series.lines[0]),
            )
        return filled

    def _check_columns(self, reading: Reading, columns: Sequence[str]) -> None:
        if list(reading.value_columns) != list(columns):
            raise DataError(
                f"has the columns {', '.join(reading.value_columns)}; the training part has {', '.join(columns)}",
                reading.series[0].source,
            )

    def _ready(self, part: SplitName) -> Reading | None:
        """The part from its own files, or from frames that are parted already; None where it has neither."""
        paths = getattr(self.settings, part)
        if paths is not None:
            return self._read_part(paths, part)
        return self.read(self.settings.train, part) if part in self._ready_parts else None

    def _read_part(self, paths: Sequence[Path], part: SplitName) -> Reading:
        return self.read(paths, part if part in self._frame_parts(paths) else None)

    @cached_property
    def from_frames(self) -> bool:
        """Whether the training part is frames."""
        return form_of(files_of(self.settings.train, self.settings)[0], self.settings) == "frames"

    @cached_property
    def _ready_parts(self) -> list[SplitName]:
        """The parts that the training files hold."""
        return self._frame_parts(self.settings.train)

    def _frame_parts(self, paths: Sequence[Path]) -> list[SplitName]:
        files = [file for file in files_of(paths, self.settings) if form_of(file, self.settings) == "frames"]
        held = {part for file in files for part in frames.parts(file)}
        return [part for part in PARTS if part in held]

    def drawn(self, series: list[Series], parts: Sequence[SplitName]) -> dict[SplitName, list[Series]]:
        """The training series and those drawn from them for `parts`."""
        shares = self.shares(parts, len(series))
        if not shares:
            return {"train": series}
        keys = [_key(one) for one in series]
        drawn = draw(keys, self._classes(series), shares, self.settings.split.seed, self.settings.train[0])
        return {part: [series[position] for position in drawn[part]] for part in part_names(shares)}

    def thinned(self, series: list[Series], limit: int) -> list[Series]:
        """`limit` of the examples."""
        return [series[position] for position in self.some(len(series), limit)]

    def some(self, count: int, limit: int) -> np.ndarray:
        """At most `limit` of `count` positions, ascending; from all over, as files are often in the order of their
        classes."""
        generator = np.random.Generator(np.random.PCG64(self.settings.split.seed))
        return np.sort(generator.permutation(count)[:limit])

    def shares(self, parts: Sequence[SplitName], count: int) -> dict[str, float]:
        """The share of each part that is asked for, of `count` examples."""
        shares: dict[str, float] = {}
        for part in parts:
            asked = getattr(self.settings.split, part)
            if isinstance(asked, int):
                asked = asked / count
            if not 0 <= asked < 1:
                raise UserError(
                    f"data.split.{part}: {getattr(self.settings.split, part)} of {count} examples is no part of them"
                )
            if asked:
                shares[part] = asked
        return shares

    def _classes(self, series: Sequence[Series]) -> list[int] | None:
        """The class of each series, where each has one."""
        if self.settings.target.kind != "class" or not all(one.label and len(one.label) == 1 for one in series):
            return None
        ids: dict[str, int] = {}
        return [ids.setdefault(one.label[0], len(ids)) for one in series if one.label]


def part_names(shares: Mapping[str, float]) -> list[SplitName]:
    """The training part and those that are drawn from it."""
    return [part for part in PARTS if part == "train" or part in shares]


def _key(series: Series) -> bytes:
    """Equal for series with equal inputs."""
    digest = blake2b(series.values.tobytes(), digest_size=16)
    for texts in series.categories:
        digest.update("\0".join(texts).encode())
    return digest.digest()
