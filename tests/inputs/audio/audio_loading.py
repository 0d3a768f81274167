"""Audio loaders of small files with tones."""

import json
from pathlib import Path

import numpy as np
import soundfile

from rnncli.inputs.audio.loader import AudioLoader
from rnncli.inputs.audio.settings import AudioSettings

CLASS = {"kind": "class"}
TEXT = {"kind": "sequence", "column": "word"}
NAME = r"(?P<word>[a-z]+)_(?P<speaker>[a-z]+)_(?P<index>\d+)"
FREQUENCIES = {"low": 300.0, "high": 1700.0}


def tone(frequency: float, seconds: float = 0.2, rate: int = 8000, seed: int = 0) -> np.ndarray:
    """A tone with a little noise, so that no two are equal."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(scale=0.01, size=len(times))
    return 0.3 * np.sin(2 * np.pi * frequency * times) + noise


def write(path: Path, samples: np.ndarray, rate: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


def spoken(folder: Path, speakers: tuple[str, ...] = ("ann", "bob"), count: int = 5) -> Path:
    """`count` recordings of each word of each speaker, of lengths that differ: low_ann_0.wav."""
    seed = 0
    for word, frequency in FREQUENCIES.items():
        for speaker in speakers:
            for index in range(count):
                seed += 1
                samples = tone(frequency + 10 * seed, 0.1 + 0.013 * seed, seed=seed)
                write(folder / f"{word}_{speaker}_{index}.wav", samples)
    return folder


def settings(train, **options):
    for part in ("valid", "test"):
        if part in options:
            options[part] = [options[part]]
    return AudioSettings(loader="audio", train=[train], **({"target": CLASS} | options))


def loader(train, **options):
    made = settings(train, **options)
    return AudioLoader(made, "many-to-one" if made.target.kind == "class" else "many-to-many")


def features(dataset) -> list[np.ndarray]:
    """(time, width) of each example."""
    ragged = dataset.inputs["features"]
    return np.split(ragged.flat.numpy(), ragged.offsets[1:-1])


def texts(dataset) -> list[str]:
    return [reference[0] for reference in dataset.references]


def same(ours, theirs):
    assert len(ours) == len(theirs)
    for one, other in zip(features(ours), features(theirs), strict=True):
        np.testing.assert_array_equal(one, other)


def restored(trained):
    again = AudioLoader(trained.settings, trained.task)
    again.restore(json.loads(json.dumps(trained.state())))
    return again
