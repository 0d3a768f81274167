"""Code that this user has trained with on this machine: it is executed without asking again."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock

from rnncli.errors import RnncliError


def trusted(sha256: str) -> bool:
    """Whether code of that hash has been trained with here."""
    try:
        return sha256 in _file().read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):  # not there, or nothing that was written here
        return False


def trust(sha256: str) -> str | None:
    """Notes that code of that hash is trained with here; where that can't be written, a sentence that says so."""
    if trusted(sha256):
        return None
    from rnncli.runs.whole_files import write_whole  # needs torch, which a question need not wait for

    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f"{file.name}.lock")):
            known = file.read_bytes() if file.exists() else b""
            write_whole(file, known + f"{sha256}\n".encode())
    except (OSError, RnncliError) as error:
        return f"{file}: can't be written ({error}); --allow-code will be needed to use this run"
    return None


def _file() -> Path:
    """One hash a line."""
    state = Path(os.environ.get("XDG_STATE_HOME", ""))  # by its specification, what is not absolute does not count
    return (state if state.is_absolute() else Path.home() / ".local" / "state") / "rnncli" / "trusted-cells"
