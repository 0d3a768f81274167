"""Bytes of a file to samples or numbers."""

from __future__ import annotations

import io
import math
from functools import lru_cache
from pathlib import PurePosixPath

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import MissingExtra
from rnncli.inputs.arrays import read_npy
from rnncli.inputs.audio.entries import STORED, Entry
from rnncli.inputs.audio.settings import AudioSettings
from rnncli.inputs.features import LARGEST

CROSSINGS = 32
"""Zero crossings of the sinc on each side of an output sample."""

CUTOFF = 0.92
"""Share of half the smaller rate at which resampling halves an amplitude; it passes what lies a tenth below."""

BLOCK = 2**20
"""Samples of all channels that are decoded at once."""

LONGEST, FASTEST = 2**28, 400_000
"""Samples of a sound, and samples a second, of which no more are read."""


def is_stored(entry: Entry) -> bool:
    """Whether a file holds features instead of a sound."""
    return PurePosixPath(entry.name).suffix.lower() in STORED


def samples(entry: Entry) -> tuple[np.ndarray, int]:
    """(samples,) float32, the mean of all channels, and how many a second.

    Raises:
        DataError: it can't be decoded, or has no samples, too many, or one that is no finite number.
        MissingExtra: the package soundfile is absent.
    """
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("soundfile", "audio", f"reading {entry.name}") from None
    blocks: list[np.ndarray] = []
    try:
        with soundfile.SoundFile(io.BytesIO(entry.read())) as file:
            rate = int(file.samplerate)
            if file.frames > LONGEST:
                raise entry.bad(
                    f"says that it has {file.frames:,} samples, where at most {LONGEST:,} are read; of a stream that "
                    "was stored without its length, write it anew"
                )
            # A damaged header may promise more than there is: memory is taken as samples come.
            while len(block := file.read(BLOCK // file.channels, dtype="float32", always_2d=True)):
                blocks.append(block.mean(axis=1))
    except (soundfile.SoundFileError, RuntimeError) as error:
        reason = str(getattr(error, "error_string", error)).strip(" .")
        raise entry.bad(f"can't be decoded as a sound ({reason})") from None
    if not blocks:
        raise entry.bad("has no samples")
    if rate > FASTEST:
        raise entry.bad(f"has {rate:,} samples a second, where at most {FASTEST:,} are read")
    values = np.concatenate(blocks)
    if not np.isfinite(values).all():
        raise entry.bad("holds a sample that is no finite number")
    return values, rate


def resampled(values: np.ndarray, source: int, target: int) -> np.ndarray:
    """(samples,) at the rate `target`: band-limited interpolation by a windowed sinc (J. O. Smith, "Digital audio
    resampling", 2002), zeros before and behind."""
    if source == target:
        return values
    common = math.gcd(source, target)
    down, up = source // common, target // common
    weights = _weights(down, up)
    half = weights.shape[1] // 2
    outputs = torch.arange(-(-len(values) * up // down))
    padded = torch.nn.functional.pad(torch.from_numpy(values), (half, half))
    parts = [
        (padded[(block * down // up).unsqueeze(1) + torch.arange(2 * half)] * weights[block % up]).sum(1)
        for block in torch.split(outputs, 2**14)
    ]
    found: np.ndarray = torch.cat(parts).numpy()
    return found


@lru_cache(maxsize=8)
def _weights(down: int, up: int) -> Tensor:
    """(up, taps) float32: output n is read at n * down / up, so its weights depend on n modulo up alone; tap
    taps / 2 - 1 stands at or just before that place, moved by the zeros in front."""
    cutoff = min(1.0, up / down) * CUTOFF
    half = math.ceil(CROSSINGS / cutoff)
    between = torch.arange(up, dtype=torch.float64) * down % up / up
    distance = torch.arange(2 * half, dtype=torch.float64) - half - between.unsqueeze(1)
    window = torch.special.i0(8.0 * (1 - (distance / half).square()).clamp(min=0).sqrt())  # Kaiser's
    weights: Tensor = torch.sinc(distance * cutoff) * window
    weights /= weights.sum(1, keepdim=True)
    return weights.float()


def stored(entry: Entry, settings: AudioSettings) -> np.ndarray:
    """(time, features) float32 of a .npy or .csv file.

    Raises:
        DataError: it holds no table of finite numbers.
    """
    content = entry.read()
    if PurePosixPath(entry.name).suffix.lower() == ".csv":
        values = _table(content, entry, settings)
    else:
        values = read_npy(io.BytesIO(content), entry.place)
    if values.ndim != 2 or 0 in values.shape:
        raise entry.bad(f"has the shape {values.shape}; (time, features) is needed, none of them 0")
    return values.astype(np.float32)


def _table(content: bytes, entry: Entry, settings: AudioSettings) -> np.ndarray:
    table: list[list[float]] = []
    for number, text in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        if not text.strip():
            continue
        try:
            table.append([float(cell) for cell in text.split(settings.separator)])
        except ValueError:
            table.append([math.nan])
        if not all(abs(cell) <= LARGEST for cell in table[-1]):
            raise entry.bad(f"line {number} holds {text[:40]!r} where finite numbers are needed")
        if len(table[-1]) != len(table[0]):
            raise entry.bad(f"line {number} has {len(table[-1])} numbers, the first {len(table[0])}")
    return np.array(table, np.float64).reshape(len(table), -1)
