"""How a command ends: exit codes, and one clear message instead of a traceback.

0          done
1          something went wrong that is nobody's mistake (loss not finite, disk full)
2          the user can mend it (config, data, options)
130, 143   stopped by SIGINT, SIGTERM; training can be resumed
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rnncli.errors import RnncliError


@contextmanager
def ending_well() -> Iterator[None]:
    """Turns the errors of rnncli into a message on standard error and an exit code."""
    try:
        yield
    except RnncliError as error:
        print(f"rnncli: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
