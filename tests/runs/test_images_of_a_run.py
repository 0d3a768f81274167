"""Images of a folder are data of a run like any file: they may lie elsewhere, and may not change."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rnncli.config import read
from rnncli.errors import RunError
from rnncli.runs.config import RunConfig
from rnncli.runs.evaluate import evaluate_run
from rnncli.runs.load import LoadedRun
from rnncli.runs.train import train

from .small import config_of, trained, untouched


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run on twelve images with a caption each, and an image that has none."""
    album = tmp_path / "album"
    album.mkdir()
    for number, pixels in enumerate(np.random.default_rng(1).integers(0, 256, (13, 16, 8, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(album / f"{number}.png")
    lines = [f"{number}.png,{'a bright one' if number % 3 else 'a dark one'}" for number in range(12)]
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *lines]) + "\n")
    config = {
        "task": "one-to-many",
        "data": {"loader": "captions", "images": str(album), "train": str(tmp_path / "captions.csv"), "size": [16, 8]},
        "model": {
            "image_encoder": {"channels": [8]}, "cell": {"type": "gru", "hidden_size": 3}, "embedding_size": 2,
        },
        "training": {"epochs": 1, "batch_size": 4, "threads": 1},
    }  # fmt: skip
    trained(config_of(config, tmp_path), tmp_path / "run")
    return tmp_path


def longer(folder: Path, *overrides: str) -> RunConfig:
    return read(folder / "run/config.yaml", RunConfig, ["training.epochs=2", *overrides])


def test_the_same_images_elsewhere(folder: Path) -> None:
    shutil.move(folder / "album", folder / "moved")
    (folder / "moved/12.png").unlink()
    config = longer(folder, f"data.images={folder / 'moved'}")
    assert trained(config, folder / "run", resume=True)["epochs"] == 2


def test_a_changed_image_is_refused(folder: Path) -> None:
    shutil.copy(folder / "album/12.png", folder / "album/1.png")
    with untouched(folder / "run"):
        with pytest.raises(RunError, match="changed since"):
            list(train(longer(folder), folder / "run", resume=True))
        with pytest.raises(RunError, match="changed since"):
            evaluate_run(LoadedRun(folder / "run"), None, "test")
