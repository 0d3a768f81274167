"""Copying and coverage (See et al. 2017, arXiv 1704.04368v2) are their formulas, reckoned position by position."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli.decoding.settings import DecodingSettings
from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Batch, Ragged
from rnncli.models.encoder_decoder import EncoderDecoder

from .test_encoder_decoder import NAMES, model_of, one

SOURCES = ([4, 2, 4, 7, 4, 3], [5, 5], [8, 6, 2, 6])
ANSWERS = ([7, 3], [5, 8, 6, 2], [6])
PADDING = 3
"""A token that can be written, so that a copy of padding would be seen."""
COST = 0.7
COVERING = {"attention": "additive", "attention_size": 2, "input_feeding": True, "coverage": COST}
COPYING: dict[str, dict[str, Any]] = {
    "at once": {"copy_words": True},
    "at once, additive": {"copy_words": True, "attention": "additive", "attention_size": 2},
    "step by step": {"copy_words": True, "input_feeding": True},
    "with coverage": {"copy_words": True, **COVERING},
}
COVERED: dict[str, dict[str, Any]] = {"coverage": COVERING, "coverage and copies": COPYING["with coverage"]}


def ragged(lists: tuple[list[int], ...]) -> Ragged:
    offsets = np.cumsum([0, *(len(each) for each in lists)])
    return Ragged(torch.tensor([token for each in lists for token in each]), offsets)


def batch() -> Batch:
    """Three sequences, whose padding holds a token."""
    whole = Answered({"tokens": ragged(SOURCES)}, ragged(ANSWERS), [("a",)] * 3).batch(np.arange(3))
    read = whole.inputs["tokens"]
    whole.inputs["tokens"] = read.with_values(torch.where(read.mask, read.values, PADDING))
    return whole


def drawn(decoder: dict[str, Any]) -> EncoderDecoder:
    """A model that rather copies than not, and whose attention is not even."""
    model = model_of(decoder, cell={"type": "lstm", "hidden_size": 7}, embedding_size=8)
    attention = model.writer.looking.attention
    assert attention is not None
    with torch.no_grad():
        if model.writer.copying is not None:
            model.writer.copying.bias.fill_(0.8)
        for parameter in attention.parameters():
            parameter.mul_(1.5)
    return model


@dataclass
class ByHand:
    """Of one answer: for each token and the end the probabilities, the attention, and what looking twice costs."""

    said: list[Tensor] = field(default_factory=list)
    weights: list[list[Tensor]] = field(default_factory=list)
    twice: list[Tensor] = field(default_factory=list)


def by_hand(model: EncoderDecoder, whole: Batch, row: int, answer: list[int]) -> ByHand:
    """What the model should do while it writes that answer to that row, which is read without batch mates."""
    writer, single, source = model.writer, one(whole, row), SOURCES[row]
    weigh, combine, result = writer.looking.attention, writer.looking.combine, ByHand()
    assert writer.embedding is not None and weigh is not None and combine is not None
    memory, layers = model.reader(single)[0].values[0], model.begin(single).layers
    found, coverage = torch.zeros(7), [torch.zeros(()) for _ in source]
    for previous in [0, *answer]:
        vector = writer.embedding.weight[previous]
        if model.options.input_feeding:
            vector = torch.cat([vector, found])
        output, layers = writer.stack.step(vector.unsqueeze(0), layers)
        h, powers = output[0], []
        for m, had in zip(memory, coverage, strict=True):
            if model.options.attention == "multiplicative":
                score = h @ (weigh.of_memory.weight @ m)
            else:
                inner = weigh.of_query.weight @ h + weigh.of_memory.weight @ m + weigh.of_memory.bias
                if model.options.coverage:
                    inner = inner + weigh.of_coverage.weight[:, 0] * had
                score = weigh.vector.weight[0] @ inner.tanh()
            powers.append(score.exp())
        weights = [power / sum(powers) for power in powers]
        context = torch.stack([a * m for a, m in zip(weights, memory, strict=True)]).sum(0)
        found = (combine.weight @ torch.cat([context, h]) + combine.bias).tanh()
        said = list((writer.head.weight @ found + writer.head.bias).softmax(0))
        if writer.copying is not None:
            copied = 1 / (1 + (-(writer.copying.weight[0] @ found) - writer.copying.bias[0]).exp())
            said = [(1 - copied) * each for each in said]
            for token, a in zip(source, weights, strict=True):
                said[token] = said[token] + copied * a
        result.said.append(torch.stack(said))
        result.weights.append(weights)
        repeated = torch.zeros(())
        for a, had in zip(weights, coverage, strict=True):
            repeated = repeated + (a if a < had else had)
        result.twice.append(repeated)
        coverage = [had + a for had, a in zip(coverage, weights, strict=True)]
    return result


def all_by_hand(model: EncoderDecoder, whole: Batch) -> list[ByHand]:
    return [by_hand(model, whole, row, answer) for row, answer in enumerate(ANSWERS)]


@pytest.mark.parametrize("way", COPYING)
def test_a_token_gets_its_own_share_and_the_attention_of_each_position_it_stands_at(way: str) -> None:
    model, whole = drawn(COPYING[way]), batch()
    with torch.no_grad():
        said = model.outputs(whole, None)[0].exp()
        expected = torch.stack([each for hand in all_by_hand(model, whole) for each in hand.said])
    assert said.shape == (10, len(NAMES))
    torch.testing.assert_close(said.sum(1), torch.ones(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(said, expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("way", COPYING)
def test_each_answer_of_a_beam_scores_what_its_tokens_have_by_hand(way: str) -> None:
    """The coverage and the tokens to copy move with the rows of a beam."""
    model, whole = drawn(COPYING[way]), batch()
    decoding = DecodingSettings(method="beam", beam_size=4, n_best=4, max_length=5, length_penalty=0.0)
    seen = 0
    for row, answers in enumerate(model.decoded(whole, decoding)):
        for answer in answers:
            tokens = list(answer.tokens)
            with torch.no_grad():
                said = by_hand(model, whole, row, tokens).said
            asked = tokens if len(tokens) == 5 else [*tokens, 0]
            total = sum(float(said[step][token].log()) for step, token in enumerate(asked))
            assert answer.score == pytest.approx(total, abs=1e-4)
            seen += 1
    assert seen > len(SOURCES)


@pytest.mark.parametrize("way", COVERED)
def test_attention_sees_the_sum_of_its_earlier_weights(way: str) -> None:
    model, whole = drawn(COVERED[way]), batch()
    shown = model.attention(whole, ANSWERS)
    assert shown is not None
    with torch.no_grad():
        for row, hand in enumerate(all_by_hand(model, whole)):
            np.testing.assert_allclose(shown[row], np.array(hand.weights, dtype=np.float32), atol=2e-6)


@pytest.mark.parametrize("way", COVERED)
def test_looking_twice_costs_its_weight_in_the_loss_and_in_the_gradients(way: str) -> None:
    """The mean over all tokens and ends of -log p + cost * sum over the positions of min(attention, coverage)."""
    model, whole = drawn(COVERED[way]), batch()
    hands = all_by_hand(model, whole)
    terms = []
    for hand, answer in zip(hands, ANSWERS, strict=True):
        for said, repeated, token in zip(hand.said, hand.twice, [*answer, 0], strict=True):
            terms.append(COST * repeated - said[token].log())
    expected = torch.stack(terms).mean()
    loss, items, _ = model.loss(whole)
    assert items == len(terms) == 10
    torch.testing.assert_close(loss, expected, atol=2e-6, rtol=1e-5)
    names, parameters = zip(*model.named_parameters(), strict=True)
    wanted = torch.autograd.grad(expected, parameters)
    for name, got, want in zip(names, torch.autograd.grad(loss, parameters), wanted, strict=True):
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-4, msg=lambda said, name=name: f"{name}: {said}")
    # Both sides of the minimum are taken: else attention or coverage alone would pass for it.
    sides = set()
    for hand in hands:
        had = [0.0] * len(hand.weights[0])
        for weights in hand.weights:
            sides |= {a.item() < c for a, c in zip(weights, had, strict=True) if c}
            had = [c + a.item() for c, a in zip(had, weights, strict=True)]
    assert sides == {True, False}
