"""A language model that writes on, token by token."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding

from rnncli.layers.recurrent import StackState
from rnncli.models.model import SequenceModel
from rnncli.sequences import Padded


class Speaker:
    """The steps of a language model, as `rnncli.decoding.steps.Steps` asks for them; its weights may not change
    meanwhile."""

    def __init__(self, model: SequenceModel) -> None:
        self._stack, self._head = model.stack, model.head
        self._vectors = model.inputs.tied()
        self._stepper = model.stack.stepper()

    def read(self, tokens: Tensor) -> tuple[Tensor, StackState]:
        """(rows, vocabulary) logits of what follows whole prompts of (rows, time), and the state behind them."""
        lengths = torch.full((len(tokens),), tokens.shape[1])
        outputs, state = self._stack(Padded(embedding(tokens, self._vectors), lengths), final_state=True)
        return self._head.score(outputs.values[:, -1]), state

    def logits(self, tokens: Tensor, state: StackState) -> tuple[Tensor, StackState]:
        """As `Steps.logits`."""
        output, state = self._stepper.step(self._vectors.index_select(0, tokens), state)
        return self._head.score(output), state

    def chosen(self, state: StackState, rows: Tensor) -> StackState:
        """As `Steps.chosen`."""
        return tuple(tuple(each[rows] for each in cell) for cell in state)
