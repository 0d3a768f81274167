"""Files to what the model reads of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnncli.errors import ConfigError, DataError
from rnncli.inputs.audio.entries import Entry
from rnncli.inputs.audio.settings import AudioSettings
from rnncli.inputs.audio.sounds import is_stored, resampled, samples, stored
from rnncli.inputs.audio.spectra import Spectra
from rnncli.inputs.files import OnBadRow


@dataclass
class Part:
    """Recordings side by side with what belongs to each.

    Attributes:
        signals: of sounds that are yet to be joined (samples,); else features (time, width).
        texts: classes or texts; empty where nobody asked.
    """

    entries: list[Entry] = field(default_factory=list)
    signals: list[np.ndarray] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.entries)

    def __add__(self, other: Part) -> Part:
        return Part(self.entries + other.entries, self.signals + other.signals, self.texts + other.texts)

    def take(self, rows: Iterable[int]) -> Part:
        """Some of the recordings, in the order of `rows`."""
        rows = list(rows)
        texts = [self.texts[row] for row in rows] if self.texts else []
        return Part([self.entries[row] for row in rows], [self.signals[row] for row in rows], texts)

    def joined(self, count: int, size: int, seed: Sequence[int], join: Callable[[Sequence[str]], str]) -> Part:
        """`count` examples of `size` recordings each, every recording in as many of them as any other or in one more;
        an example is known by its first."""
        generator = np.random.Generator(np.random.PCG64(seed))
        rounds = -(-count * size // len(self))
        order = np.concatenate([generator.permutation(len(self)) for _ in range(rounds)])[: count * size]
        made = Part()
        for members in order.reshape(count, size).tolist():
            made.entries.append(self.entries[members[0]])
            made.signals.append(np.concatenate([self.signals[row] for row in members]))
            made.texts.append(join([self.texts[row] for row in members]))
        return made


class Recordings:
    """How files are read: learnt from the first one, the same for all that follow.

    Attributes:
        resampled: how many sounds had another rate; `read`: how many were read; both since the last `notes`.
        width: numbers of a step.
    """

    def __init__(self, settings: AudioSettings) -> None:
        self.settings = settings
        self.resampled = self.read = 0
        self.width = 0
        self._stored: bool | None = None
        self._rate = settings.sample_rate
        self._spectra: Spectra | None = None

    def signal(self, entry: Entry) -> np.ndarray:
        """(samples,) float32 at the common rate, or the features (time, width) that are stored.

        Raises:
            DataError: it can't be read, or is of another kind or width than the first.
            ConfigError: options of sounds where features are stored.
        """
        if self._stored is None:
            self._begin(is_stored(entry))
        if self._stored != is_stored(entry):
            holds, others = ("features", "sounds") if is_stored(entry) else ("a sound", "stored features")
            raise entry.bad(f"holds {holds}, and the first file of the training part {others}")
        if self._stored:
            values = stored(entry, self.settings)
            self.width = self.width or values.shape[1]
            if values.shape[1] != self.width:
                raise entry.bad(f"has {values.shape[1]} features, the first file of the training part {self.width}")
            return values
        values, rate = samples(entry)
        self._rate = self._rate or rate
        self.read += 1
        self.resampled += rate != self._rate
        return resampled(values, rate, self._rate)

    def features(self, signal: np.ndarray, entry: Entry) -> np.ndarray:
        """(time, width) float32 of what `signal` gave, or of several such one after another.

        Raises:
            DataError: a sound is shorter than one window.
        """
        if self._stored:
            return signal
        spectra = self._made()
        if len(signal) < spectra.window:
            raise entry.bad(
                f"has {len(signal)} samples at {self._rate} Hz, which is less than a window of {spectra.window} "
                "(data.features.window)"
            )
        return spectra(signal)

    def seconds(self, steps: int) -> list[str] | None:
        """Where the middle of the window of each step lies in a sound; None of stored features."""
        if self._stored:
            return None
        spectra = self._made()
        return [f"{(step * spectra.hop + spectra.window / 2) / spectra.rate:.3f} s" for step in range(steps)]

    def notes(self) -> list[str]:
        """That sounds were resampled, and how many of those read since this was last asked."""
        resampled, read = self.resampled, self.read
        self.resampled = self.read = 0
        return [f"resampled to {self._rate} Hz: {resampled} of {read} recordings"] if resampled else []

    def to_json(self) -> dict[str, Any]:
        return {"stored": self._stored, "sample_rate": self._rate, "width": self.width}

    @classmethod
    def from_json(cls, settings: AudioSettings, saved: Mapping[str, Any]) -> Recordings:
        """Raises KeyError, TypeError or ValueError where `saved` is not what `to_json` gives."""
        made = cls(settings)
        made._stored, made.width = bool(saved["stored"]), int(saved["width"])
        made._rate = None if saved["sample_rate"] is None else int(saved["sample_rate"])
        return made

    def _begin(self, stored: bool) -> None:
        idle = [name for name in ("features", "sample_rate") if stored and self.settings.changed(name)]
        if idle:
            raise ConfigError([f"data.{name}: the files hold features, which are read as they are" for name in idle])
        self._stored = stored

    def _made(self) -> Spectra:
        if self._spectra is None:
            if self._rate is None:
                raise ValueError("no sound has been read")
            self._spectra = Spectra(self.settings.features, self._rate)
            self.width = self._spectra.width
        return self._spectra


def usable(
    found: Iterable[Entry], read: Callable[[Entry], tuple[np.ndarray, str | None]], on_bad_row: OnBadRow
) -> Part:
    """The entries that can be read, with their signals and texts."""
    part = Part()
    for entry in found:
        try:
            signal, text = read(entry)
        except DataError as error:
            on_bad_row(error)
            continue
        part.entries.append(entry)
        part.signals.append(signal)
        if text is not None:
            part.texts.append(text)
    return part
