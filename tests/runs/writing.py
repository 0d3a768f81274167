"""Small files and configs of every model that writes."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

from .small import series_config, write_series

NUMBERS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier"}
GRU = {"type": "gru", "hidden_size": 6}


def write_pairs(path: Path, count: int = 40, seed: int = 1, numbers: dict[str, str] = NUMBERS) -> Path:
    """Numbers in two languages."""
    draw, lines = random.Random(seed), ["source\ttarget"]
    for _ in range(count):
        words = draw.choices(list(numbers), k=draw.randint(1, 6))
        lines.append("\t".join([" ".join(words), " ".join(numbers[word] for word in words)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pairs_config(folder: Path, decoder: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {
        "task": "many-to-many",
        "data": {"loader": "pairs", "train": str(write_pairs(folder / "pairs.tsv")), **data},
        "model": {
            "cell": GRU, "embedding_size": 5, "bidirectional": True, "decoder": decoder,
            "dropout": {"word": 0.1, "embedding": 0.1, "output": 0.2},
        },
        "training": {"epochs": 2, "batch_size": 8, "learning_rate": 0.02, "threads": 1},
    }  # fmt: skip


def captions_config(folder: Path) -> dict[str, Any]:
    """Pictures that are moved and mirrored, three captions each."""
    images, lines = folder / "images", []
    images.mkdir()
    for row in range(16):
        values = np.random.default_rng(row).integers(0, 256, (8, 12, 3), dtype=np.uint8)
        Image.fromarray(values).save(images / f"a{row}.png")
        lines += [f"a{row}.png#{number}\tthing {row % 4} {'seen ' * number}" for number in range(3)]
    (folder / "captions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sampling = {"scheduled_sampling": 0.5, "scheduled_sampling_steps": 9}
    return {
        "task": "one-to-many",
        "data": {
            "loader": "captions", "images": str(images), "train": str(folder / "captions.txt"), "size": [8, 12],
            "split": {"valid": 0.2, "test": 0.2},
        },
        "model": {
            "cell": GRU, "embedding_size": 5, "decoder": sampling,
            "image_encoder": {"channels": [8, 16], "dropout": 0.2, "flip": True, "shift": 2},
        },
        "training": {"epochs": 2, "batch_size": 6, "threads": 1},
    }  # fmt: skip


def spectra_config(folder: Path) -> dict[str, Any]:
    """Tones that say letters, under CTC and with bands and stretches hidden."""
    draw, sounds = random.Random(3), folder / "sounds"
    sounds.mkdir()
    for row in range(24):
        word = "".join(draw.choice("ab") for _ in range(3))
        times = (np.arange(400) + row) / 8000
        heard = [400 + 9 * row if each == "a" else 1500 for each in word]
        samples = np.concatenate([np.sin(2 * math.pi * frequency * times) for frequency in heard])
        soundfile.write(sounds / f"{word}_{row}.wav", 0.3 * samples, 8000, subtype="PCM_16")
    return {
        "task": "many-to-many",
        "data": {
            "loader": "audio", "train": str(sounds), "name": r"(?P<word>[ab]+)_\d+",
            "target": {"kind": "sequence", "column": "word", "units": "character"},
            "split": {"valid": 0.2, "test": 0.2},
        },
        "model": {
            "cell": GRU, "bidirectional": True, "head": {"type": "ctc"},
            "spec_augment": {"frequency_masks": 1, "frequency_width": 4, "time_masks": 1, "time_width": 3},
        },
        "training": {"epochs": 2, "batch_size": 4, "threads": 1},
    }  # fmt: skip


def forecast_config(folder: Path) -> dict[str, Any]:
    config = series_config(write_series(folder / "series.csv"))
    config["model"]["decoder"] = {"scheduled_sampling": 0.5, "scheduled_sampling_steps": 9}
    return config
