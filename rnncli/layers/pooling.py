"""One vector from the outputs of all steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function

from rnncli.layers.settings import PoolingName
from rnncli.sequences import Padded

_GATHERED = {"last": 0, "mean": 2, "max": 1, "attention": 2}
"""How many tensors each way gathers of the steps before."""


class _Largest(Function):
    """The largest of each feature over the valid steps; equal ones share the gradient.

    As Tensor.amax, whose own gradient goes over booleans and takes several times as long.
    """

    @staticmethod
    def forward(context: Any, values: Tensor, outputs: Padded) -> Tensor:
        by_time = outputs.with_values(values).filled(float("-inf")).values.transpose(0, 1)
        largest = by_time.amax(0)
        context.save_for_backward(by_time, largest)
        return largest

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        by_time, largest = context.saved_tensors
        at = torch.empty_like(by_time)
        torch.eq(by_time, largest, out=at)
        return at.mul_(gradients[0] / at.sum(0)).transpose(0, 1), None


class Pooling(nn.Module):
    """Sums up sequences by one or several ways at once, side by side. Padding never counts.

    last: the last valid step; of a backward direction, which reads towards it, the first.
    mean, max: of each feature over the valid steps.
    attention: the mean weighted by softmax(v · tanh(W h + b)) (Yang et al. 2016, "Hierarchical attention networks").

    Args:
        features: features of the outputs that are pooled.
        bidirectional: whether their second half is the backward direction's.

    Attributes:
        size: features of what comes out.
    """

    def __init__(self, names: Sequence[PoolingName], features: int, bidirectional: bool) -> None:
        super().__init__()
        self.names, self.size = tuple(names), len(names) * features
        self.forward_features = features // 2 if bidirectional else features
        if "attention" in self.names:
            self.keys = nn.Linear(features, features)
            self.query = nn.Linear(features, 1, bias=False)

    def forward(self, outputs: Padded) -> Tensor:
        """(batch, time, features) to (batch, size)."""
        ways = {"last": self._last, "mean": _mean, "max": _max, "attention": self._attention}
        return torch.cat([ways[name](outputs) for name in self.names], dim=1)

    def so_far(self, outputs: Padded, gathered: Sequence[Tensor] = ()) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The same vector over the steps so far, and what must be `gathered` of them for the steps that follow.

        Args:
            outputs: the steps that are new, without padding and in one direction.
            gathered: what this gave for the steps before; nothing before the first.
        """
        before = iter(gathered)
        ways: list[Tensor] = []
        kept: list[Tensor] = []
        for name in self.names:
            if name == "last":
                ways.append(outputs.values[:, -1])
                continue
            own = tuple(next(before) for _ in range(_GATHERED[name])) if gathered else None
            way, after = self._gather(name, outputs.values, own)
            ways.append(way)
            kept += after
        return torch.cat(ways, dim=1), tuple(kept)

    def _gather(
        self, name: PoolingName, values: Tensor, before: tuple[Tensor, ...] | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        if name == "max":
            largest = values.amax(1)
            largest = largest if before is None else torch.maximum(largest, before[0])
            return largest, (largest,)
        if name == "mean":
            # Means are carried, not sums, which would lose digits in a long stream.
            steps = values.new_full((len(values), 1), values.shape[1], dtype=torch.int64)
            mean = torch.zeros_like(values[:, 0])
            if before is not None:
                mean, steps = before[0], before[1] + steps
            mean = mean + (values - mean.unsqueeze(1)).sum(1) / steps
            return mean, (mean, steps)
        scores = self.query(self.keys(values).tanh()).squeeze(2)
        total = scores.logsumexp(1, keepdim=True)
        if before is not None:
            total = torch.logaddexp(total, before[0])
        mean = torch.einsum("bt,btf->bf", (scores - total).exp(), values)
        if before is not None:
            mean = mean + (before[0] - total).exp() * before[1]
        return mean, (total, mean)

    def _last(self, outputs: Padded) -> Tensor:
        values, ahead = outputs.values, self.forward_features
        if outputs.full:
            last = values[:, -1]
        else:
            last = values[torch.arange(outputs.batch, device=values.device), outputs.last]
        return last if ahead == values.shape[2] else torch.cat([last[:, :ahead], values[:, 0, ahead:]], dim=1)

    def _attention(self, outputs: Padded) -> Tensor:
        values = outputs.zeroed().values
        scores = self.query(self.keys(values).tanh()).squeeze(2)
        if not outputs.full:
            scores = scores.masked_fill(~outputs.mask, float("-inf"))
        weights: Tensor = scores.softmax(dim=1)
        return torch.einsum("bt,btf->bf", weights, values)


def _mean(outputs: Padded) -> Tensor:
    return outputs.zeroed().values.sum(dim=1) / outputs.lengths.to(outputs.values).unsqueeze(1)


def _max(outputs: Padded) -> Tensor:
    largest: Tensor = _Largest.apply(outputs.values, outputs)  # type: ignore[no-untyped-call]
    return largest
