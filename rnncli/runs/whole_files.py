"""Files that are either there whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from rnncli.errors import RunError, TrainingStopped


def write_whole(path: Path, content: bytes) -> None:
    """Puts `content` at `path`, or leaves what was there.

    Raises:
        TrainingStopped: the disk is full.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)  # noqa: PTH105 - the call whose atomicity is documented
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TrainingStopped(
                f"{path}: the disk is full; what was saved before is whole, and the run goes on with --resume "
                "when there is room"
            ) from error
        raise


def write_json(path: Path, content: Any) -> None:
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The content of a JSON file of a run.

    Raises:
        RunError: it is absent or not whole.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: not there; the run directory is not complete") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: damaged ({error}); restore it from a copy of the run") from error


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
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except FileNotFoundError as error:
        raise RunError(f"{path}: not there; the run has not got that far") from error
    except safetensors.SafetensorError as error:
        raise RunError(f"{path}: damaged, or no safetensors file ({error}); pickles are never loaded") from error
