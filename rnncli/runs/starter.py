"""A config to start from: looks at a file, guesses, and writes down what each guess rests on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from rnncli.config import read
from rnncli.errors import UserError, unknown
from rnncli.inputs.audio.entries import SOUNDS
from rnncli.inputs.captions.album import SUFFIXES as IMAGES
from rnncli.inputs.catalogue import LOADER_SETTINGS
from rnncli.inputs.files import COMPRESSED, check_exists, suffix
from rnncli.inputs.members import Members
from rnncli.inputs.tables import format_of
from rnncli.inputs.targets import TaskMode
from rnncli.runs.config import RunConfig
from rnncli.runs.starting.draft import Draft, Line, text_of
from rnncli.runs.starting.head import look
from rnncli.runs.starting.roles import is_wide, roles_of
from rnncli.runs.starting.series import draft_table
from rnncli.runs.starting.siblings import Parts, parts_of
from rnncli.runs.starting.table import look_at_table
from rnncli.runs.starting.tagged import draft_tagging, looks_tagged
from rnncli.runs.starting.texts import draft_text
from rnncli.runs.starting.whole_series import draft_frames, draft_ts

DRAFTED = ("text", "tagging", "time-series")
"""The loaders whose configs init writes."""

_BY_HAND = f"init writes configs of the loaders {', '.join(DRAFTED)}; write this one by hand"

OTHERS = dict.fromkeys(SOUNDS, "audio") | dict.fromkeys(IMAGES, "captions") | {".dict": "pairs"}
"""The loaders of files, by their suffixes, whose configs it doesn't."""

TAGGED = (".conll", ".conllu", ".bio", ".iob", ".iob2")


def write_starter(
    path: Path, out: Path, task: str | None = None, loader: str | None = None, force: bool = False
) -> RunConfig:
    """Writes a commented config for a file or folder that trains, and reads it back.

    Args:
        task, loader: guessed from the file where not given.
        force: overwrite what is there.

    Raises:
        UserError: the file can't serve the task, or `out` exists.
    """
    if task is not None and task not in get_args(TaskMode):
        raise UserError("--task: " + unknown("task", task, get_args(TaskMode)))
    if loader is not None and loader not in LOADER_SETTINGS:
        raise UserError("--loader: " + unknown("loader", loader, LOADER_SETTINGS))
    if loader is not None and loader not in DRAFTED:
        raise UserError(f"--loader {loader}: {_BY_HAND}; `rnncli describe options data` has its options")
    if task == "one-to-many":
        raise UserError(f"--task {task}: {_BY_HAND}, with loader: pairs or captions")
    check_exists(path)
    if out.exists() and not force:
        raise UserError(f"{out}: is there already; --force overwrites it, --out names another file")
    if not out.parent.is_dir():
        raise UserError(f"{out}: there is no folder {out.parent}")
    parts = parts_of(path)
    loader = loader or guess_loader(parts.train)
    draft = _drafter(loader, parts.train)(parts, task)
    text = text_of(draft, out.name, parts.train.name, loader, _files(parts, out.parent))
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        config = read(unfinished, RunConfig)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    return config


def config_name(path: Path) -> str:
    """What the config for a file or folder is called: "train.yaml" for "train.csv.gz"."""
    name = path.resolve().name
    if path.suffix.lower() in COMPRESSED:
        name = path.with_suffix("").name
    stem = name if path.is_dir() else Path(name).stem
    return f"{stem}.yaml"


def guess_loader(path: Path) -> str:
    """The loader for a file, by its name or else by its content.

    Raises:
        UserError: no loader fits.
    """
    kind = suffix(path)
    inside = {suffix(Path(name)) for name in Members(path).names} if path.is_dir() or kind == ".zip" else {kind}
    other = next((OTHERS[each] for each in sorted(inside) if each in OTHERS), None)
    if (other and ".txt" not in inside) or kind == ".zip":
        fitting = f"loader: {other}" if other else "loader: captions or audio"
        raise UserError(f"{path}: {_BY_HAND}, with {fitting}; `rnncli describe options data` has its options")
    if path.is_dir():
        return "text"
    if kind in (".npy", ".npz"):
        raise UserError(
            f"{path}: init doesn't look into arrays; write the config by hand, with loader: time-series and data.index"
        )
    if kind in TAGGED:
        return "tagging"
    if kind in (".ts", ".json"):
        return "time-series"
    if format_of(path) not in ("jsonl", "parquet") and looks_tagged(look(path)):
        return "tagging"
    if format_of(path) is None:
        return "text"
    table = look_at_table(path)
    if is_wide(table):
        return "time-series"
    roles = roles_of(table)
    texts = any(not column.numeric and column.times is None and column.words >= 4 for column in table.columns)
    return "text" if texts or not roles.numbers else "time-series"


def _drafter(loader: str, path: Path) -> Callable[[Parts, str | None], Draft]:
    if loader == "text":
        return draft_text
    if loader == "tagging":
        return draft_tagging
    return {".ts": draft_ts, ".json": draft_frames}.get(suffix(path), draft_table)


def _files(parts: Parts, folder: Path) -> list[Line]:
    """The lines that name the files, relative to the folder of the config."""
    there = {"train": parts.train, "valid": parts.valid, "test": parts.test}
    given = {name: path for name, path in there.items() if path is not None}
    paths = {name: os.path.relpath(path, folder) for name, path in given.items()}
    beside = {"train": ""} | dict.fromkeys(("valid", "test"), "stands beside the training file")
    root = os.path.relpath(parts.train.parent, folder)
    if len(given) > 1 and root != ".":
        named = [Line(name, path.name, beside[name]) for name, path in given.items()]
        return [Line("root", root), *named]
    return [Line(name, path, beside[name]) for name, path in paths.items()]
