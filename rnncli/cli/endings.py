"""How a command ends: exit codes, and one clear message instead of a traceback.

0          done
1          something went wrong that is nobody's mistake (loss not finite, disk full)
2          the user can mend it (config, data, options)
130, 143   stopped by SIGINT, SIGTERM; training can be resumed
141        whoever read the output closed the pipe, as head does
"""

from __future__ import annotations

import errno
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rnncli.errors import RnncliError

_WRONG_PLACE = (
    FileNotFoundError,
    FileExistsError,
    NotADirectoryError,
    IsADirectoryError,
    PermissionError,
)
_WRONG_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EROFS)


@contextmanager
def ending_well() -> Iterator[None]:
    """Turns the errors of rnncli, and of the file system, into a message on standard error and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no reason to stop
    try:
        yield
    except RnncliError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        mended = isinstance(error, _WRONG_PLACE) or error.errno in _WRONG_NAME
        _end(place + (error.strerror or str(error)), 2 if mended else 1)


def _end(message: str, exit_code: int) -> None:
    print(f"rnncli: {message}", file=sys.stderr)
    sys.exit(exit_code)
