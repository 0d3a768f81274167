"""Where a decoder looks while it writes its answers to some inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rnncli.errors import RunError
from rnncli.inputs.answered import Answered
from rnncli.inputs.features import Tokens, Values
from rnncli.inputs.loader import Chunk
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.transcriber import Transcriber
from rnncli.runs.load import LoadedRun

SPACE, END_MARK = "␣", "∎"

MOST_WEIGHTS = 200_000
"""Of all inputs that are shown, so that a page can still be opened."""


@dataclass(frozen=True)
class Look:
    """One input.

    Attributes:
        own: the input's own columns.
        text: the answer.
        read: the names of the positions that can be looked at.
        written: those of the tokens of the answer and, where it came to one, of its end.
        weights: (written, read), each row a distribution.
        on_a_scale: what was read are moments or numbers, which need not all be named.
        picture: (3, height, width) uint8, where one was read; `grid` has the rows and columns of its positions.
    """

    own: Mapping[str, Any]
    text: str
    read: list[str]
    written: list[str]
    weights: np.ndarray
    on_a_scale: bool = False
    picture: np.ndarray | None = None
    grid: tuple[int, int] = (1, 1)

    @property
    def largest(self) -> float:
        """The largest weight."""
        return float(self.weights.max())

    @property
    def shades(self) -> np.ndarray:
        """The weights as shares of the largest."""
        shares: np.ndarray = self.weights / self.weights.max()
        return shares


class Looks:
    """The first inputs that a run answers, each with the best answer that its `decoding` finds.

    Args:
        most: inputs that are looked at.

    Attributes:
        inputs: how many there were.

    Raises:
        RunError: nothing in the run attends to anything; says why.
    """

    def __init__(self, run: LoadedRun, most: int) -> None:
        self.run, self.most = run, most
        self.found: list[Look] = []
        self.inputs = 0
        self._weights = 0
        self._model = _attending(run)

    @property
    def left_out(self) -> int:
        """Inputs that are not among those found."""
        return self.inputs - len(self.found)

    def see(self, chunk: Chunk) -> None:
        """Takes the inputs of a chunk, as far as there is room.

        Raises:
            RunError: what is read is a single position.
        """
        data, size = chunk.dataset, self.run.config.training.batch_size
        if not isinstance(data, Answered):
            raise TypeError(f"a decoder reads Answered, not {type(data).__name__}")
        behind = self.inputs > len(self.found)
        self.inputs += len(data)
        count = 0 if behind else min(len(data), self.most - len(self.found))
        if not count:
            return
        names = self.run.loader.positions(chunk)
        own = list(self.run.loader.written(chunk, [{}] * len(data)))
        for start in range(0, count, size):
            rows = np.arange(start, min(start + size, count))
            for row, (tokens, weights) in zip(rows.tolist(), self._decoded(data, rows), strict=True):
                if self.found and self._weights + weights.size > MOST_WEIGHTS:
                    return
                self._weights += weights.size
                self.found.append(
                    self._look(data, row, own[row], None if names is None else names[row], tokens, weights)
                )

    def _decoded(self, data: Answered, rows: np.ndarray) -> list[tuple[list[int], np.ndarray]]:
        self._model.eval()
        with torch.inference_mode():
            batch = data.batch(rows).to(self.run.device)
            answers = [best.tokens for best, *_ in self._model.decoded(batch, self.run.decoding)]
            weights = self._model.attention(batch, answers)
        if weights is None:
            raise ValueError("the model has no attention")
        # An answer that was cut has no end that anything was looked at for.
        ended = [len(tokens) < self.run.decoding.max_length for tokens in answers]
        return [(tokens, each if end else each[:-1]) for tokens, each, end in zip(answers, weights, ended, strict=True)]

    def _look(
        self,
        data: Answered,
        row: int,
        own: Mapping[str, Any],
        names: list[str] | None,
        tokens: list[int],
        weights: np.ndarray,
    ) -> Look:
        target = self.run.loader.target
        if target.from_one and weights.shape[1] == 1:
            raise RunError(
                f"{self.run.directory.path}: what is read is one position, and all of the attention is always there: "
                "there is nothing to show"
            )
        [(name, feature)] = self.run.loader.features.items()
        picture, grid, images = None, (1, 1), self._model.reader.images
        if images is not None:
            picture, grid = data.inputs[name].padded(np.array([row])).values[0, 0].numpy(), images.grid
            names = [f"row {1 + place // grid[1]}, column {1 + place % grid[1]}" for place in range(images.positions)]
        elif names is None:
            names = [str(place + 1) for place in range(weights.shape[1])]
        elif isinstance(feature, Tokens):
            names = [_marked(each) for each in names]
        written = [_marked(target.names[token]) for token in tokens]
        written += [END_MARK] * (len(weights) - len(tokens))
        return Look(own, target.text(tokens), names, written, weights, isinstance(feature, Values), picture, grid)


def _attending(run: LoadedRun) -> EncoderDecoder:
    model, kind, why = run.model, run.loader.target.kind, ""
    if isinstance(model, Transcriber):
        why = "CTC says what it reads step by step and looks at nothing else (model.head.type: ctc)"
    elif not isinstance(model, EncoderDecoder):
        why = f"only sequences of tokens that a decoder writes are; this run has a target of kind {kind}"
    elif model.options.attention == "none":
        why = "the decoder of this run has none (model.decoder.attention: none)"
    if why or not isinstance(model, EncoderDecoder):
        raise RunError(f"{run.directory.path}: no attention can be shown: {why}")
    return model


def _marked(name: str) -> str:
    """A name in which spaces can be seen."""
    return "".join(SPACE if letter == "▁" or letter.isspace() else letter for letter in name)
