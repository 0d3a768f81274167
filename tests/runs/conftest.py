"""One trained run to copy and to spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .small import config_of, texts_config, trained, write_texts


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    config = config_of(texts_config(write_texts(folder / "texts.csv"), epochs=4), folder)
    trained(config, folder / "run")
    return folder


@pytest.fixture
def folder(trained_folder: Path, tmp_path: Path) -> Path:
    """A folder with `texts.csv`, `config.yaml` and the finished `run`."""
    place = tmp_path / "copy"
    shutil.copytree(trained_folder, place)
    # The config names the data of the first folder: each test has its own.
    for config in (place / "config.yaml", place / "run" / "config.yaml"):
        config.write_text(config.read_text().replace(str(trained_folder), str(place)))
    return place
