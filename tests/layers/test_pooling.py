"""Pooling against the same in words, row by row."""

from typing import get_args

import pytest
import torch

from rnncli.layers.pooling import Pooling
from rnncli.layers.settings import PoolingName
from rnncli.sequences import Padded

NAMES = get_args(PoolingName)


def one_row(pooling, name, row):
    """The pool of one sequence without padding, (time, features)."""
    half = row.shape[1] // 2
    match name:
        case "last":
            return torch.cat([row[-1, :half], row[0, half:]]) if pooling.forward_features == half else row[-1]
        case "mean":
            return sum(row) / len(row)
        case "max":
            return torch.stack([max(column) for column in row.t()])
        case "attention":
            scores = [pooling.query.weight[0] @ torch.tanh(pooling.keys.weight @ h + pooling.keys.bias) for h in row]
            shares = torch.stack(scores).exp() / sum(score.exp() for score in scores)
            return sum(share * h for share, h in zip(shares, row, strict=True))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("names", [*((name,) for name in NAMES), NAMES[::-1]])
@pytest.mark.parametrize("lengths", [[5, 1, 7, 2], [3, 3], [1]])
def test_pooling_is_that_of_each_row_without_its_padding(names, bidirectional, lengths):
    torch.manual_seed(0)
    pooling = Pooling(names, 6, bidirectional).double()
    values = torch.randn(len(lengths), max(lengths), 6, dtype=torch.float64, requires_grad=True)
    outputs = Padded(values, torch.tensor(lengths))
    expected = torch.stack(
        [torch.cat([one_row(pooling, name, values[k, :length]) for name in names]) for k, length in enumerate(lengths)]
    )
    pooled = pooling(outputs)
    assert pooled.shape[1] == pooling.size
    torch.testing.assert_close(pooled, expected)
    weight = torch.randn(pooled.shape, dtype=torch.float64)
    wanted = [values, *pooling.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad((pooled * weight).sum(), wanted, retain_graph=True),
        torch.autograd.grad((expected * weight).sum(), wanted),
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("junk", [1e6, float("nan")])
def test_junk_in_padding_changes_nothing(name, junk):
    torch.manual_seed(1)
    pooling = Pooling([name], 4, bidirectional=True)
    outputs = Padded(-torch.rand(3, 5, 4), torch.tensor([5, 1, 3]))
    other = torch.where(outputs.mask.unsqueeze(2), outputs.values, junk).requires_grad_()
    pooled = pooling(outputs.with_values(other))
    torch.testing.assert_close(pooled, pooling(outputs))
    pooled.square().sum().backward()
    assert not other.grad[~outputs.mask].any()
    assert other.grad.isfinite().all()


@pytest.mark.parametrize("names", [*((name,) for name in NAMES), NAMES[::-1]])
@pytest.mark.parametrize("pieces", [[1] * 7, [3, 1, 3], [7]])
def test_what_is_gathered_piece_by_piece_is_the_pool_of_all_so_far(names, pieces):
    torch.manual_seed(1)
    pooling = Pooling(names, 6, bidirectional=False)
    values = 9 * torch.randn(2, sum(pieces), 6)
    gathered: tuple[torch.Tensor, ...] = ()
    stop = 0
    for count in pieces:
        start, stop = stop, stop + count
        new = Padded(values[:, start:stop], torch.tensor([count, count]))
        found, gathered = pooling.so_far(new, gathered)
        whole = pooling(Padded(values[:, :stop], torch.tensor([stop, stop])))
        torch.testing.assert_close(found, whole, atol=1e-5, rtol=1e-5)
