"""What may change between the beginning of a run and its resumption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnncli.errors import RunError
from rnncli.runs.config import RunConfig

CHANGEABLE = {
    "data.root",
    "training.epochs",
    "training.max_time",
    "training.patience",
    "training.threads",
    "training.device",
}
"""Keys that leave the steps already done what they were."""


def refuse_differences(begun: RunConfig, now: RunConfig, path: Path) -> None:
    """Compares the config a run began with and the one it is to go on with.

    Raises:
        RunError: they differ in more than may change.
    """
    was, wanted = dict(_flat(begun.model_dump(mode="json"))), dict(_flat(now.model_dump(mode="json")))
    may_change = CHANGEABLE | (_places(begun) & _places(now))
    differing = [
        f"{key} was {was.get(key)!r}, now {wanted.get(key)!r}"
        for key in sorted(was | wanted)
        if key not in may_change and was.get(key) != wanted.get(key)
    ]
    if differing:
        raise RunError(
            f"{path}: the config is not the one the run began with: {'; '.join(differing)}; "
            f"on --resume may change: {', '.join(sorted(CHANGEABLE))}, and where files are"
        )


def _places(config: RunConfig) -> set[str]:
    """Keys that say where data and code are: their content may not change, and its hashes tell."""
    flat = _flat({"data": config.data.model_dump(), "model": config.model.model_dump()})
    return {key for key, value in flat if all(isinstance(each, Path) for each in _several(value))}


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) and value else [value]


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
