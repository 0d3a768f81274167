"""The code of a cell of the user's own: where a run keeps it, and when it may be executed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnncli.cells.own import OwnCellSettings
from rnncli.cells.source import Source, executing_only
from rnncli.errors import RunError, UserError
from rnncli.inputs.files import sha256
from rnncli.runs.config import RunConfig
from rnncli.runs.trusted import trusted


def own_source(settings: RunConfig) -> Source | None:
    """The code of the config's cell, where that is the user's own."""
    cell = settings.model.cell
    return cell.source if isinstance(cell, OwnCellSettings) else None


def with_code_at(settings: RunConfig, file: str) -> RunConfig:
    """The config with another place for its code, if it has any; relative to the config, so that both can be moved."""
    if own_source(settings) is None:
        return settings
    cell = settings.model.cell.model_copy(update={"file": Path(file)})
    return settings.model_copy(update={"model": settings.model.model_copy(update={"cell": cell})})


def refuse_other_code(settings: RunConfig, digest: str | None, run: Path) -> None:
    """Compares the code of a config with the one that a run began with.

    Raises:
        RunError: they differ.
    """
    cell = settings.model.cell
    if isinstance(cell, OwnCellSettings) and cell.source.sha256 != digest:
        raise RunError(
            f"{cell.file}: is not the code that {run} began with; to go on with that, name the run: "
            f"rnncli train {shlex.quote(str(run))} --resume"
        )


@contextmanager
def executing(file: Path, digest: str | None, allowed: bool) -> Iterator[None]:
    """Within, the code that a run keeps in a file may be executed, and no other.

    Args:
        digest: SHA-256 of what the run began with; None where it has no code.

    Raises:
        RunError: it is not the code that the run was trained with.
        UserError: it was never trained with here, and is not allowed.
    """
    if digest is not None:
        if not file.exists():
            raise RunError(f"{file}: not there; the run directory is not complete")
        if sha256(file) != digest:
            raise RunError(
                f"{file}: damaged: it is not the code that the run was trained with; restore it from a copy of the run"
            )
        if not (allowed or trusted(digest)):
            raise UserError(
                f"{file}: this Python code would be executed, and you have not trained with it on this machine; read "
                "it, then pass --allow-code (in Python allow_code=True)"
            )
    with executing_only(frozenset() if digest is None else frozenset({digest})):
        yield
