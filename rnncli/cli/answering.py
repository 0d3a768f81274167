"""Standard input, answered row by row."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnncli.errors import UserError
from rnncli.inputs.files import OnBadRow

if TYPE_CHECKING:
    from rnncli.runs.load import LoadedRun


def check_at_once(at_once: bool, state: Path | None, input: Path, out: Path | None) -> None:
    """Raises a UserError where --stream and --state do not go with what else was asked for."""
    if not at_once:
        if state is not None:
            raise UserError(f"--state {state}: keeps what --stream carries from row to row; ask for --stream too")
        return
    if str(input) != "-":
        raise UserError(f"--stream: answers standard input, and {input} is a file; write `< {input}`")
    if out is not None:
        raise UserError(f"--out {out}: would be there only at the end; with --stream answers go to standard output")


@contextmanager
def answered_at_once(
    run: LoadedRun, on_bad_row: OnBadRow, probabilities: bool, state: Path | None
) -> Iterator[Iterator[Mapping[str, Any]]]:
    """The answers to standard input; however it ends, what is carried is kept."""
    from rnncli.runs.signals import stop_between_steps
    from rnncli.runs.streaming import answers
    from rnncli.runs.waiting import Waiting

    kept = "" if state is None else f"; what is carried is in {state}"
    with stop_between_steps() as asked:
        source: Any = Waiting(sys.stdin.buffer, asked, f"stopped between two rows{kept}")
        with closing(answers(run, source, on_bad_row, probabilities, state)) as rows:
            yield rows
