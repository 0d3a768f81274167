"""The linear chain, against the sum and the maximum over all paths."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.heads.build import build_head
from rnncli.heads.settings import CRFSettings
from rnncli.inputs.targets import Target
from rnncli.sequences import Padded

NAMES = ("B-X", "O", "I-X")
LENGTHS = (2, 4, 1, 3)


def crf(constrain: bool = False):
    head = build_head(
        CRFSettings(type="crf", constrain=constrain), 6, Target("tag", NAMES, (1,) * 3, True, scheme="BIO")
    )
    for scores in (head.transitions, head.start, head.end):
        torch.nn.init.normal_(scores)
    return head


def paths(length: int, allowed_only: bool):
    for path in product(range(3), repeat=length):
        written = ["O", *(NAMES[tag] for tag in path)]
        if not allowed_only or all(b != "I-X" or a != "O" for a, b in pairwise(written)):
            yield path


def path_score(head, emissions: Tensor, path: tuple[int, ...]) -> Tensor:
    score = head.start[path[0]] + head.end[path[-1]] + sum(emissions[step, tag] for step, tag in enumerate(path))
    return score + sum(head.transitions[a, b] for a, b in pairwise(path))


@pytest.mark.parametrize("constrain", [False, True])
@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3), (1,)])
def test_loss_and_its_gradients_by_brute_force(lengths: tuple[int, ...], constrain: bool, per_step) -> None:
    head = crf(constrain).double()
    gold = torch.tensor([0, 2, 1, 0, 2, 2, 1, 0, 0, 1][: sum(lengths)])
    if constrain and lengths == (3, 3):
        gold = torch.tensor([0, 2, 2, 1, 0, 2])
    features, batch = per_step(gold, lengths=lengths)
    features = features.double().requires_grad_()
    truth = [tuple(row[:length].tolist()) for row, length in zip(batch.targets, lengths, strict=True)]
    expected = torch.zeros(())
    for row, length in enumerate(lengths):
        emissions = head.linear(features[row, :length])
        every = torch.stack([path_score(head, emissions, path) for path in paths(length, constrain)])
        expected = expected + every.logsumexp(0) - path_score(head, emissions, truth[row])
    expected = expected / sum(lengths)
    loss, items = head.loss(head(features, batch.sequences), batch)
    assert items == sum(lengths)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)
    weights = [features, *head.parameters()]
    for found, wanted in zip(
        torch.autograd.grad(loss, weights, allow_unused=True),
        torch.autograd.grad(expected, weights, allow_unused=True, materialize_grads=True),
        strict=True,
    ):
        torch.testing.assert_close(torch.zeros_like(wanted) if found is None else found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("constrain", [False, True])
def test_best_path_by_brute_force(constrain: bool, per_step) -> None:
    head = crf(constrain)
    differs = False
    for _ in range(5):
        features, batch = per_step(None, lengths=LENGTHS)
        with torch.no_grad():
            outcome = head.outcome(head(features, batch.sequences), batch)
            expected = []
            for row, length in enumerate(LENGTHS):
                emissions = head.linear(features[row, :length])
                expected += max(paths(length, constrain), key=lambda path: float(path_score(head, emissions, path)))
                differs |= bool(emissions.argmax(1).tolist() != expected[-length:])
        np.testing.assert_array_equal(outcome.predicted, expected)
        assert outcome.lengths.tolist() == list(LENGTHS) and outcome.nll is None
    assert differs


@pytest.mark.parametrize("constrain", [False, True])
@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3), (1,)])
@pytest.mark.parametrize("size", [1, 100])
def test_probabilities_are_the_shares_of_all_paths(
    lengths: tuple[int, ...], constrain: bool, size: float, per_step
) -> None:
    head = crf(constrain)
    features, batch = per_step(None, lengths=lengths)
    features = features * size
    with torch.inference_mode():
        outcome = head.outcome(head(features, batch.sequences), batch)
    expected = []
    for row, length in enumerate(lengths):
        emissions = head.linear(features[row, :length])
        allowed = list(paths(length, constrain))
        shares = torch.stack([path_score(head, emissions, path) for path in allowed]).softmax(0)
        expected.append(torch.zeros(length, 3))
        for path, share in zip(allowed, shares, strict=True):
            expected[-1][range(length), path] += share.detach()
    torch.testing.assert_close(torch.from_numpy(outcome.probabilities), torch.cat(expected))


def test_gradients_are_those_of_finite_differences() -> None:
    head = crf().double()
    sequences = Padded(torch.zeros(3, 4, 1), torch.tensor([4, 1, 3]))
    tags = torch.tensor([0, 2, 1, 1, 2, 0, 1, 1])
    emissions = torch.randn(8, 3, dtype=torch.float64, requires_grad=True)

    def nll(emissions: Tensor, *_: Tensor) -> Tensor:
        first = torch.tensor([0, 4, 5])
        return head._log_partition(emissions, sequences) - head._path_score(emissions, tags, first)

    assert torch.autograd.gradcheck(nll, (emissions, head.transitions, head.start, head.end))


def test_junk_in_padding_changes_nothing(per_step) -> None:
    head = crf()
    features, batch = per_step(torch.tensor([0, 2, 1, 0, 2, 2, 1, 0, 0, 1]), lengths=LENGTHS)
    junk = torch.where(batch.sequences.mask.unsqueeze(2), features, torch.nan)
    loss, other = (head.loss(head(each, batch.sequences), batch)[0] for each in (features, junk))
    assert torch.equal(loss, other)
