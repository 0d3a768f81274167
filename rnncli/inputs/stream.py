"""One long text, read in columns side by side, the state carried from batch to batch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rnncli.inputs.batches import NO_TARGET, Batch, Dataset
from rnncli.sequences import Padded

STEPS = 128
"""Steps of a window where the caller doesn't mind; with the state carried they change no prediction."""


class Stream(Dataset):
    """The tokens of one split end to end; every token but the first is predicted exactly once, from the one before.

    Where only some are asked for, the others are read alone.

    For batches of `batch_size` the predictions are laid in so many columns of contiguous tokens, the leading columns
    one longer where they don't come out even. Each batch is a window of all columns, and the next one goes on where it
    ended. A column's first input is the last target of the column to its left; only what the state knew is lost there.

    Args:
        ids: (tokens,) int64, two or more. The first is context alone.
        asked: (tokens,) bool, those whose prediction counts; all where None.
    """

    unit = "tokens"

    def __init__(self, ids: np.ndarray, asked: np.ndarray | None = None) -> None:
        self.ids = ids
        self.targets = ids if asked is None else np.where(asked, ids, NO_TARGET)
        self._layout: tuple[int, Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.ids) - 1

    def plan(self, batch_size: int, order: np.random.Generator | None, steps: int | None = None) -> list[np.ndarray]:
        """Entries (columns, first step, step behind the last); a stream has but one order, so `order` changes nothing.

        Only in the last window do columns differ, by one step, and each has a step there: a single step that not all
        columns have joins the window before it.
        """
        columns = min(batch_size, len(self))
        length, uneven = -(-len(self) // columns), len(self) % columns > 0
        stops = [*range(steps or STEPS, length, steps or STEPS), length]
        if uneven and len(stops) > 1 and stops[-2] == length - 1:
            del stops[-2]
        return [np.array([columns, start, stop]) for start, stop in zip([0, *stops[:-1]], stops, strict=True)]

    def batch(self, rows: np.ndarray) -> Batch:
        """The window of an entry of a plan; `rows` of the batch are the positions of the columns' first targets."""
        columns, start, stop = (int(number) for number in rows)
        inputs, targets = self._laid_out(columns)
        starts, lengths = self._columns(columns)
        padded = Padded(inputs[start:stop].T, torch.from_numpy(np.minimum(lengths, stop) - start))
        return Batch({"tokens": padded}, targets[start:stop].T, starts + start, continues=start > 0)

    def _columns(self, columns: int) -> tuple[np.ndarray, np.ndarray]:
        """(columns,) each: where they start, and their lengths."""
        length, longer = divmod(len(self), columns)
        lengths = np.full(columns, length)
        lengths[:longer] += 1
        return np.cumsum(lengths) - lengths, lengths

    def _laid_out(self, columns: int) -> tuple[Tensor, Tensor]:
        """(time, columns) inputs and targets: a window is a slice of them, and nothing is copied for it."""
        if self._layout is None or self._layout[0] != columns:
            starts, lengths = self._columns(columns)
            positions = starts + np.minimum(np.arange(lengths[0])[:, None], lengths - 1)
            inputs, targets = torch.from_numpy(self.ids[positions]), torch.from_numpy(self.targets[positions + 1])
            self._layout = columns, inputs, targets
        return self._layout[1], self._layout[2]
