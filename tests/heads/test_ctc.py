"""CTC against brute force over all alignments."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, product

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.decoding.settings import DecodingSettings
from rnncli.heads.build import build_head
from rnncli.heads.ctc import CTC, steps_needed
from rnncli.heads.settings import CTCSettings
from rnncli.inputs.batches import Batch
from rnncli.inputs.targets import Target
from rnncli.sequences import Padded

NAMES = ("<blank>", "<unk>", "a", "b")
WIDTH = 6
LENGTHS = (2, 5, 1, 4, 3)
FITTING = [[2], [3, 3, 1], [1], [1, 2, 1], [2, 2]]
"""Of these the third has a step for its token and no more, the last one for each token and the blank between them."""
TOO_LONG = [[2, 2], [3, 3, 3, 1], [1], [], [2, 2]]
"""The first two have too few steps."""


def head_of(names: tuple[str, ...] = NAMES) -> CTC:
    head = build_head(CTCSettings(type="ctc"), WIDTH, Target("sequence", names, units="character"))
    assert isinstance(head, CTC)
    return head


def features_of(lengths: tuple[int, ...] = LENGTHS) -> Padded:
    """Features in time-major memory, junk at padding."""
    time = max(lengths)
    values = 2 * torch.randn(time, len(lengths), WIDTH).transpose(0, 1)
    sequences = Padded(values, torch.tensor(lengths))
    return sequences.with_values(torch.where(sequences.mask.unsqueeze(2), values, 50.0))


def batch_of(sequences: Padded, targets: list[list[int]]) -> Batch:
    """Targets with junk at padding."""
    lengths = torch.tensor([len(each) for each in targets])
    padded = torch.full((len(targets), int(lengths.max())), 77)
    for row, each in enumerate(targets):
        padded[row, : len(each)] = torch.tensor(each, dtype=torch.int64)
    texts = [("".join(NAMES[number] for number in each), "other") for each in targets]
    rows = np.arange(len(targets))
    return Batch({"x": sequences}, padded, rows, target_lengths=lengths, references=texts)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    """What an alignment says: repetitions fall away, then blanks."""
    return tuple(token for token, _ in groupby(path) if token != 0)


def likelihood(logits: Tensor, target: list[int]) -> Tensor:
    """The log of the summed probability of all alignments of (time, tokens); -inf where there is none."""
    scores = logits.double().log_softmax(1)
    paths = [path for path in product(range(scores.shape[1]), repeat=len(scores)) if collapsed(path) == tuple(target)]
    if not paths:
        return torch.tensor(-torch.inf)
    return scores[torch.arange(len(scores)), torch.tensor(paths, dtype=torch.int64)].sum(1).logsumexp(0)


def of_each(outputs: Tensor, lengths: tuple[int, ...], targets: list[list[int]]) -> list[Tensor]:
    return [likelihood(row[:length], target) for row, length, target in zip(outputs, lengths, targets, strict=True)]


@pytest.mark.parametrize("targets", [FITTING, TOO_LONG])
def test_loss_and_gradients_are_those_of_all_alignments(targets: list[list[int]]) -> None:
    sequences, head = features_of(), head_of()
    batch, features = batch_of(sequences, targets), sequences.values.clone().requires_grad_()
    loss, items = head.loss(head(features, sequences), batch)
    loss.backward()
    found = [features.grad, head.linear.weight.grad, head.linear.bias.grad]
    again = sequences.values.clone().requires_grad_()
    nll = [-each for each in of_each(again @ head.linear.weight.t() + head.linear.bias, LENGTHS, targets)]
    finite = [each for each in nll if each.isfinite()]
    expected = torch.stack(finite).mean()
    assert items == len(finite) == (5 if targets is FITTING else 3)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=1e-6)
    gradients = torch.autograd.grad(expected, [again, head.linear.weight, head.linear.bias])
    for gradient, oracle in zip(found, gradients, strict=True):
        torch.testing.assert_close(gradient, oracle, rtol=1e-4, atol=1e-6)
    reached = found[0].abs().sum(2) > 0
    fits = torch.tensor([bool(each.isfinite()) for each in nll])
    assert torch.equal(reached, sequences.mask & fits.unsqueeze(1))


def test_where_no_target_fits_there_is_no_loss_but_a_gradient_of_zeros() -> None:
    sequences, head = features_of((1, 3)), head_of()
    batch = batch_of(sequences, [[1, 2], [2, 2, 2]])
    outputs = head(sequences.values, sequences)
    loss, items = head.loss(outputs, batch)
    loss.backward()
    assert (loss.item(), items) == (0, 0)
    assert not head.linear.weight.grad.any()
    with torch.no_grad():
        assert head.outcome(outputs, batch).nll.shape == (0,)


@pytest.mark.parametrize("full", [False, True])
def test_batch_mates_change_nothing(full: bool) -> None:
    lengths = (5, 5, 5, 5, 5) if full else LENGTHS
    sequences, head = features_of(lengths), head_of()
    batch = batch_of(sequences, FITTING)
    outputs = head(sequences.values, sequences)
    loss, _ = head.loss(outputs, batch)
    together = torch.autograd.grad(loss, head.linear.weight)[0]
    with torch.no_grad():
        outcome = head.outcome(outputs, batch)
    losses, gradients = [], []
    for row, (length, target) in enumerate(zip(lengths, FITTING, strict=True)):
        alone = Padded(sequences.values[row : row + 1, :length], torch.tensor([length]))
        single = batch_of(alone, [target])
        outputs = head(alone.values, alone)
        losses.append(head.loss(outputs, single)[0])
        gradients.append(torch.autograd.grad(losses[-1], head.linear.weight, retain_graph=True)[0])
        with torch.no_grad():
            said = head.outcome(outputs, single)
        assert said.predicted[0] == outcome.predicted[row]
        np.testing.assert_allclose(said.nll[0], outcome.nll[row], rtol=1e-5)
    torch.testing.assert_close(loss, torch.stack(losses).mean())
    torch.testing.assert_close(together, torch.stack(gradients).mean(0), rtol=1e-4, atol=1e-6)


def test_steps_that_are_read_several_times_count_so_often() -> None:
    inputs, head = features_of((1, 2)), head_of()
    batch = batch_of(inputs, [[2, 2], [1, 3, 2]])
    outputs = torch.randn(6, 2, 4).transpose(0, 1)
    loss, items = head.loss(outputs, batch)
    nll = [-each for each in of_each(outputs, (3, 6), [[2, 2], [1, 3, 2]])]
    assert items == 2
    torch.testing.assert_close(loss.double(), torch.stack(nll).mean(), rtol=1e-5, atol=1e-6)
    with torch.no_grad():
        np.testing.assert_allclose(head.outcome(outputs, batch).nll, torch.stack(nll).numpy(), rtol=1e-5)


def test_an_infinite_loss_that_is_not_for_want_of_steps_shows() -> None:
    sequences, head = features_of((3,)), head_of()
    impossible = torch.zeros(1, 3, 4)
    impossible[..., 1] = -torch.inf
    loss, items = head.loss(impossible, batch_of(sequences, [[1]]))
    assert items == 1 and loss.item() == torch.inf


def test_steps_needed_are_the_fewest_that_have_an_alignment() -> None:
    targets = [[2, 2, 2], [1, 2, 1, 1], [3], [], [1, 1], [1, 2, 3, 3, 3]]
    uniform = torch.zeros(7, 4)
    batch = batch_of(features_of((1,) * 6), targets)
    needed = steps_needed(Padded(batch.targets, batch.target_lengths)).tolist()
    for target, steps in zip(targets, needed, strict=True):
        assert likelihood(uniform[:steps], target).isfinite()
        assert steps == 0 or not likelihood(uniform[: steps - 1], target).isfinite()


def test_the_beam_finds_the_likeliest_texts_and_greedy_the_likeliest_alignment() -> None:
    sequences, head = features_of(), head_of()
    batch = batch_of(sequences, FITTING)
    with torch.no_grad():
        outputs = 0.3 * head(sequences.values, sequences)
        greedy = head.outcome(outputs, batch)
        beam = head.outcome(outputs, batch, DecodingSettings(method="beam", beam_size=300, n_best=3))
    assert greedy.lengths.tolist() == [1] * 5
    assert greedy.target.tolist() == batch.references
    for row, length in enumerate(LENGTHS):
        scores = outputs[row, :length].double().log_softmax(1)
        scores[:, 1] = -torch.inf  # what is unknown is never written
        texts: dict[str, float] = {}
        for path in product(range(4), repeat=length):
            text = "".join(NAMES[number] for number in collapsed(path))
            chance = float(scores[torch.arange(length), torch.tensor(path)].sum().exp())
            texts[text] = texts.get(text, 0.0) + chance
        best = sorted(texts, key=lambda text: -texts[text])[:3]
        assert [text for text, _ in beam.answers[row]] == best
        assert [score for _, score in beam.answers[row]] == pytest.approx([np.log(texts[text]) for text in best])
        assert beam.predicted[row] == best[0]
        said = "".join(NAMES[number] for number in collapsed(tuple(scores.argmax(1).tolist())))
        assert greedy.predicted[row] == said
    assert greedy.answers is None
    np.testing.assert_array_equal(greedy.nll, beam.nll)


def test_without_truth_there_is_an_outcome_but_no_loss() -> None:
    sequences, head = features_of(), head_of()
    known = batch_of(sequences, FITTING)
    batch = replace(known, targets=None, target_lengths=None, references=None)
    outputs = head(sequences.values, sequences).detach()
    outcome = head.outcome(outputs, batch)
    assert outcome.target is None and outcome.nll is None
    assert outcome.predicted.tolist() == head.outcome(outputs, known).predicted.tolist()
    with pytest.raises(ValueError, match="needs a batch with targets"):
        head.loss(outputs, batch)
    with pytest.raises(ValueError, match="drawn"):
        head.outcome(outputs, batch, DecodingSettings(method="sample"))
