"""Small albums with captions."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from rnncli.inputs.captions.loader import CaptionsLoader
from rnncli.inputs.captions.settings import CaptionsSettings

COLOURS = ("red", "green", "blue", "grey")


def pixels(seed: int, height: int = 6, width: int = 10) -> np.ndarray:
    """(height, width, 3) at random."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def write_images(folder: Path, count: int, suffix: str = ".png", **shape: int) -> Path:
    """Images a0, a1, ... that all differ."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        Image.fromarray(pixels(k, **shape)).save(folder / f"a{k}{suffix}")
    return folder


def zipped(folder: Path, below: str = "") -> Path:
    """The files of a folder in a zip beside it."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as file:
        for one in sorted(folder.iterdir()):
            file.write(one, below + one.name)
    return path


def tokens(path: Path, count: int, each: int = 2) -> Path:
    """Captions in the form of Flickr8k, `each` of every image; the last image comes first."""
    names = [(k, n) for k in reversed(range(count)) for n in range(each)]
    path.write_text("".join(f"a{k}.png#{n}\tA {COLOURS[k % 4]} thing number {k} {'seen ' * n}.\n" for k, n in names))
    return path


def listing(path: Path, *numbers: int) -> Path:
    path.write_text("".join(f"a{k}.png\n" for k in numbers))
    return path


def loader(images: Path, train: Path, task: str = "one-to-many", **settings) -> CaptionsLoader:
    for part in ("valid", "test"):
        if part in settings:
            settings[part] = [settings[part]]
    made = {"size": (6, 10)} | settings
    if made["size"] is None:
        del made["size"]
    return CaptionsLoader(CaptionsSettings(loader="captions", images=images, train=[train], **made), task)


def shown(dataset, row: int) -> np.ndarray:
    """(height, width, 3) of the image of an example."""
    return dataset.batch(np.array([row])).inputs["image"].values[0, 0].permute(1, 2, 0).numpy()


def said(made: CaptionsLoader, dataset, row: int) -> str:
    """The text of an example's target."""
    batch = dataset.batch(np.array([row]))
    return made.target.text(batch.targets[0, : batch.target_lengths[0]].tolist())
