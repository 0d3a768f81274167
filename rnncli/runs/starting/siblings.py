"""Files that stand beside a training file and are named like its validation and test part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_TRAIN = re.compile(r"(train|training|trn)(?![a-z])", re.IGNORECASE)
_WORDS = {"valid": ("valid", "validation", "dev", "val"), "test": ("test", "tst")}


@dataclass(frozen=True)
class Parts:
    """The files of a data set; None for a part that is to be cut from the training part."""

    train: Path
    valid: Path | None = None
    test: Path | None = None

    def split(self, share: float) -> dict[str, float]:
        """That share for every part without a file of its own."""
        return dict.fromkeys((name for name in ("valid", "test") if getattr(self, name) is None), share)

    def drawn(self, examples: int) -> dict[str, float]:
        """The shares that are drawn by seed from so many examples."""
        return self.split(0.1 if examples >= 500 else 0.2)


def parts_of(path: Path) -> Parts:
    """The file or folder as training part, with those whose names differ from it only in saying valid, dev or test.

    train.tsv goes with dev.tsv and test.tsv, X_TRAIN.ts with X_TEST.ts. A file whose own name doesn't say train stands
    alone; of a folder that holds the folders train and test, these are taken.
    """
    if path.is_dir() and (path / "train").is_dir() and _TRAIN.search(path.name) is None:
        path = path / "train"
    found = list(_TRAIN.finditer(path.name))
    if not found:
        return Parts(path)
    said = found[-1]

    def sibling(part: str) -> Path | None:
        for word in _WORDS[part]:
            name = path.name[: said.start()] + _written_like(said.group(), word) + path.name[said.end() :]
            if (path.parent / name).exists():
                return path.parent / name
        return None

    return Parts(path, sibling("valid"), sibling("test"))


def _written_like(pattern: str, word: str) -> str:
    return word.upper() if pattern.isupper() else word.capitalize() if pattern[0].isupper() else word
