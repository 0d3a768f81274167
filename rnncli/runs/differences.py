"""What may change between the beginning of a run and its resumption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rnncli.errors import RunError
from rnncli.runs.config import RunConfig

PLACES = {"data.root", "data.train", "data.valid", "data.test", "model.cell.file"}
PLACES |= {f"data.{part}.{side}" for part in ("train", "valid", "test") for side in ("source", "target")}
"""Where data and code are: their content may not change, and its hashes tell."""

CHANGEABLE = {"training.epochs", "training.max_time", "training.patience", "training.threads", "training.device"}
"""Keys that leave the steps already done what they were."""


def refuse_differences(begun: RunConfig, now: RunConfig, path: Path) -> None:
    """Compares the config a run began with and the one it is to go on with.

    Raises:
        RunError: they differ in more than may change.
    """
    was, wanted = dict(_flat(begun.model_dump(mode="json"))), dict(_flat(now.model_dump(mode="json")))
    differing = [
        f"{key} was {was.get(key)!r}, now {wanted.get(key)!r}"
        for key in sorted(was | wanted)
        if key not in CHANGEABLE | PLACES and was.get(key) != wanted.get(key)
    ]
    if differing:
        raise RunError(
            f"{path}: the config is not the one the run began with: {'; '.join(differing)}; "
            f"on --resume may change: {', '.join(sorted(CHANGEABLE))}"
        )


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
