"""Attention over long inputs is computed in pieces of time, with the same result."""

from __future__ import annotations

import pytest
import torch

from rnncli.layers.attention import Additive
from rnncli.sequences import Padded


@pytest.mark.parametrize("piece", [1, 2 * 7 * 3 * 4, 5 * 2 * 7 * 3])
@pytest.mark.parametrize("coverage", [False, True])
def test_pieces_change_nothing(piece: int, coverage: bool) -> None:
    torch.manual_seed(3)
    attention = Additive(6, 5, 3, coverage).double()
    read = Padded(torch.randn(2, 7, 5, dtype=torch.double), torch.tensor([7, 4]))
    queries = torch.randn(2, 5, 6, dtype=torch.double, requires_grad=True)
    had = torch.rand(2, 7, dtype=torch.double) if coverage else None
    target = torch.randn(2, 5, 7, dtype=torch.double)
    found = []
    attention.piece = piece
    for kept in (10**9, 0):
        attention.kept = kept
        attention.zero_grad()
        queries.grad = None
        weights = attention(queries, attention.memory(read), had)
        (weights * target).sum().backward()
        found.append([weights.detach(), queries.grad, *(each.grad for each in attention.parameters())])
    for whole, in_pieces in zip(*found, strict=True):
        torch.testing.assert_close(in_pieces, whole, atol=1e-12, rtol=1e-10)
    assert (found[0][0][1, :, 4:] == 0).all()
