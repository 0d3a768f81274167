"""Commands as the shell would call them, in this process; and one small run for all tests."""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from rnncli.cli import main

CONFIG = """\
task: many-to-one
data:
  loader: text
  train: train.csv
  valid: valid.csv
  test: test.csv
  target: {column: label, kind: class}
model:
  embedding_size: 8
  cell: {type: gru, hidden_size: 8}
training: {epochs: 2, batch_size: 16, learning_rate: 0.02, threads: 1, device: cpu}
"""

REVERSES = """\
task: many-to-many
data:
  loader: pairs
  train: pairs.csv
  source: {units: character}
  target: {units: character}
model: {cell: {type: gru, hidden_size: 8}, embedding_size: 8}
decoding: {max_length: 6}
training: {epochs: 2, batch_size: 16, threads: 1, device: cpu}
"""


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Rnncli = Callable[..., Ended]


def write_data(folder: Path) -> None:
    """Texts whose class is one of their words."""
    draw = random.Random(4)
    words = ["sun", "rain", "wind", "snow", "fog"]
    for name, size in (("train", 96), ("valid", 24), ("test", 24)):
        rows = ["id,text,label"]
        for number in range(size):
            label = draw.choice(["good", "bad"])
            text = [*draw.choices(words, k=draw.randint(1, 6)), label]
            draw.shuffle(text)
            rows.append(f"{name}{number},{' '.join(text)},{label}")
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")


@pytest.fixture
def rnncli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Rnncli:
    """Runs `rnncli ARGUMENTS` with `given` at standard input; a traceback fails the test."""

    def run(*arguments: object, given: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "argv", ["rnncli", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a config and its data."""
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; not to be changed."""
    home = tmp_path_factory.mktemp("trained")
    write_data(home)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["rnncli", "train", f"{home}/config.yaml", "--out", f"{home}/run", "--quiet"])
        main()
    assert not ended.value.code
    return home / "run"


@pytest.fixture(scope="session")
def reverses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that writes backwards, and its pairs."""
    folder = tmp_path_factory.mktemp("reverses")
    rows = "".join(f"{number:03d},{f'{number:03d}'[::-1]}\n" for number in range(0, 600, 7))
    (folder / "pairs.csv").write_text("source,target\n" + rows, encoding="utf-8")
    (folder / "config.yaml").write_text(REVERSES, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["rnncli", "train", f"{folder}/config.yaml", "--out", f"{folder}/run", "--quiet"])
        main()
    assert not ended.value.code
    return folder
