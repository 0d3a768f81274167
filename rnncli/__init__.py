"""rnncli: train, evaluate, predict with and ablate recurrent neural networks from YAML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnncli.layers.conversion import from_keras, from_torch, load_keras, load_torch, to_keras, to_torch
    from rnncli.runs.load import LoadedRun

__version__ = "0.1.0"

__all__ = ["from_keras", "from_torch", "load", "load_keras", "load_torch", "to_keras", "to_torch"]


def load(path: str | Path, *, allow_code: bool = False) -> LoadedRun:
    """A trained run, ready for `predict(frame_or_texts)`.

    Args:
        allow_code: execute the code of a cell of the user's own, also where the run was trained elsewhere.

    Raises:
        RunError: no run there, or one that is damaged.
        UserError: the run has code that was not trained with here, and is not allowed.
    """
    from rnncli.runs.load import LoadedRun

    return LoadedRun(path, allow_code=allow_code)


def __getattr__(name: str) -> Any:
    """The conversions of weights, imported when they are asked for: they need torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rnncli.layers import conversion

    return getattr(conversion, name)
