"""From drawn examples to what is cut into batches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from rnncli.inputs.batches import Batch, Dataset, Ragged, Sequences
from rnncli.inputs.stream import Stream
from rnncli.inputs.synthetic.drawn import Drawn
from rnncli.inputs.synthetic.forms import NUMBERS, SYMBOLS, TOKENS, Form


def dataset(drawn: Drawn, form: Form) -> Dataset:
    """The examples of a part.

    A stream has its last character in front once more, as the context of its first, so that every one is predicted.
    """
    inputs, targets = drawn
    if form.feature == TOKENS:
        asked = np.append(targets[-1:], targets) if form.partial else None
        return Stream(ids(np.append(inputs[-1:], inputs), form), asked)
    read = _joined(inputs)
    per_step = form.mode == "many-to-many"
    asked_for = _joined(targets) if per_step else torch.from_numpy(targets)
    if form.feature == SYMBOLS:
        return OneHot(read, asked_for, form.width)
    values = asked_for if form.kind == "value" or isinstance(asked_for, Ragged) else asked_for.long()
    return Sequences({NUMBERS: read}, values)


def ids(characters: np.ndarray, form: Form) -> np.ndarray:
    """(characters,) int64 entries of the vocabulary."""
    table = np.zeros(128, np.int64)
    for entry, name in enumerate(form.names):
        if len(name) == 1:
            table[ord(name)] = entry
    found: np.ndarray = table[characters]
    return found


def _joined(examples: np.ndarray) -> Ragged:
    """Examples of the same length end to end."""
    count, steps = examples.shape[:2]
    flat = torch.from_numpy(examples.reshape(count * steps, *examples.shape[2:]))
    return Ragged(flat, np.arange(count + 1) * steps)


class OneHot(Sequences):
    """Sequences of symbols, kept a byte each, that a batch has as vectors of zeros and one 1.

    Args:
        width: different symbols.
    """

    def __init__(self, symbols: Ragged, targets: Ragged | torch.Tensor, width: int) -> None:
        super().__init__({SYMBOLS: symbols}, targets)
        self._vectors = torch.eye(width)

    def batch(self, rows: np.ndarray) -> Batch:
        batch = super().batch(rows)
        symbols = batch.inputs[SYMBOLS]
        by_time = self._vectors[symbols.values.transpose(0, 1).long()]
        targets = None if batch.targets is None else batch.targets.long()
        return replace(batch, inputs={SYMBOLS: symbols.with_values(by_time.transpose(0, 1))}, targets=targets)
