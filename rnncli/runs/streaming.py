"""A stream of rows, each answered at once; what is carried from row to row can be kept in a file."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from rnncli.errors import RunError, TrainingStopped, UserError
from rnncli.heads.crf import CRF
from rnncli.inputs.files import OnBadRow
from rnncli.inputs.loader import Memory, Piece
from rnncli.metrics.outcome import Outcome
from rnncli.models.following import Followed, follow
from rnncli.models.model import SequenceModel
from rnncli.runs.load import LoadedRun
from rnncli.runs.whole_files import read_tensors, write_tensors
from rnncli.tasks.evaluation import decided

FORMAT = 1


def answers(
    run: LoadedRun, source: BinaryIO, on_bad_row: OnBadRow, probabilities: bool = False, state_file: Path | None = None
) -> Generator[Mapping[str, Any], None, None]:
    """The rows of the predictions file; those of an input row come before the next is read.

    Args:
        state_file: goes on from what it carries, where it is there; written when the generator ends or is closed.

    Raises:
        UserError: the answer to a row can't be given before the next is read, or nothing is carried.
        RunError: the state file is damaged, or of another run.
    """
    if (reason := refusal(run)) is not None:
        raise UserError(f"--stream: {reason}; predict without it")
    carried = Carried(run)
    if state_file is not None:
        if not run.loader.carries:
            raise UserError(f"--state {state_file}: each row is answered by itself, so there is nothing to carry")
        carried.read(state_file)
    pieces = run.loader.stream(source, carried.memory, on_bad_row)
    return _answers(run, pieces, carried, probabilities, state_file)


def refusal(run: LoadedRun) -> str | None:
    """Why the model can't answer before the end; None where it can."""
    kind = run.loader.target.kind
    if kind == "sequence":
        return "an output sequence is written when the whole input has been read"
    if run.config.model.bidirectional:
        return "the model reads in both directions (model.bidirectional), and the backward one begins at the end"
    if isinstance(run.model.head, CRF):
        return "the head crf chooses the tags of a sentence together, when its last token is known"
    if kind != "forecast" and not isinstance(run.model, SequenceModel):
        return "the model answers when the whole input has been read"
    return None


def _answers(
    run: LoadedRun,
    pieces: Generator[Piece, None, None],
    carried: Carried,
    probabilities: bool,
    state_file: Path | None,
) -> Generator[Mapping[str, Any], None, None]:
    run.model.eval()
    try:
        with closing(pieces):
            for piece in pieces:
                outcome = decided(carried.outcome(piece), run.threshold)
                yield from run.loader.written(piece, run.worded(outcome, probabilities))
    finally:
        if state_file is not None:
            carried.write(state_file)


class Carried:
    """What is known of the rows read so far.

    Attributes:
        memory: what the loader knows of them.
    """

    def __init__(self, run: LoadedRun) -> None:
        self._run = run
        self._followed: dict[str, Followed] = {}
        self.memory: Memory = {}

    def outcome(self, piece: Piece) -> Outcome:
        """The outcome of a piece; what it goes on from is replaced by what follows from it."""
        run = self._run
        batch = piece.dataset.batch(np.arange(1)).to(run.device)
        if piece.sequence is None or not isinstance(run.model, SequenceModel):
            return run.model.outcome(batch, None, run.decoding)[0]
        before = None if piece.begins else self._followed.get(piece.sequence)
        outcome, self._followed[piece.sequence] = follow(run.model, batch, before)
        return outcome

    def read(self, path: Path) -> None:
        """Takes over what a file carries; it need not be there yet.

        Raises:
            RunError: it is damaged, or of another run.
            UserError: it is a folder, or its folder is not there.
        """
        if not path.parent.is_dir():
            raise UserError(f"--state {path}: there is no folder {path.parent}")
        if path.is_dir():
            raise UserError(f"--state {path}: is a folder; name a file in it")
        if not path.exists():
            return
        tensors, about = read_tensors(path)
        if "stream" not in about:
            raise RunError(f"{path}: is no state of a stream; name a file that --state has written, or a new one")
        try:
            self._take(path, tensors, json.loads(about["stream"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{path}: damaged ({error!r}); begin anew without it") from None

    def _take(self, path: Path, tensors: Mapping[str, Tensor], saved: Mapping[str, Any]) -> None:
        if saved["format"] != FORMAT:
            raise RunError(f"{path}: has format {saved['format']}; this rnncli reads format {FORMAT}")
        if saved["run"] != self._run.directory.identity():
            raise RunError(
                f"{path}: is the state of another run than {self._run.directory.path}, or of other weights of it; "
                "name a file of its own"
            )
        self.memory = saved["memory"]
        tensors = {name: rows.to(self._run.device) for name, rows in tensors.items()}
        for number, name in enumerate(saved["sequences"]):
            state, gathered = (
                [tensors[f"{part}.{place}"][number : number + 1] for place in range(saved[part])]
                for part in ("state", "gathered")
            )
            self._followed[name] = Followed(self._run.model.state_from_flat(state), tuple(gathered))

    def write(self, path: Path) -> None:
        """Puts what is carried into a file, whole or not at all."""
        flat = self._run.model.flat_state
        rows = {
            "state": [flat(each.state) for each in self._followed.values()],
            "gathered": [list(each.gathered) for each in self._followed.values()],
        }
        counts = {part: len(found[0]) if found else 0 for part, found in rows.items()}
        tensors = {
            f"{part}.{place}": torch.cat([row[place] for row in found])
            for part, found in rows.items()
            for place in range(counts[part])
        }
        about = {
            "format": FORMAT,
            "run": self._run.directory.identity(),
            "memory": self.memory,
            "sequences": list(self._followed),
            **counts,
        }
        try:
            write_tensors(path, tensors, {"stream": json.dumps(about)})
        except TrainingStopped:
            raise RunError(f"{path}: the disk is full; what is carried was not written") from None
