"""Everything that can end a command, as one tree.

    RnncliError               exit 1   something went wrong that is nobody's mistake
    ├── TrainingStopped       exit 1   the run could not go on (loss not finite, disk full)
    ├── Interrupted           exit 128 + signal   the user asked to stop; the run can be resumed
    └── UserError             exit 2   something the user can mend
        ├── ConfigError                the configuration: all its mistakes at once
        ├── DataError                  a file or a row of it
        ├── RunError                   a run directory: absent, damaged, locked, of another version
        ├── MissingExtra               a package that this task needs is not installed
        └── CompilerError              no C compiler, one that fails, or no safe place for what it makes

A message is one clear sentence: where, what was found, what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class RnncliError(Exception):
    """The root of the tree; `exit_code` is what the command line returns."""

    exit_code = 1


class TrainingStopped(RnncliError):
    """Training can't go on; the last good checkpoint is kept."""


class Interrupted(RnncliError):
    """A signal asked the run to stop and it stopped between two steps, saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class UserError(RnncliError):
    """A mistake the user can mend; never shown with a traceback."""

    exit_code = 2


class ConfigError(UserError):
    """The mistakes of one configuration, each already a readable block of text."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("\n\n".join(self.mistakes))


class DataError(UserError):
    """A file, or one line of it, that can't be used."""

    def __init__(self, message: str, path: str | Path | None = None, line: int | None = None) -> None:
        self.path, self.line = path, line
        place = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(place + message)


class RunError(UserError):
    """A run directory that is absent, damaged, locked or of another format version."""


class MissingExtra(UserError):
    """A task needs a package of an extra that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package}: pip install 'rnncli[{extra}]'")


class CompilerError(UserError):
    """C code of the native engine can't be compiled, kept or loaded on this machine."""


def nearest(name: str, allowed: Iterable[str]) -> str | None:
    """The allowed name most like `name`, or None where nothing comes close."""
    by_lower = {choice.lower(): choice for choice in allowed}
    found = get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def unknown(noun: str, name: str, allowed: Iterable[str]) -> str:
    """One sentence about a name that is not among the allowed ones."""
    choices = sorted(allowed)
    close = nearest(name, choices)
    hint = f"did you mean {close!r}? " if close else ""
    return f"unknown {noun} {name!r}; {hint}allowed: {', '.join(choices)}"
