"""Sequences run in pieces, so that gradients go back no further than the beginning of each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rnncli.cells.weights import CellWeights, State
from rnncli.engines.engine import Engine, Masks
from rnncli.sequences import Padded


@dataclass(frozen=True)
class _Piece:
    """Which rows have steps in a piece, and how many each; rows is None where all have."""

    rows: Tensor | None
    lengths: Tensor

    @property
    def time(self) -> int:
        return int(self.lengths.max())

    @property
    def size(self) -> int:
        return self.time * len(self.lengths)

    def chosen(self, values: Tensor) -> Tensor:
        """(batch, features) of these rows alone."""
        return values if self.rows is None else values.index_select(0, self.rows)

    def put(self, before: Tensor, after: Tensor) -> Tensor:
        """(batch, features) with new values in these rows."""
        return after if self.rows is None else before.to(after.dtype).index_copy(0, self.rows, after)


class Pieces:
    """Cuts each sequence every so many steps, counted from its own end; what is left over is its first piece.

    So the last step, where the target of a whole sequence stands, always has a full piece before it; and what a
    sequence learns does not depend on those beside it in the batch. All sequences end in the last piece.
    """

    def __init__(self, sequences: Padded, steps: int) -> None:
        self._sequences = sequences
        self._order: Tensor | None = None  # the rows of (time * batch, ...) in the order of the pieces
        self._back: Tensor | None = None  # where in that order each position stands; anything at padding
        count = -(-int(sequences.lengths.max()) // steps)
        if sequences.full:
            first = sequences.time - (count - 1) * steps
            self._pieces = [
                _Piece(None, torch.full((sequences.batch,), time)) for time in (first, *[steps] * (count - 1))
            ]
        else:
            self._pieces = self._ragged(count, steps)

    def _ragged(self, count: int, steps: int) -> list[_Piece]:
        lengths, batch = self._sequences.lengths, self._sequences.batch
        pieces, order, begun = [], [], 0
        back = torch.zeros(self._sequences.time * batch, dtype=torch.int64)
        device = self._sequences.values.device
        for after in range((count - 1) * steps, -1, -steps):  # steps that follow the piece
            rows = (lengths > after).nonzero().squeeze(1)
            stop = lengths[rows] - after
            start = (stop - steps).clamp(min=0)
            piece = _Piece(None if len(rows) == batch else rows.to(device), stop - start)
            step = torch.arange(piece.time).unsqueeze(1)
            source = ((start + step) * batch + rows).flatten()
            valid = (step < piece.lengths).flatten()
            back[source[valid]] = begun + valid.nonzero().squeeze(1)
            pieces.append(piece)
            order.append(source)
            begun += piece.size
        self._order, self._back = torch.cat(order).to(device), back.to(device)
        return pieces

    def _cut(self, values: Tensor) -> list[Tensor]:
        """(batch, time, features) to (rows, time, features) of each piece, in time-major memory."""
        rows = values.transpose(0, 1).flatten(0, 1)
        if self._order is not None:
            rows = rows.index_select(0, self._order)
        parts = torch.split(rows, [piece.size for piece in self._pieces])
        shaped = (part.view(piece.time, -1, values.shape[2]) for piece, part in zip(self._pieces, parts, strict=True))
        return [part.transpose(0, 1) for part in shaped]

    def _joined(self, parts: list[Tensor]) -> Padded:
        """What `_cut` made of values, with zeros at padding positions."""
        rows = torch.cat([part.transpose(0, 1).flatten(0, 1) for part in parts])
        if self._back is not None:
            rows = rows.index_select(0, self._back)
        by_time = rows.view(self._sequences.time, self._sequences.batch, -1)
        return self._sequences.with_values(by_time.transpose(0, 1)).zeroed()

    def run(
        self, engine: Engine, weights: CellWeights, inputs: Padded, state: State | None, masks: Masks
    ) -> tuple[Padded, State | None]:
        """As `Engine.run` over whole sequences, the state being carried from piece to piece without its history.

        Args:
            inputs: of the lengths that were cut.
            masks: drawn for whole sequences, so that all pieces share them.
        """
        state = weights.zero_state(inputs.batch) if state is None else state
        zoneout = {
            name: self._cut(share) if isinstance(share, Tensor) else [share] * len(self._pieces)
            for name, share in masks.zoneout.items()
        }
        outputs, end = [], None
        for number, (piece, values) in enumerate(zip(self._pieces, self._cut(inputs.values), strict=True)):
            its = Masks(
                None if masks.hidden is None else piece.chosen(masks.hidden),
                {name: shares[number] for name, shares in zoneout.items()},
                masks.weight,
            )
            begin = tuple(piece.chosen(each) for each in state)
            made, end = engine.run(weights, Padded(values, piece.lengths), begin, masks=its, final_state=True)
            assert end is not None
            outputs.append(made.values)
            # Rows that begin later keep what they start from with its history: it may be learned.
            state = tuple(piece.put(before, after.detach()) for before, after in zip(state, end, strict=True))
        return self._joined(outputs), end
