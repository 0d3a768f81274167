"""Paths in a config, and what they are relative to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo


class FromCommand(str):
    """Text that was given on the command line, not in the file."""


class FromFolder(str):
    """Text that was given in another file, in `folder`."""

    folder: Path

    def __new__(cls, text: str, folder: Path) -> FromFolder:
        made = super().__new__(cls, text)
        made.folder = folder
        return made

    def __reduce__(self) -> tuple[type[FromFolder], tuple[str, Path]]:
        """What a copy is made of."""
        return FromFolder, (str(self), self.folder)


def _absolute(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str | Path):
        return value
    if not str(value) or "\0" in str(value):
        raise ValueError(f"{str(value)!r} is not a path")
    try:
        path = Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{str(value)!r} names no known home folder") from error
    return Path(os.path.normpath(_base(value, info) / path))


def _base(value: str | Path, info: ValidationInfo) -> Path:
    if isinstance(value, FromCommand) or not isinstance(info.context, Path):
        return Path.cwd()
    folder = value.folder if isinstance(value, FromFolder) else info.context
    return (info.data or {}).get("root") or folder.absolute()


InputPath = Annotated[Path, BeforeValidator(_absolute)]
"""A path that is made absolute, links left as they are.

Given in a file it is relative to the field `root` declared before it in the same settings, or without one to the
file's folder, which is the validation context. Given by --set, or in Python, it is relative to the current folder.
"""


def _below_root(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, dict):
        return value
    # Settings below don't see the `root` beside them.
    return {key: FromFolder(part, _base(part, info)) if _of_file(part) else part for key, part in value.items()}


def _of_file(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, FromCommand)


BelowRoot = BeforeValidator(_below_root)
"""Of a field that may hold settings with fields `InputPath`: the `root` beside that field counts for them too."""


def _listed(value: Path | list[Path]) -> list[Path]:
    return value if isinstance(value, list) else [value]


if TYPE_CHECKING:
    InputPaths = list[Path]
else:
    InputPaths = Annotated[InputPath | list[InputPath], AfterValidator(_listed)]
    """One path or a list of them, as a list."""
