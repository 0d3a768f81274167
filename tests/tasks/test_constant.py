"""The naive answer to a written sequence: one text for all inputs."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from sacrebleu.metrics import BLEU

from rnncli.inputs.answered import Answered
from rnncli.inputs.batches import Ragged
from rnncli.inputs.targets import Target
from rnncli.tasks.baselines import baseline
from rnncli.tasks.constant import LIKELY, LOOKED_AT, bleu_of_each, constant_answer

TARGET = Target("sequence", ("<pad>", "a"), units="word")


def data(references: list[tuple[str, ...]]) -> Answered:
    """Inputs of unequal lengths, about which a constant answer asks nothing."""
    lengths = np.resize([5, 1, 3, 2, 7], len(references))
    inputs = Ragged(torch.zeros(int(lengths.sum()), dtype=torch.int64), np.cumsum([0, *lengths]))
    answers = Ragged(torch.ones(len(references), dtype=torch.int64), np.arange(len(references) + 1))
    return Answered({"tokens": inputs}, answers, references)


def captions(examples: int, seed: int = 0, least: int = 1) -> list[tuple[str, ...]]:
    """One to three sentences each, with words that repeat, punctuation and other scripts."""
    random = np.random.default_rng(seed)
    words = ["a", "a", "the", "man", "Hund,", "runs", "in", "in", "grass.", "நன்றி", "it's"]
    return [
        tuple(" ".join(random.choice(words, random.integers(least, 11))) for _ in range(random.integers(1, 4)))
        for _ in range(examples)
    ]


def bleu(text: str, references: list[tuple[str, ...]]) -> float:
    most = max(map(len, references))
    streams = [[each[number] if number < len(each) else None for each in references] for number in range(most)]
    return BLEU(force=True).corpus_score([text] * len(references), streams).score


def test_the_scores_of_all_texts_are_those_of_sacrebleu() -> None:
    examples = captions(40)
    counts = np.random.default_rng(1).integers(1, 4, 40).tolist()
    every = [each for each, count in zip(examples, counts, strict=True) for _ in range(count)]
    found = bleu_of_each(examples, counts)
    assert set(found) == {text for each in examples for text in each}
    assert found == pytest.approx({text: bleu(text, every) for text in found})
    assert len({round(score, 6) for score in found.values() if score}) > 10


def test_the_text_with_the_highest_bleu_where_hardly_any_is_right_twice() -> None:
    examples = [("the grass. it's",)] * 2 + captions(148, seed=2, least=5)
    assert constant_answer(examples) == "the grass. it's", "it is right for 1 of 75"
    examples += captions(100, seed=3, least=5)
    best = constant_answer(examples)
    assert best != "the grass. it's", "it is right for 1 of 125"
    highest = bleu(best, examples)
    assert all(bleu(text, examples) <= highest + 1e-9 for each in examples[::10] for text in each)


def test_the_most_frequent_text_where_it_is_often_right() -> None:
    assert LIKELY <= 0.2
    long = [(f"a man in the grass {number} runs",) for number in range(8)]
    assert constant_answer([*long, ("yes",), ("no", "yes")]) == "yes"
    # Without two answers in a hundred, the long ones of which every n-gram is common.
    assert constant_answer(long * 60 + [("yes",)]).startswith("a man")


def test_without_four_words_the_most_frequent_text() -> None:
    names = [(f"name{number}",) for number in range(300)]
    assert constant_answer([*names, ("name17",), ("name211",), ("name17",)]) == "name17"


def test_of_many_examples_some_are_looked_at() -> None:
    rare, frequent = ("one two three four five",), ("six",)
    references = [rare, frequent] * LOOKED_AT  # every second is looked at
    assert constant_answer(references) == rare[0]
    assert constant_answer(references[1:]) == frequent[0]


def test_the_baseline_scores_the_answer_on_the_test_part() -> None:
    train = captions(120, seed=4)
    test = [("a man in the grass. runs",), ("the Hund, runs in the grass.", "a"), *captions(20, seed=5)]
    one, another = (baseline(TARGET, data(train), data(test), size) for size in (3, 100))
    assert one.name == "constant answer"
    assert one.scores == pytest.approx(another.scores)
    assert one.scores["bleu"] == pytest.approx(bleu(constant_answer(train), test))
    assert {"exact_match", "bleu", "bleu_1", "chrf", "wer", "cer"} <= set(one.scores)
    assert "nll" not in one.scores


def test_exact_match_of_the_constant_answer() -> None:
    train, test = [("yes",), ("no",), ("yes",)], [("no",), ("yes",), ("no", "yes"), ("never",)]
    assert baseline(TARGET, data(train), data(test), 2).scores["exact_match"] == 2 / 4


@pytest.mark.skipif("RNNCLI_DATA" not in os.environ, reason="needs RNNCLI_DATA, the folder of real files")
def test_the_best_constant_caption() -> None:
    folder = Path(os.environ["RNNCLI_DATA"]) / "flickr8k"
    if not folder.exists():
        pytest.skip("RNNCLI_DATA holds no flickr8k")
    of_image = defaultdict(list)
    for line in (folder / "Flickr8k.token.txt").read_text(encoding="utf-8").splitlines():
        name, caption = line.split("\t")
        of_image[name.partition("#")[0]].append(re.sub(r"\s*[.,!?]", "", caption.lower()).strip())
    parts = {}
    for part in ("train", "test"):
        names = (folder / f"Flickr_8k.{part}Images.txt").read_text(encoding="utf-8").split()
        parts[part] = [tuple(of_image[name]) for name in names]
    assert 8.5 < bleu(constant_answer(parts["train"]), parts["test"]) < 10
