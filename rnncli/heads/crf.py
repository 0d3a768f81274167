"""Tags of a sentence chosen together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnncli.heads.head import HEADS, Head, step_positions
from rnncli.heads.schemes import forbidden_ends, forbidden_pairs, forbidden_starts
from rnncli.heads.settings import CRFSettings
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.metrics.outcome import Outcome
from rnncli.sequences import Padded

FORBIDDEN = -1e4
"""Score of what a scheme forbids: no path has it while another exists, and sums of it stay finite."""

_FAINTEST = -300.0
"""Least score that counts in probabilities: products of two of their exponentials are still numbers in float64."""


@HEADS.register("crf")
class CRF(Head[CRFSettings]):
    """A linear-chain conditional random field (Lafferty, McCallum & Pereira 2001) over a linear layer, as in Lample
    et al., "Neural architectures for named entity recognition" (NAACL 2016). Outputs are emissions (items, tags).

    The score of a path is the sum of its emissions, its transitions and its scores of the first and last tag. The loss
    is the mean over steps of the paths' negative log-likelihood, computed in float32 in log space.
    Probabilities are each tag's by itself, whatever the others are; the best path need not go through the likeliest.

    Attributes:
        transitions: (tags, tags), from row to column.
    """

    settings_type = CRFSettings
    penalties: Tensor

    def __init__(self, settings: CRFSettings, features: int, target: Target) -> None:
        super().__init__(settings, features, target)
        tags = len(target.names)
        self.linear = nn.Linear(features, tags)
        self.transitions = nn.Parameter(torch.empty(tags, tags))
        self.start, self.end = nn.Parameter(torch.empty(tags)), nn.Parameter(torch.empty(tags))
        self.reset_parameters()
        rows = torch.zeros(tags + 2, tags, dtype=torch.bool)
        if settings.constrain and target.scheme is not None:
            rows[:tags] = torch.tensor(forbidden_pairs(target.names, target.scheme))
            rows[tags] = torch.tensor(forbidden_starts(target.names, target.scheme))
            rows[tags + 1] = torch.tensor(forbidden_ends(target.names, target.scheme))
        self.register_buffer("penalties", rows * FORBIDDEN, persistent=False)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the scores of tags, small beside those of the linear layer."""
        for scores in (self.transitions, self.start, self.end):
            scores.uniform_(-0.1, 0.1)

    def score(self, items: Tensor) -> Tensor:
        scores: Tensor = self.linear(items)
        return scores

    def loss(self, outputs: Tensor, batch: Batch) -> tuple[Tensor, int]:
        sequences, targets = batch.sequences, self.known_targets(batch)
        emissions = outputs.float()
        first = _first_items(sequences).to(outputs.device)
        nll = self._log_partition(emissions, sequences) - self._path_score(emissions, targets, first)
        return nll / len(targets), len(targets)

    def outcome(self, outputs: Tensor, batch: Batch) -> Outcome:
        emissions, targets = outputs.float(), self.targets(batch)
        return Outcome(
            predicted=self._best_path(emissions, batch.sequences).cpu().numpy(),
            target=None if targets is None else targets.cpu().numpy(),
            lengths=self.lengths(batch),
            probabilities=self._marginals(emissions, batch.sequences).float().numpy(),
        )

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Transitions, first and last tag, with the scheme's penalties."""
        tags = len(self.start)
        pairs, start, end = self.penalties[:tags], self.penalties[tags], self.penalties[tags + 1]
        return self.transitions + pairs, self.start + start, self.end + end

    def _path_score(self, emissions: Tensor, tags: Tensor, first: Tensor) -> Tensor:
        """() the sum of the scores of all sequences' paths `tags` (items,)."""
        transitions, start, end = self._scores()
        # Neighbours in the row of items are neighbours in a sentence, but where the right one begins a sentence.
        inside = torch.ones_like(tags, dtype=torch.bool)
        inside[first] = False
        steps = (transitions[tags[:-1], tags[1:]] * inside[1:]).sum()
        last = tags[torch.cat((first[1:] - 1, first.new_tensor([len(tags) - 1])))]
        return emissions.gather(1, tags.unsqueeze(1)).sum() + steps + start[tags[first]].sum() + end[last].sum()

    def _log_partition(self, emissions: Tensor, sequences: Padded) -> Tensor:
        """() the sum over sequences of the log of the sum over all paths of exp(score), by the forward algorithm."""
        transitions, start, end = self._scores()
        steps = _time_major(emissions, sequences)
        running = sequences.mask.t().unsqueeze(2)
        alpha = start + steps[0]
        for step, runs in zip(steps[1:], running[1:], strict=True):
            longer = (alpha.unsqueeze(2) + transitions).logsumexp(1) + step
            alpha = longer if sequences.full else torch.where(runs, longer, alpha)
        return (alpha + end).logsumexp(1).sum()

    def _marginals(self, emissions: Tensor, sequences: Padded) -> Tensor:
        """(items, tags) float64 on the CPU: the share of all paths that goes through each tag, by the forward-backward
        algorithm. It is a matrix product a step, as no logarithms are taken; both directions run side by side."""
        transitions, start, end = (scores.cpu().double().clamp(min=_FAINTEST).exp() for scores in self._scores())
        steps = _time_major(emissions, sequences).cpu().double()
        steps = (steps - steps.amax(2, keepdim=True)).clamp(min=_FAINTEST).exp()
        reversal = sequences.reversal.cpu().t().unsqueeze(2)
        # Each direction reads from the first position on, so what it makes of padding is behind all that counts.
        towards = torch.stack((transitions, transitions.t()))
        arriving = torch.stack((start, end)).unsqueeze(1).expand(-1, sequences.batch, -1)
        arrived = []
        for step in torch.stack((steps, steps.take_along_dim(reversal, 0)), dim=1):
            arrived.append(arriving)
            here = arriving * step
            arriving = torch.bmm(here / here.sum(2, keepdim=True), towards)
        before, after = torch.stack(arrived, dim=1)
        through = before * steps * after.take_along_dim(reversal, 0)
        shares: Tensor = through / through.sum(2, keepdim=True)
        return shares.flatten(0, 1)[step_positions(sequences).cpu()]

    def _best_path(self, emissions: Tensor, sequences: Padded) -> Tensor:
        """(items,) the tags of the best paths, by the Viterbi algorithm."""
        transitions, start, end = self._scores()
        steps = _time_major(emissions, sequences)
        running = sequences.mask.t().unsqueeze(2)
        best = start + steps[0]
        stay = torch.arange(len(start), device=best.device).expand_as(best)
        came_from = []
        for step, runs in zip(steps[1:], running[1:], strict=True):
            longer, origin = (best.unsqueeze(2) + transitions).max(1)
            best = torch.where(runs, longer + step, best)
            came_from.append(torch.where(runs, origin, stay))
        path = [(best + end).argmax(1)]
        for origin in reversed(came_from):
            path.append(origin.gather(1, path[-1].unsqueeze(1)).squeeze(1))
        return torch.stack(path[::-1]).flatten()[step_positions(sequences)]


def _first_items(sequences: Padded) -> Tensor:
    """(batch,) the item with which each sequence begins."""
    return sequences.lengths.cumsum(0) - sequences.lengths


def _time_major(items: Tensor, sequences: Padded) -> Tensor:
    """(time, batch, width) from (items, width), zeros at padding."""
    time, batch, width = sequences.time, sequences.batch, items.shape[1]
    flat = items.new_zeros(time * batch, width)
    return flat.index_copy(0, step_positions(sequences), items).view(time, batch, width)
