"""What happens at a row that can't be used."""

from __future__ import annotations

from pathlib import Path

from rnncli.errors import DataError


class BadRows:
    """Raises the first mistake in a row, or counts them where they are to be skipped."""

    def __init__(self, skip: bool) -> None:
        self.skip, self.count = skip, 0
        self.first: DataError | None = None

    def __call__(self, bad: DataError) -> None:
        if not self.skip:
            raise bad
        self.count += 1
        self.first = self.first or bad

    def none_left(self, place: Path | str) -> DataError:
        """The mistake that there is nothing but bad rows at a place, or nothing at all."""
        why = f"has no row that can be used; the first mistake: {self.first}" if self.count else "has no rows"
        return DataError(why, place)

    def notes(self) -> list[str]:
        return [f"rows left out: {self.count}; the first: {self.first}"] if self.count else []
