"""Draws, against the probabilities that they should have."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from rnncli.decoding.decode import decode
from rnncli.decoding.generate import generate
from rnncli.decoding.sampling import draw, draw_one
from rnncli.decoding.settings import DecodingSettings
from rnncli.errors import ConfigError
from tests.decoding.tables import Tables

OPTIONS: list[dict[str, float]] = [
    {},
    {"temperature": 0.4},
    {"temperature": 3.0},
    {"top_k": 1},
    {"top_k": 4},
    {"top_k": 50},
    {"top_p": 0.5},
    {"top_p": 0.02},
    {"top_p": 1.0},
    {"temperature": 1.7, "top_k": 6, "top_p": 0.6},
]


def sampling(**options: float) -> DecodingSettings:
    return DecodingSettings.model_validate({"method": "sample", **options})


def expected(logits: torch.Tensor, settings: DecodingSettings) -> np.ndarray:
    """The distribution by its definition: one token after another, the likeliest first."""
    chances = np.exp(logits.double().numpy() / settings.temperature)
    order = list(np.argsort(-chances))[: settings.top_k]
    whole, kept = chances[order].sum(), []
    for token in order:
        if settings.top_p is not None and chances[kept].sum() / whole >= settings.top_p:
            break
        kept.append(token)
    found = np.zeros(len(chances))
    found[kept] = chances[kept] / chances[kept].sum()
    return found


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_row_of_evenly_spaced_numbers_gives_each_token_its_share(options: dict[str, float]) -> None:
    settings, points = sampling(**options), 20_000
    logits = 2 * torch.randn(2, 9, generator=torch.Generator().manual_seed(3))
    logits[:, 4] = -torch.inf
    uniform = (torch.arange(points) + 0.5) / points
    for row in logits:
        drawn = draw(row.expand(points, -1), uniform, settings)
        shares = np.bincount(drawn.numpy(), minlength=9) / points
        np.testing.assert_allclose(shares, expected(row, settings), atol=2 / points)
        some = range(0, points, 97)
        one = [draw_one(row.double().numpy(), (at + 0.5) / points, settings) for at in some]
        assert np.mean(np.array(one) == drawn[some].numpy()) > 0.98  # but for rounding where two tokens meet
        shares = np.bincount(one, minlength=9) / len(one)
        np.testing.assert_allclose(shares, expected(row, settings), atol=2 / len(one))


@pytest.mark.parametrize("uniform", [0.0, 1 - 2.0**-24])
def test_what_has_no_probability_is_not_drawn_at_the_edges(uniform: float) -> None:
    logits = torch.full((1, 6), -torch.inf)
    logits[0, 2:4] = torch.tensor([0.3, -0.9])
    token = 2 if uniform == 0 else 3
    assert draw(logits, torch.tensor([uniform]), sampling()).tolist() == [token]
    assert draw_one(logits[0].double().numpy(), uniform, sampling()) == token


def test_texts_are_drawn_by_their_probability() -> None:
    model, longest, draws = Tables(1, 3, 0.7), 3, 4000
    model.table[..., 1] = -torch.inf
    found = decode(model, *model.start(), sampling(max_length=longest, n_best=draws, seed=5))
    texts = model.texts(longest)
    for number, answers in enumerate(found):
        counts = Counter(tuple(answer.tokens) for answer in answers)
        chances = np.exp([model.score(number, text, longest) for text in texts])
        assert chances.sum() == pytest.approx(1)
        assert chisquare([counts[text] for text in texts], draws * chances).pvalue > 1e-3
        assert counts.total() == draws
        assert sorted((answer.score for answer in answers), reverse=True) == [answer.score for answer in answers]
        for answer in answers[::500]:
            assert answer.score == pytest.approx(model.score(number, tuple(answer.tokens), longest), abs=1e-4)


def test_the_score_is_that_of_the_model_whatever_the_temperature() -> None:
    model = Tables(1, 8)
    for number, [answer] in enumerate(decode(model, *model.start(), sampling(temperature=2.0, top_k=3, max_length=4))):
        assert answer.score == pytest.approx(model.score(number, tuple(answer.tokens), 4), abs=1e-4)


def test_draws_follow_the_seed() -> None:
    model = Tables(9, 6)
    once, again, other = (
        decode(model, *model.start(), sampling(seed=seed, n_best=3, max_length=8)) for seed in (4, 4, 5)
    )
    assert once == again
    assert sum(ours != theirs for ours, theirs in zip(once, other, strict=True)) >= 4


@pytest.mark.parametrize("sizes", [(6,), (1, 5), (2, 3, 1)])
def test_the_size_of_batches_changes_no_draw(sizes: tuple[int, ...]) -> None:
    model, settings = Tables(9, 6), sampling(n_best=3, max_length=8)
    whole = decode(model, *model.start(), settings)
    found, left = [], list(range(6))
    for size in sizes:
        found += decode(model, *model.start(left[:size]), settings, rows=left[:size])
        left = left[size:]
    assert found == whole


def test_inputs_that_are_alike_are_drawn_apart() -> None:
    model = Tables(9, 1)
    found = decode(model, *model.start([0] * 30), sampling(max_length=8))
    assert len({tuple(answer.tokens) for [answer] in found}) > 10


def generated(model: Tables, settings: DecodingSettings, stop: frozenset[int], length: int) -> list[int]:
    state, first = model.start([1])
    logits, state = model.logits(first, state)
    return list(generate(model, state, logits, settings, stop=stop, length=length))


def test_generation_by_the_likeliest_is_what_decoding_writes() -> None:
    for seed in range(6):
        model = Tables(seed, 2)
        model.table[..., 1] += 5
        [answer] = decode(model, *model.start([1]), DecodingSettings(max_length=12))[0]
        assert generated(model, DecodingSettings(), frozenset({0}), 12) == answer.tokens
        [endless] = decode(model, *model.start([1]), DecodingSettings(max_length=12), end=None)[0]
        assert generated(model, DecodingSettings(), frozenset(), 12) == endless.tokens
        assert len(endless.tokens) == 12


def test_generation_draws_by_probability_and_seed() -> None:
    model, length = Tables(1, 2, 0.7), 3
    model.table[..., 1] = -torch.inf
    found = [tuple(generated(model, sampling(seed=seed), frozenset({0}), length)) for seed in range(2000)]
    texts = model.texts(length)
    chances = np.exp([model.score(1, text, length) for text in texts])
    assert chisquare([found.count(text) for text in texts], len(found) * chances).pvalue > 1e-3
    assert found[17] == tuple(generated(model, sampling(seed=17), frozenset({0}), length))


def test_generation_gives_a_token_before_it_asks_for_the_next_and_stops_before_stop_tokens() -> None:
    model = Tables(4, 2)
    whole = generated(model, sampling(seed=2), frozenset(), 40)
    assert len(whole) == 40
    stop = whole[5]
    assert generated(model, sampling(seed=2), frozenset({stop}), 40) == whole[: whole.index(stop)]

    state, first = model.start([1])
    logits, state = model.logits(first, state)
    kept, model.rows = logits.clone(), []
    tokens = generate(model, state, logits, sampling(seed=2), stop=frozenset(), length=40)
    assert list(islice(tokens, 3)) == whole[:3]
    assert model.rows == [1, 1]
    assert torch.equal(logits, kept)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("settings", [DecodingSettings(method="beam"), sampling(n_best=2)])
def test_generation_of_several_sequences_is_refused(settings: DecodingSettings) -> None:
    with pytest.raises(ConfigError, match="token by token"):
        generated(Tables(4, 2), settings, frozenset(), 4)
