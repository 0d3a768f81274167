"""rnncli: train, evaluate, predict with and ablate recurrent neural networks from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnncli.runs.load import LoadedRun

__version__ = "0.1.0"


def load(path: str | Path) -> LoadedRun:
    """A trained run, ready for `predict(frame_or_texts)`.

    Raises:
        RunError: no run there, or one that is damaged.
    """
    from rnncli.runs.load import LoadedRun

    return LoadedRun(path)
