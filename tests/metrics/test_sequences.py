"""Metrics of written texts against sacrebleu and jiwer, and against distances counted by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jiwer
import numpy as np
import pytest
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

from rnncli.errors import MissingExtra
from rnncli.heads.written import listed
from rnncli.metrics import METRICS, Outcome, Scores

WORDS = ["the", "The", "Zug", "fährt", "நன்றி", "a", "is", "can't", "e.g.", "1,5", "end.", "日本", "\u00e9", "e\u0301"]
WRITTEN = [name for name, part in METRICS.items() if part.fits("sequence", (), None) and name != "nll"]


def sentence(random: np.random.Generator, least: int = 0) -> str:
    return " ".join(random.choice(WORDS, random.integers(least, 12)))


def disturbed(text: str, random: np.random.Generator) -> str:
    """Near the text: words left out, others put in, some in place of others."""
    words: list[str] = []
    for word in text.split():
        drawn = random.random()
        words += [] if drawn < 0.1 else [word, str(random.choice(WORDS))] if drawn < 0.2 else [word]
    return " ".join(str(random.choice(WORDS)) if random.random() < 0.1 else word for word in words)


def drawn(items: int, most: int, seed: int = 0) -> tuple[list[str], list[tuple[str, ...]]]:
    """Texts and their references, one to `most` of them, some of both empty."""
    random = np.random.default_rng(seed)
    references = [tuple(sentence(random) for _ in range(random.integers(1, most + 1))) for _ in range(items)]
    texts = [disturbed(each[random.integers(len(each))], random) for each in references]
    texts[2] = ""
    references[3] = ("", *references[3][1:])
    references[5] = ("",) * len(references[5])
    return texts, references


def outcome_of(texts: list[str], references: list[tuple[str, ...]], **more: object) -> Outcome:
    return Outcome(listed(texts), listed(references), np.ones(len(texts), dtype=np.int64), **more)


def value(name: str, texts: list[str], references: list[tuple[str, ...]], size: int | None = None) -> float:
    metric = METRICS[name]((), None)
    size = size or len(texts)
    for start in range(0, len(texts), size):
        metric.add(outcome_of(texts[start : start + size], references[start : start + size]))
    return metric.value()


def by_number(references: list[tuple[str, ...]]) -> list[list[str | None]]:
    """The first reference of each item, the second, ...: None where there is none."""
    most = max(map(len, references))
    return [[each[number] if number < len(each) else None for each in references] for number in range(most)]


@pytest.mark.parametrize("most", [1, 4])
def test_as_sacrebleu(most: int) -> None:
    texts, references = drawn(200, most)
    expected = by_number(references)
    assert value("bleu", texts, references) == pytest.approx(sacrebleu.corpus_bleu(texts, expected).score)
    assert 20 < value("bleu", texts, references) < 95
    for order in (1, 2, 3):
        alone = BLEU(max_ngram_order=order).corpus_score(texts, expected).score
        assert value(f"bleu_{order}", texts, references) == pytest.approx(alone)
    assert value("chrf", texts, references) == pytest.approx(CHRF().corpus_score(texts, expected).score)


def test_as_the_command_of_sacrebleu(tmp_path: Path) -> None:
    texts, references = drawn(60, 1, seed=4)
    references = [(text or "x",) for (text,) in references]
    (tmp_path / "texts").write_text("\n".join(texts) + "\n", encoding="utf-8")
    (tmp_path / "references").write_text("".join(f"{text}\n" for (text,) in references), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", tmp_path / "references", "-i", tmp_path / "texts"]
    options = ["-m", "bleu", "chrf", "-f", "text", "-w", "6"]
    lines = subprocess.run([*command, *options], capture_output=True, text=True, check=True, encoding="utf-8").stdout
    scores = Scores("sequence", ())
    scores.add(outcome_of(texts, references))
    assert set(scores.signatures()) == {"bleu", "chrf"}
    for line, (name, theirs) in zip(lines.splitlines(), [("bleu", "BLEU"), ("chrf", "chrF2")], strict=True):
        assert line.strip().startswith(f"{theirs}|{scores.signatures()[name]} = {scores.values()[name]:.6f}")


def test_the_signature_tells_of_references_in_different_numbers() -> None:
    scores = Scores("sequence", ())
    assert scores.signatures() == {}
    scores.add(outcome_of(["a", "b"], [("a", "c"), ("b", "d")]))
    assert all("nrefs:2|" in signature for signature in scores.signatures().values())
    scores.add(outcome_of(["c"], [("c",)]))
    assert all("nrefs:var|" in signature for signature in scores.signatures().values())
    metric = BLEU()
    metric.corpus_score(["a", "b", "c"], by_number([("a", "c"), ("b", "d"), ("c",)]))
    assert scores.signatures()["bleu"] == str(metric.get_signature())


def test_one_reference_as_jiwer() -> None:
    texts, references = drawn(200, 1)
    flat = [text for (text,) in references]
    assert value("wer", texts, references) == pytest.approx(jiwer.wer(flat, texts))
    assert value("cer", texts, references) == pytest.approx(jiwer.cer(flat, texts))
    assert 0.05 < value("wer", texts, references) < 0.6


def distance(one: list[str], other: list[str]) -> int:
    """Levenshtein's, by the table."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        before, row = row, [number]
        for place, right in enumerate(other, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (left != right)))
    return row[-1]


@pytest.mark.parametrize(("name", "cut"), [("wer", str.split), ("cer", list)])
def test_errors_are_those_to_the_nearest_reference(name: str, cut: object) -> None:
    texts, references = drawn(120, 4, seed=2)
    errors = length = 0
    for text, each in zip(texts, references, strict=True):
        counted = [distance(cut(text), cut(reference)) for reference in each]
        nearest = counted.index(min(counted))
        errors += counted[nearest]
        length += len(cut(each[nearest]))
    assert value(name, texts, references) == pytest.approx(errors / length)
    firsts = [each[:1] for each in references]
    assert value(name, texts, references) < value(name, texts, firsts), "the first is not always the nearest"


def test_phonemes_between_blanks_are_counted_one_by_one() -> None:
    # HH AH L OW against HH EH L OW S: one substitution and one deletion of five.
    assert value("wer", ["HH AH L OW"], [("HH EH L OW S",)]) == 2 / 5
    assert value("wer", ["HH AH L OW"], [("HH EH L OW S", "HH AH L UW")]) == 1 / 4
    # The errors of all by the lengths of all: 1 + 0 of 4 + 1.
    assert value("wer", ["HH AH L OW", "T"], [("HH AH L UW",), ("T",)]) == 1 / 5


def test_exact_match() -> None:
    texts = ["a b", "a b", "A b", "a  b", "", "", "\u00e9"]
    references = [("a b",), ("c", "a b"), ("a b",), ("a b",), ("",), ("a",), ("e\u0301",)]
    assert value("exact_match", texts, references) == 3 / 7


@pytest.mark.parametrize(
    ("texts", "references", "errors"),
    [
        ([""], [("",)], 0.0),
        (["a"], [("",)], 1.0),
        ([""], [("b",)], 1.0),
        ([""], [("b", "")], 0.0),
    ],
)
def test_empty_texts(texts: list[str], references: list[tuple[str, ...]], errors: float) -> None:
    assert value("wer", texts, references) == value("cer", texts, references) == errors
    assert value("exact_match", texts, references) == 1 - errors
    for name in ("bleu", "bleu_1", "chrf"):
        assert value(name, texts, references) == 0


@pytest.mark.parametrize("name", WRITTEN)
def test_batches_change_nothing(name: str) -> None:
    texts, references = drawn(50, 3, seed=3)
    whole = value(name, texts, references)
    assert value(name, texts, references, 7) == pytest.approx(whole, rel=1e-12)
    metric = METRICS[name]((), None)
    metric.add(outcome_of([], []))
    assert np.isnan(metric.value())
    metric.add(outcome_of(texts, references))
    assert metric.value() == whole


@pytest.mark.parametrize("name", WRITTEN)
def test_right_answers_are_better_than_wrong_ones(name: str) -> None:
    texts = ["a man in a boat", "two dogs run in the grass"]
    references = [("a man in a boat", "a boat"), ("two dogs run in the grass",)]
    right, wrong = value(name, texts, references), value(name, texts[::-1], references)
    assert (right > wrong) == METRICS[name].higher_is_better
    best = {"exact_match": 1, "wer": 0, "cer": 0}.get(name, 100)
    assert right == pytest.approx(best)


def test_tokenized_texts_are_no_reason_for_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    value("bleu", ["a dog runs ."] * 200, [("a dog runs .",)] * 200)
    assert not caplog.records


def test_likelihoods_are_of_tokens_or_of_sequences_as_the_head_gives_them() -> None:
    texts, references = ["a b", "c"], [("a b",), ("c",)]
    metric = METRICS["nll"]((), None)
    metric.add(outcome_of(texts, references, nll=np.array([1.0, 2, 3, 4, 6])))  # two tokens and one, and two ends
    assert metric.value() == 3.2
    scores = Scores("sequence", ())
    scores.add(outcome_of(texts, references))
    assert "nll" not in scores.values()
    assert scores.confusion() is None


@pytest.mark.parametrize(("package", "module"), [("sacrebleu", "sacrebleu.metrics.bleu"), ("jiwer", "jiwer")])
def test_a_package_that_is_missing_is_named_before_anything_is_measured(
    package: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=rf"{package}: pip install 'rnncli\[text\]'"):
        Scores("sequence", ("a",))
    assert Scores("class", ("a",)).values()
