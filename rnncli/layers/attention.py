"""How a decoder looks at what was read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from rnncli.layers.decoder_settings import AttentionName
from rnncli.sequences import Padded


@dataclass(frozen=True)
class Memory:
    """What was read, as an attention looks at it.

    Attributes:
        values: (batch, positions, size), zeros at padding positions.
        keys: (batch, positions, ...) what is compared with the queries; None without attention.
        blocked: (batch, 1, positions) True at padding positions; None where there are none.
    """

    values: Tensor
    keys: Tensor | None
    blocked: Tensor | None

    def chosen(self, rows: Tensor) -> Memory:
        """Those rows of the batch."""
        values, keys, blocked = (
            None if each is None else each.index_select(0, rows) for each in (self.values, self.keys, self.blocked)
        )
        assert values is not None
        return Memory(values, keys, blocked)


class Attention(nn.Module, ABC):
    """Weighs the positions of a memory for each query."""

    def memory(self, read: Padded) -> Memory:
        """What is looked at, once for all queries.

        Args:
            read: (batch, positions, size); padding positions hold anything.
        """
        values = read.zeroed().values.contiguous()
        return Memory(values, self.keys(values), None if read.full else ~read.mask.unsqueeze(1))

    @abstractmethod
    def keys(self, values: Tensor) -> Tensor:
        """(batch, positions, size) to what is compared with the queries."""

    @abstractmethod
    def scores(self, queries: Tensor, keys: Tensor, coverage: Tensor | None) -> Tensor:
        """(batch, time, positions) of queries (batch, time, hidden).

        Args:
            coverage: (batch, positions) the attention that each position has had.
        """

    def forward(self, queries: Tensor, memory: Memory, coverage: Tensor | None = None) -> Tensor:
        """(batch, time, positions) weights that sum to 1 over the positions, 0 at padding."""
        assert memory.keys is not None
        scores = self.scores(queries, memory.keys, coverage)
        if memory.blocked is not None:
            scores = scores.masked_fill(memory.blocked, float("-inf"))
        return scores.softmax(dim=2)


class Additive(Attention):
    """v · tanh(W q + U k + b), of Bahdanau et al., "Neural machine translation by jointly learning to align and
    translate" (ICLR 2015, arXiv 1409.0473v7, appendix A.1.2); with coverage + w · coverage inside of tanh (See et al.
    2017, arXiv 1704.04368v2, eq. 11).

    Attributes:
        kept: numbers of (batch, time, positions, units) up to which all of them are kept for the gradients.
        piece: how many are computed together beyond that.
    """

    kept, piece = 2**26, 2**22

    def __init__(self, hidden: int, size: int, units: int, coverage: bool) -> None:
        super().__init__()
        self.of_memory = nn.Linear(size, units)
        self.of_query = nn.Linear(hidden, units, bias=False)
        self.of_coverage = nn.Linear(1, units, bias=False) if coverage else None
        self.vector = nn.Linear(units, 1, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        keys: Tensor = self.of_memory(values)
        return keys

    def scores(self, queries: Tensor, keys: Tensor, coverage: Tensor | None) -> Tensor:
        numbers = queries.shape[0] * queries.shape[1] * keys.shape[1] * keys.shape[2]
        if numbers <= self.kept:
            return self._scores(queries, keys, coverage)
        # In pieces of time, each computed anew for its gradients: half the memory and less, and twice the time.
        steps = max(1, self.piece * queries.shape[1] // numbers)
        pieces = [
            checkpoint(self._scores, piece, keys, coverage, use_reentrant=False, preserve_rng_state=False)
            for piece in torch.split(queries, steps, dim=1)
        ]
        return torch.cat(pieces, dim=1)

    def _scores(self, queries: Tensor, keys: Tensor, coverage: Tensor | None) -> Tensor:
        inner = self.of_query(queries).unsqueeze(2) + keys.unsqueeze(1)
        if self.of_coverage is not None and coverage is not None:
            inner = inner + self.of_coverage(coverage.unsqueeze(2)).unsqueeze(1)
        scores: Tensor = self.vector(inner.tanh()).squeeze(3)
        return scores


class Multiplicative(Attention):
    """q W k, "general" of Luong et al., "Effective approaches to attention-based neural machine translation" (EMNLP
    2015, arXiv 1508.04025v5, eq. 8)."""

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.of_memory = nn.Linear(size, hidden, bias=False)

    def keys(self, values: Tensor) -> Tensor:
        keys: Tensor = self.of_memory(values)
        return keys

    def scores(self, queries: Tensor, keys: Tensor, coverage: Tensor | None) -> Tensor:
        return torch.bmm(queries, keys.transpose(1, 2))


def make_attention(
    name: AttentionName, hidden: int, size: int, *, units: int | None = None, coverage: bool = False
) -> Attention | None:
    """The attention of that name, None for none.

    Args:
        hidden: features of a query.
        size: features of the memory.
        units: of the small network of additive; `hidden` where not given.
        coverage: whether it is told what attention each position has had.
    """
    match name:
        case "additive":
            return Additive(hidden, size, units or hidden, coverage)
        case "multiplicative":
            return Multiplicative(hidden, size)
        case "none":
            return None
