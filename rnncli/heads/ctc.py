"""Tokens of a sequence from more steps than it has, without knowing which step says which."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import ctc_loss

from rnncli.decoding.ctc import best_paths, prefix_beams
from rnncli.decoding.settings import GREEDY, DecodingSettings
from rnncli.decoding.steps import Answer
from rnncli.heads.head import HEADS, Head
from rnncli.heads.settings import CTCSettings
from rnncli.heads.written import written
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.sequences import Padded


def steps_needed(targets: Padded) -> Tensor:
    """(batch,) the fewest steps that say these targets: one a token, and a blank between two that are alike."""
    tokens = targets.values
    alike = (tokens[:, 1:] == tokens[:, :-1]) & targets.mask[:, 1:]
    return targets.lengths + alike.sum(1).cpu()


@HEADS.register("ctc")
class CTC(Head[CTCSettings]):
    """A linear layer and connectionist temporal classification (Graves et al., "Connectionist temporal
    classification", ICML 2006). Outputs are logits (batch, time, tokens) in time-major memory, anything at padding;
    entry 0 is the blank. Their time is that of the batch's inputs, or a multiple where each step is read so many times.

    The loss is the mean over sequences of the negative logarithm of the summed probability of all alignments of the
    target, in float32. Sequences whose target has none, as they have too few steps, take no part in loss and nll.
    """

    settings_type = CTCSettings

    def __init__(self, settings: CTCSettings, features: int, target: Target) -> None:
        super().__init__(settings, features, target)
        self.linear = nn.Linear(features, len(target.names))

    def forward(self, features: Tensor, sequences: Padded) -> Tensor:
        return self.score(features.transpose(0, 1)).transpose(0, 1)

    def score(self, items: Tensor) -> Tensor:
        scores: Tensor = self.linear(items)
        return scores

    def loss(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, int]:
        nll = self._nll(_log_probabilities(outputs), self._targets(batch), _lengths(outputs, batch))
        return (nll.mean() if len(nll) else outputs.sum() * 0), len(nll)

    def outcome(self, outputs: Tensor, batch: Batch, decoding: DecodingSettings = GREEDY) -> Outcome:
        by_time, lengths = _log_probabilities(outputs), _lengths(outputs, batch)
        found = _decoded(by_time.transpose(0, 1).cpu().numpy(), lengths.numpy(), decoding)
        nll = None if batch.targets is None else self._nll(by_time, self._targets(batch), lengths).cpu().numpy()
        return written(found, batch, self.target, decoding, nll)

    def _targets(self, batch: Batch) -> Padded:
        """(batch, target time) ids with their lengths.

        Raises:
            ValueError: the batch has no targets.
        """
        targets = self.known_targets(batch)
        if batch.target_lengths is None:
            raise ValueError("CTC needs targets with lengths of their own")
        return Padded(targets, batch.target_lengths)

    def _nll(self, by_time: Tensor, targets: Padded, lengths: Tensor) -> Tensor:
        """(sequences whose target fits,) the negative log-likelihood of each target.

        Args:
            by_time: (time, batch, tokens) log probabilities.
            lengths: (batch,) steps of each sequence.
        """
        fitting = steps_needed(targets) <= lengths
        if not fitting.any():
            return by_time.new_zeros(0)
        tokens, counts = targets.values, targets.lengths
        # Left out beforehand, and not by zero_infinity: an infinite loss that has another cause must show.
        if not fitting.all():
            rows = fitting.nonzero().squeeze(1)
            lengths, counts = lengths[rows], counts[rows]
            rows = rows.to(by_time.device)
            by_time, tokens = by_time.index_select(1, rows), tokens.index_select(0, rows)
        return ctc_loss(by_time, tokens, lengths, counts, reduction="none")


def _log_probabilities(outputs: Tensor) -> Tensor:
    """(time, batch, tokens) float32, from logits (batch, time, tokens)."""
    return outputs.transpose(0, 1).float().log_softmax(2)


def _lengths(outputs: Tensor, batch: Batch) -> Tensor:
    """(batch,) the steps of each sequence in the outputs."""
    inputs = batch.sequences
    return inputs.lengths * (outputs.shape[1] // inputs.time)


def _decoded(log_probabilities: np.ndarray, lengths: np.ndarray, decoding: DecodingSettings) -> list[list[Answer]]:
    """The answers for each of (batch, time, tokens), the best first.

    Raises:
        ValueError: they are to be drawn.
    """
    match decoding.method:
        case "greedy":
            return [[answer] for answer in best_paths(log_probabilities, lengths)]
        case "beam":
            return prefix_beams(log_probabilities, lengths, decoding.beam_size, decoding.n_best)
        case "sample":
            raise ValueError("CTC writes no token after another that could be drawn")
