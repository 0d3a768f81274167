"""Files that are either there whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from rnncli.errors import RunError, TrainingStopped

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within, the system may refuse to write `path`.

    Raises:
        TrainingStopped: the disk is full.
        RunError: the system says no for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise TrainingStopped(
                f"{path}: the disk is full ({error.strerror}); what was saved before is whole, and the run goes on "
                "with --resume when there is room"
            ) from error
        raise RunError(f"{path}: can't be written: {error.strerror}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Puts `content` at `path`, or leaves what was there. One process at a time may write a path.

    Raises:
        TrainingStopped, RunError: as `writing`.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    with writing(path):
        try:
            with unfinished.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in a JSON file of a run.

    Raises:
        RunError: it is absent or not whole.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: not there; the run directory is not complete") from error
    except OSError as error:
        raise RunError(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise RunError(f"{path}: damaged ({error}); restore it from a copy of the run") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged (no mapping); restore it from a copy of the run")
    return content


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """Tensors as safetensors, with text beside them; tensors that share memory are stored each by itself."""
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    write_whole(path, safetensors.torch.save(plain, dict(about)))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file and the text beside them; nothing else is ever unpacked.

    Raises:
        RunError: it is absent, cut short, or of another form (a pickle, say).
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            # Cloned, or they would stay views of the file.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except FileNotFoundError as error:
        raise RunError(f"{path}: not there; the run has not got that far") from error
    except OSError as error:
        raise RunError(f"{path}: can't be read: {error.strerror or error}") from error
    except safetensors.SafetensorError as error:
        raise RunError(f"{path}: damaged, or no safetensors file ({error}); pickles are never loaded") from error
