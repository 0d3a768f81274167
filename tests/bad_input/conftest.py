"""The command line as a user meets it, and a good file, config and run for each loader to spoil."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from rnncli.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self, *sentences: str) -> None:
        """It is a mistake of the user's, told in one message that holds these sentences, and nothing else is said."""
        assert self.code == 2, self
        assert self.out == ""
        assert self.err.startswith("rnncli: ") and self.err.count("rnncli: ") == 1, self.err
        for sentence in sentences:
            assert sentence in self.err

    def done(self) -> None:
        assert self.code == 0, self


Command = Callable[..., Ended]


def rnncli(*arguments: object, stdin: bytes = b"") -> Ended:
    """Runs a command in this process; an error that escapes it, which a user would see as a traceback, is raised."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["rnncli", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        try:
            main()
        except SystemExit as end:
            code = end.code
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]
    assert isinstance(code, int | None)
    return Ended(code or 0, *texts)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    return rnncli


MODEL = """
model: {embedding_size: 3, cell: {type: gru, hidden_size: 4}}
training: {epochs: 1, batch_size: 16, threads: 1}
"""
SERIES_MODEL = MODEL.replace("embedding_size: 3, ", "")

TEXTS = {
    "file": "reviews.csv",
    "config": "task: many-to-one\ndata: {loader: text, train: FILE, target: {column: label, kind: class}MORE}" + MODEL,
    "good": "text,label\n"
    + "".join(f"film {k} is {'good' if k % 2 else 'bad'},{'yes' if k % 2 else 'no'}\n" for k in range(30)),
}
FORECASTS = {
    "file": "load.csv",
    "config": "task: many-to-many\ndata: {loader: time-series, train: FILE, time: time, context: 4, horizon: 2, "
    "target: {columns: load, kind: forecast}MORE}" + SERIES_MODEL,
    "good": "time,load,wind\n" + "".join(f"2024-01-01 {k // 60:02}:{k % 60:02},{k % 7},{k}\n" for k in range(80)),
}
GESTURES = {
    "file": "gestures.csv",
    "config": "task: many-to-one\ndata: {loader: time-series, train: FILE, series: id, time: step, covariates: [x], "
    "target: {columns: label, kind: class}MORE}" + SERIES_MODEL,
    "good": "id,step,x,label\n"
    + "".join(
        f"g{k},{step},{k + step / 7},{'up' if k % 2 else 'down'}\n" for k in range(30) for step in range(1 + k % 4)
    ),
}
SENTENCES = {
    "file": "names.conll",
    "config": "task: many-to-many\ndata: {loader: tagging, train: FILEMORE}" + MODEL,
    "good": "".join(f"word{k} A\nthe B\nend O\n\n" for k in range(30)),
}
LOADERS = {"texts": TEXTS, "forecasts": FORECASTS, "gestures": GESTURES, "sentences": SENTENCES}


@dataclass(frozen=True)
class Case:
    """A loader's good content and what to do with it.

    Attributes:
        run: a run trained on the good file.
    """

    file: str
    config: str
    good: str
    run: Path

    def write(self, content: str | bytes, more: str = "", name: str | None = None) -> Path:
        """Puts a file and `config.yaml` that trains on it into the current folder; the path of the file."""
        path = Path.cwd() / (name or self.file)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        config = self.config.replace("FILE", path.name).replace("MORE", more)
        Path("config.yaml").write_text(config, encoding="utf-8")
        return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("trained")
    cases = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, parts in LOADERS.items():
            cases[name] = Case(**parts, run=folder / "runs" / name)
            cases[name].write(parts["good"])
            rnncli("train", "config.yaml", "--quiet", "--out", cases[name].run).done()
    return cases


@pytest.fixture
def texts(trained: dict[str, Case]) -> Case:
    return trained["texts"]


@pytest.fixture
def forecasts(trained: dict[str, Case]) -> Case:
    return trained["forecasts"]


@pytest.fixture
def gestures(trained: dict[str, Case]) -> Case:
    return trained["gestures"]


@pytest.fixture
def sentences(trained: dict[str, Case]) -> Case:
    return trained["sentences"]
