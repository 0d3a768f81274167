"""Greedy decoding and beams, against all texts of a small model."""

from __future__ import annotations

import pytest

from rnncli.decoding.decode import decode
from rnncli.decoding.settings import DecodingSettings
from rnncli.decoding.steps import END
from tests.decoding.tables import ALLOWED, Tables

LONGEST = 4
EVERY = 1 + 3 + 9 + 27 + 81
"""Texts of at most LONGEST tokens."""


def beam(size: int, **options: float) -> DecodingSettings:
    return DecodingSettings.model_validate({"method": "beam", "beam_size": size, "max_length": LONGEST, **options})


def by_brute_force(model: Tables, number: int, penalty: float) -> list[tuple[tuple[int, ...], float]]:
    """All texts with their log probabilities, the best first."""
    scored = [(text, model.score(number, text, LONGEST)) for text in model.texts(LONGEST)]
    tokens = {text: min(len(text) + 1, LONGEST) for text, _ in scored}
    return sorted(scored, key=lambda each: -each[1] / ((5 + tokens[each[0]]) / 6) ** penalty)


@pytest.mark.parametrize("seed", range(5))
def test_greedy_takes_the_likeliest_of_each_step(seed: int) -> None:
    model = Tables(seed, 7)
    model.table[..., 1] += 5  # the entry of unknown words is the likeliest by far, and never written
    found = decode(model, *model.start(), DecodingSettings(max_length=6))
    for number, [answer] in enumerate(found):
        text: list[int] = []
        while len(text) < 6:
            probabilities = model.probabilities(number, tuple(text))
            token = max(ALLOWED, key=lambda entry, of=probabilities: float(of[entry]))
            if token == END:
                break
            text.append(token)
        assert answer.tokens == text
        assert answer.score == pytest.approx(model.score(number, tuple(text), 6), abs=1e-4)


@pytest.mark.parametrize("penalty", [0.0, 1.7])
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_one_is_greedy(seed: int, penalty: float) -> None:
    model = Tables(seed, 30)
    greedy = decode(model, *model.start(), DecodingSettings(max_length=LONGEST))
    one = decode(model, *model.start(), beam(1, length_penalty=penalty))
    for [expected], [answer] in zip(greedy, one, strict=True):
        assert answer.tokens == expected.tokens
        assert answer.score == pytest.approx(expected.score, abs=1e-5)
    assert {len(answer.tokens) for [answer] in greedy} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.5])
@pytest.mark.parametrize("kept", [1, 7, EVERY])
def test_a_beam_that_is_large_enough_finds_the_best_of_all_texts_in_order(kept: int, penalty: float) -> None:
    model = Tables(11, 6)
    found = decode(model, *model.start(), beam(EVERY, length_penalty=penalty, n_best=kept))
    for number, answers in enumerate(found):
        expected = by_brute_force(model, number, penalty)[:kept]
        assert [tuple(answer.tokens) for answer in answers] == [text for text, _ in expected]
        assert [answer.score for answer in answers] == pytest.approx([score for _, score in expected], abs=1e-4)


def test_the_penalty_changes_what_is_best() -> None:
    """Else the test above would say nothing of it."""
    model = Tables(11, 6)
    best = [[by_brute_force(model, number, penalty)[0][0] for number in range(6)] for penalty in (0.0, 2.5)]
    assert best[0] != best[1]


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_small_beam_against_its_definition(size: int, penalty: float) -> None:
    """Step by step in plain Python, without leaving anything behind that goes on."""
    model = Tables(23, 40)
    found = decode(model, *model.start(), beam(size, length_penalty=penalty, n_best=size))
    for number, answers in enumerate(found):
        going: list[tuple[int, ...]] = [()]
        finished: list[tuple[float, tuple[int, ...]]] = []
        for step in range(1, LONGEST + 1):
            if len(finished) >= size:
                break
            every = [(*text, token) for text in going for token in ALLOWED]
            logs = {text: _of_tokens(model, number, text) for text in every}
            every.sort(key=lambda text, of=logs: -of[text])
            going = [text for text in every if text[-1] != END][:size]
            for text in every[:size]:
                if text[-1] == END or step == LONGEST:
                    plain = text[:-1] if text[-1] == END else text
                    finished.append((logs[text] / ((5 + step) / 6) ** penalty, plain))
        finished.sort(reverse=True)
        assert [tuple(answer.tokens) for answer in answers] == [text for _, text in finished[:size]]


def _of_tokens(model: Tables, number: int, tokens: tuple[int, ...]) -> float:
    return float(sum(model.probabilities(number, tokens[:at])[token].log() for at, token in enumerate(tokens)))


@pytest.mark.parametrize("settings", [DecodingSettings(max_length=5), beam(3, n_best=2, length_penalty=0.8)])
def test_no_answer_depends_on_its_batch(settings: DecodingSettings) -> None:
    model = Tables(5, 9)
    together = decode(model, *model.start(), settings)
    mixed = decode(model, *model.start([7, 2, 2, 5]), settings)
    for number in range(9):
        assert decode(model, *model.start([number]), settings) == [together[number]]
    assert mixed == [together[number] for number in (7, 2, 2, 5)]
    assert decode(model, *model.start([]), settings) == []


@pytest.mark.parametrize("settings", [DecodingSettings(), DecodingSettings(method="beam", beam_size=3)])
def test_rows_that_have_ended_cost_nothing(settings: DecodingSettings) -> None:
    model = Tables(2, 12)
    model.table[..., END] += 1
    found = decode(model, *model.start(), settings)
    lengths = [len(answer.tokens) for [answer] in found]
    if settings.method == "greedy":
        assert model.rows == [sum(length >= step for length in lengths) for step in range(min(max(lengths) + 1, 100))]
    else:
        alone = []
        for number in range(12):
            model.rows = []
            decode(model, *model.start([number]), settings)
            alone.append(model.rows)
        model.rows = []
        decode(model, *model.start(), settings)
        most = max(map(len, alone))
        assert model.rows == [sum(rows[step] for rows in alone if step < len(rows)) for step in range(most)]
        assert min(map(len, alone)) < most < 100


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_beam_goes_on_only_while_it_can_find_better(penalty: float) -> None:
    model = Tables(2, 12)
    model.table[..., END] += 12
    found = decode(model, *model.start(), beam(30, length_penalty=penalty))
    assert [answer.tokens for [answer] in found] == [[]] * 12
    assert model.rows == [12]


@pytest.mark.parametrize("settings", [DecodingSettings(max_length=3), beam(81, max_length=3)])
def test_without_an_end_every_text_has_the_full_length(settings: DecodingSettings) -> None:
    model = Tables(8, 10)
    model.table[..., END] += 3
    found = decode(model, *model.start(), settings, end=None)
    for number, [answer] in enumerate(found):
        assert len(answer.tokens) == 3
        assert END not in answer.tokens
        assert answer.score == pytest.approx(_of_tokens(model, number, tuple(answer.tokens)), abs=1e-4)
        if settings.method == "beam":
            texts = [text for text in model.texts(3) if len(text) == 3]
            assert tuple(answer.tokens) == max(texts, key=lambda text, of=number: _of_tokens(model, of, text))


def test_fewer_texts_than_answers_asked_for() -> None:
    model = Tables(8, 2)
    found = decode(model, *model.start(), DecodingSettings(method="beam", beam_size=9, n_best=9, max_length=1))
    assert [sorted(answer.tokens for answer in answers) for answers in found] == [[[], [2], [3], [4]]] * 2
