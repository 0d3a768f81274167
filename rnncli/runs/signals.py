"""SIGINT and SIGTERM as a question that is asked between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rnncli.errors import Interrupted


class Asked:
    """Which signal has asked the run to stop, or None. A second signal ends the process at once.

    Attributes:
        waiting: what to raise at once when a signal comes, as nothing is under way; None while something is.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.waiting: Callable[[int], Interrupted] | None = None


@contextmanager
def stop_between_steps() -> Iterator[Asked]:
    """Within, the first SIGINT or SIGTERM is only noted. Does nothing outside the main thread."""
    asked = Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        asked.signal = number
        for each, handler in before.items():
            signal.signal(each, handler)
        if asked.waiting is not None:
            raise asked.waiting(number)

    for number in before:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
