"""Text loaders of small files."""

from pathlib import Path

from rnncli.inputs.text.loader import TextLoader
from rnncli.inputs.text.settings import TextSettings

CLASS = {"kind": "class", "column": "label"}


def loader(train, task="many-to-one", **settings):
    settings = {"target": CLASS} | settings
    for part in ("valid", "test"):
        if part in settings:
            settings[part] = [settings[part]]
    return TextLoader(TextSettings(loader="text", train=[train], **settings), task)


def write(path: Path, text: str, encoding="utf-8", newline="\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding, newline=newline)
    return path


def decoded(loader, dataset):
    """The units of each row of a dataset."""
    entries = loader.features["tokens"], loader.state()["vocabulary"]
    tokens = dataset.inputs["tokens"]
    ids, offsets = tokens.flat.tolist(), tokens.offsets
    return [[entries[1][id] for id in ids[offsets[k] : offsets[k + 1]]] for k in range(len(tokens))]


def table(rows, header="text,label"):
    return "\n".join([header, *rows]) + "\n"


MANY = [f"{word} word{k},{word}" for k in range(20) for word in ("good", "bad")]
"""Forty rows of two classes, all texts distinct."""
