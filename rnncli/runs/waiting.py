"""Standard input that a signal may end while it is waited for, and at no other time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rnncli.errors import Interrupted
from rnncli.runs.signals import Asked


class Waiting(io.BufferedIOBase):
    """The same bytes; raises Interrupted where a signal has come or comes before there are any.

    Args:
        message: what the user is told then.
    """

    def __init__(self, source: BinaryIO, asked: Asked, message: str) -> None:
        super().__init__()
        self._source, self._asked, self._message = source, asked, message

    def readable(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> bytes:
        with self._waited_for():
            return self._source.readline(-1 if size is None else size)

    def read(self, size: int | None = -1, /) -> bytes:
        with self._waited_for():
            return self._source.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        with self._waited_for():
            return self._source.read1(size) if isinstance(self._source, io.BufferedReader) else self._source.read(size)

    @contextmanager
    def _waited_for(self) -> Iterator[None]:
        self._asked.waiting = self._interrupted
        try:
            if self._asked.signal is not None:
                raise self._interrupted(self._asked.signal)
            yield
        finally:
            self._asked.waiting = None

    def _interrupted(self, number: int) -> Interrupted:
        return Interrupted(self._message, number)
