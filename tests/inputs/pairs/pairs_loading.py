"""Pairs loaders of small files."""

import json
from pathlib import Path

from rnncli.inputs.pairs.loader import PairsLoader
from rnncli.inputs.pairs.settings import PairsSettings

NONE_HELD_OUT = {"valid": 0, "test": 0}
CHARACTERS = {"units": "character"}


def loader(train, task="many-to-many", **settings):
    return PairsLoader(PairsSettings(loader="pairs", train=train, **settings), task)


def only_train(train, task="many-to-many", **settings):
    """The loader, and its training part with nothing held out."""
    made = loader(train, task, split=NONE_HELD_OUT, **settings)
    return made, made.load()["train"]


def restored(trained):
    again = PairsLoader(trained.settings, trained.task)
    again.restore(json.loads(json.dumps(trained.state())))
    return again


def write(path: Path, *lines, encoding="utf-8") -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding=encoding, newline="\n")
    return path


def rows_of(ragged):
    """The ids of each example."""
    flat = ragged.flat.tolist()
    return [flat[start:stop] for start, stop in zip(ragged.offsets, ragged.offsets[1:], strict=False)]


def read_back(made, dataset):
    """Source as units, and the text of the target, of each example."""
    entries = made.state()["sources"]["vocabulary"]
    sources = [[entries[id] for id in row] for row in rows_of(dataset.inputs["tokens"])]
    return list(zip(sources, map(made.target.text, rows_of(dataset.answers)), strict=True))


def raising(bad):
    raise bad
