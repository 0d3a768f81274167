"""Compiled libraries of this user on this machine: `<key>-<sha256 of the content>.so` in a folder of their own.

The name tells a damaged file from a whole one before it is loaded: mapping one that was cut short would end the
process. A library appears by one rename, so that a kill leaves nothing half-made, and processes that compile the same
at once can't disturb each other.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

from rnncli.errors import CompilerError

UNFINISHED = "compiling-"
UNUSED = 90 * 24 * 3600.0
"""Seconds after which a library that nobody loaded is removed."""
ABANDONED = 3600.0
"""Seconds after which what a killed process left is removed; no compiler is given as long."""


def ready_folder() -> Path:
    """The folder of the libraries, made (0700) where it is absent.

    Raises:
        CompilerError: as `checked_place`.
    """
    folder = checked_place()
    with readable(folder):
        for part in reversed([folder, *folder.parents]):
            if not part.exists():
                part.mkdir(0o700, exist_ok=True)
    return checked_place()  # again: others may have made it in between


def checked_place() -> Path:
    """Where the folder is or can be made; nothing is made.

    Raises:
        CompilerError: it can't be written, code can't be executed there, or others could put code of theirs there.
    """
    folder = _place()
    with readable(folder):
        there = [part for part in (folder, *folder.parents) if part.exists()]
        for part in there:
            _check_owner(part, is_folder=part == folder)
            if part == _home():  # what is above is not the user's choice
                break
        if not there[0].is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there[0]))
        if not os.access(there[0], os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there[0]))
        if os.statvfs(there[0]).f_flag & getattr(os, "ST_NOEXEC", 0):
            raise PermissionError(errno.EACCES, "mounted noexec", str(there[0]))
    return folder


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Within, what the system refuses about files of `folder` becomes one sentence.

    Raises:
        CompilerError: the system said no.
    """
    try:
        yield
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise CompilerError(
            f"{folder}: no place for compiled code ({place}{error.strerror or error}); XDG_CACHE_HOME can name another"
        ) from error


@contextmanager
def in_turn(folder: Path, timeout: float) -> Iterator[None]:
    """Waits until no other process compiles, at most `timeout` seconds; two at once do double work and no harm."""
    from filelock import FileLock  # slow to import, and only needed to compile

    lock = FileLock(folder / "lock")
    with suppress(OSError, NotImplementedError):  # waited too long, or a file system without locks
        lock.acquire(timeout=timeout)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """A folder for what is being made; gone at the end, however it ends."""
    with TemporaryDirectory(prefix=UNFINISHED, dir=folder, ignore_cleanup_errors=True) as name:
        yield Path(name)


def find(folder: Path, key: str) -> Path | None:
    """The library of that key, or None where there is none that is whole; noted as used."""
    for path in sorted(folder.glob(f"{key}-*.so")):
        with suppress(OSError):
            if path.name == _name(key, path.read_bytes()):
                with suppress(OSError):  # a file system that can't be written is no reason to compile again
                    os.utime(path)
                return path
    return None


def keep(folder: Path, key: str, library: Path) -> Path:
    """Moves a new library of that key to its place, and drops what is out of use."""
    content = library.read_bytes()
    with library.open("rb") as file:
        os.fchmod(file.fileno(), 0o700)
        os.fsync(file.fileno())
    path = library.replace(folder / _name(key, content))
    for other in folder.glob(f"{key}-*.so"):
        if other != path:  # damaged, or `find` had found it
            other.unlink(missing_ok=True)
    _sweep(folder, time.time())
    return path


def sizes(folder: Path) -> list[int]:
    """The size of each library, in bytes."""
    with readable(folder):
        return [path.stat().st_size for path in folder.glob("*.so")]


def _name(key: str, content: bytes) -> str:
    return f"{key}-{hashlib.sha256(content).hexdigest()}.so"


def _sweep(folder: Path, now: float) -> None:
    for path in folder.iterdir():
        with suppress(OSError):  # another process may sweep as well
            age = now - path.stat().st_mtime
            if path.suffix == ".so" and age > UNUSED:
                path.unlink()
            elif path.name.startswith(UNFINISHED) and age > ABANDONED:
                rmtree(path)


def _home() -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and a user whom the system does not know
        return None
    return home.resolve() if home.is_absolute() and home.is_dir() else None


def _place() -> Path:
    """Where the folder is or will be, without symbolic links, which others might turn elsewhere."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))  # by its specification, what is not absolute does not count
    try:
        if not named.is_absolute():
            home = _home()
            if home is None:
                raise CompilerError("compiled code has no place: there is no home folder; XDG_CACHE_HOME can name one")
            named = home.joinpath("Library", "Caches") if sys.platform == "darwin" else home / ".cache"
        return (named / "rnncli" / "native").resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise CompilerError(f"compiled code has no place: {error}; XDG_CACHE_HOME can name one") from error


def _check_owner(part: Path, *, is_folder: bool) -> None:
    """Nobody but the user and root may be able to put code into the folder, or another folder in its place.

    Raises:
        CompilerError: somebody is.
    """
    about = part.stat()
    if about.st_uid not in (os.geteuid(), 0):
        raise CompilerError(
            f"{part}: belongs to another user (uid {about.st_uid}), who could put code there; "
            "XDG_CACHE_HOME can name another place for compiled code"
        )
    if is_folder:
        writable = about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    else:  # many a system gives each user a group of his own, which may write; in a sticky folder nobody renames
        writable = about.st_mode & stat.S_IWOTH and not about.st_mode & stat.S_ISVTX
    if writable:
        raise CompilerError(f"{part}: other users can write there, and could put code there; chmod go-w {part}")
